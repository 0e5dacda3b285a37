"""Scraping over HTTP: what goes over the wire, and what Prometheus sees while the server restarts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as text_families

from pipeline.metrics.catalogue import CATALOGUE
from tests.api.running import HISTORY, Running, running, settings, tell
from tests.simulation.story import deployed

Scraped = dict[tuple[str, tuple[tuple[str, str], ...]], float]
_BUSINESS = tuple(f"leadline_{metric.name}" for metric in CATALOGUE)


def scraped(client: httpx.Client) -> Scraped:
    response = client.get("/metrics")
    assert response.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_families(response.text)
        for sample in family.samples
    }


def business(found: Scraped) -> Scraped:
    return {place: value for place, value in found.items() if place[0].startswith(_BUSINESS)}


@pytest.mark.parametrize(("asked", "encoding"), [("gzip", "gzip"), ("identity", None)])
def test_it_is_pressed_for_those_who_take_it(informed: Running, asked: str, encoding: str | None) -> None:
    response = informed.client.get("/metrics", headers={"Accept-Encoding": asked})
    plain = informed.client.get("/metrics", headers={"Accept-Encoding": "identity"})
    told = business(scraped(informed.client))
    assert response.headers.get("content-encoding") == encoding
    assert {each.strip() for each in response.headers["vary"].split(",")} >= {"Accept", "Accept-Encoding"}
    assert [line for line in response.text.splitlines() if line.startswith(_BUSINESS)] == [
        line for line in plain.text.splitlines() if line.startswith(_BUSINESS)
    ]
    assert len(told) > 100


def test_while_it_restarts_numbers_are_absent_and_never_zero(tmp_path: Path) -> None:
    given = settings(tmp_path)
    with running(given) as server:
        tell(server.wiring.log(), HISTORY)
        server.caught_up()
        before = business(scraped(server.client))
        # this one arrives while nobody follows the log
        server.services.follower.stop()
        tell(server.wiring.log(), [deployed("05 09:00", "d2")])
    with closing(sqlite3.connect(given.database, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with running(given) as server:
            during = scraped(server.client)
            ready = server.client.get("/readyz")
            holder.execute("ROLLBACK")
            server.caught_up()
            after = business(scraped(server.client))
            assert server.client.get("/readyz").status_code == 200
    assert ready.status_code == 503
    assert business(during) == {}
    assert during["leadline_log_up", ()] == 1
    assert ("leadline_fold_lag", ()) not in during
    assert before.keys() <= after.keys()
    frequency = (
        "leadline_deployment_frequency_sample_size",
        (("scope", "all"), ("scope_kind", "org"), ("window", "28d")),
    )
    assert after[frequency] == before[frequency] + 1


def test_after_a_restart_the_same_is_told(tmp_path: Path) -> None:
    told: list[Scraped] = []
    for _ in range(2):
        with running(settings(tmp_path)) as server:
            tell(server.wiring.log(), HISTORY)
            server.caught_up()
            told.append(business(scraped(server.client)))
    assert told[0] == told[1]
    assert len(told[0]) > 100
