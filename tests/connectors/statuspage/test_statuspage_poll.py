"""What is Statuspage's own in polling; `test_pollers.py` tries the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.polling import Checkpoint
from tests.connectors.polled import bodies, memory, read
from tests.connectors.statuspage.recorded import PAGE, RECORDED, StatusPages
from tests.ingest.sources import NOW, Answer, serving

DAY = timedelta(days=1)


@pytest.fixture
def pages() -> Iterator[StatusPages]:
    with serving(StatusPages()) as source:
        yield source


@pytest.mark.parametrize(("headers", "wait"), [({}, 60.0), ({"retry-after": "3"}, 3.0)])
def test_its_own_status_for_too_many_requests_is_one(pages: StatusPages, headers: dict[str, str], wait: float) -> None:
    pages.faults = {2: Answer(420, headers, {"error": "Enhance your calm"})}
    with pytest.raises(Retryable) as told:
        read(RECORDED, pages)
    assert told.value.after == wait


def test_pages_that_did_not_change_are_not_sent_again(pages: StatusPages) -> None:
    first = read(RECORDED, pages)
    known = {name: value for name, value in memory(first).items() if name.startswith("etag")}
    assert len(known) == 12
    pages.asked.clear()
    assert bodies(read(RECORDED, pages, since=NOW - 400 * DAY, checkpoint=Checkpoint(memory=known))) == []
    pages.change(NOW)
    told = bodies(read(RECORDED, pages, since=NOW - 400 * DAY, checkpoint=Checkpoint(memory=known)))
    assert {each["status"] for each in told} >= {"resolved"}
    assert len(told) == 2, "the page of the incident that changed"


def test_a_page_that_was_read_less_far_back_is_read_again(pages: StatusPages) -> None:
    recent, long_ago = NOW, NOW - 400 * DAY
    known = {name: value for name, value in memory(read(RECORDED, pages, since=recent)).items() if name[:4] == "etag"}
    wanted = bodies(read(RECORDED, pages, since=long_ago))
    assert bodies(read(RECORDED, pages, since=long_ago, checkpoint=Checkpoint(memory=known))) == wanted


def test_a_backfill_is_never_spared(pages: StatusPages) -> None:
    known = memory(read(RECORDED, pages))
    assert len(bodies(read(RECORDED, pages, checkpoint=Checkpoint(memory=known)))) == 24


def test_an_old_incident_that_was_open_is_asked_for_until_it_ends(pages: StatusPages) -> None:
    known = memory(read(RECORDED, pages))
    oldest = pages.incidents[1]
    assert known[oldest["id"]] == oldest["created_at"]
    pages.change(NOW)
    polled = read(RECORDED, pages, since=NOW - DAY, checkpoint=Checkpoint(memory=known))
    assert oldest["id"] in {each["id"] for each in bodies(polled)}
    assert memory(polled)[oldest["id"]] == ""


def test_an_open_incident_that_was_deleted_is_forgotten(pages: StatusPages) -> None:
    known = {"gone": "2026-01-01T00:00:00Z"}
    assert memory(read(RECORDED, pages, since=NOW - DAY, checkpoint=Checkpoint(memory=known)))["gone"] == ""


@pytest.mark.parametrize("scope", ["", "https://status.example.com", f"{PAGE}/incidents"])
def test_a_scope_that_is_no_id_is_refused(pages: StatusPages, scope: str) -> None:
    with pytest.raises(ConfigError, match="write its id"):
        read(RECORDED, pages, scope)
    assert pages.asked == []
