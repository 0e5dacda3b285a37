"""The text of a scrape: the same as the client library writes, ready before it is asked for, and never of yesterday."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from pipeline.exporter.collector import LeadlineCollector
from pipeline.exporter.exposition import Exposition
from pipeline.exporter.instruments import Instruments
from pipeline.exporter.model import Build, ReadModel, SnapshotFigures, Surroundings, TableSize
from pipeline.metrics.catalogue import MetricPoint
from tests.exporter.figures import NOON, everything, figures, point

OPEN = "application/openmetrics-text; version=1.0.0"
FORMATS = ["", "text/plain; version=1.0.0; escaping=allow-utf-8", OPEN, f"{OPEN}; escaping=dots", "text/html"]
NASTY = 'a"quoted"\\team\nof two lines, {braces="x"} 1 # EOF'


class Shop:
    """An exporter whose numbers and clock a test sets."""

    def __init__(self, points: Iterable[MetricPoint] = (), surroundings: Surroundings | None = None) -> None:
        self.model: ReadModel | None = ReadModel(points=tuple(points), as_of=NOON)
        self.followed: datetime | None = NOON
        self.registry = CollectorRegistry()
        self.instruments = Instruments(self.registry)
        found = surroundings or Surroundings()
        self.collector = LeadlineCollector(
            lambda: self.model,
            figures,
            lambda: self.followed,
            Build(version="1", schema=1),
            surroundings=lambda: found,
        )
        self.registry.register(self.collector)
        self.exposition = Exposition(self.registry, self.collector)

    def publish(self, *points: MetricPoint) -> None:
        model = ReadModel(points=points, as_of=NOON)
        self.collector.prepare(model)
        self.model = model

    def scrape(self, accept: str = OPEN) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        return read(self.exposition.page(accept).content, accept)


def read(content: bytes, accept: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    parse: Callable[[str], Any] = open_families if accept.startswith(OPEN) else text_families
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(content.decode())
        for sample in family.samples
    }


def ordered(text: bytes) -> list[str]:
    return sorted(line for line in text.decode().splitlines() if not line.startswith("leadline_") or "info" in line)


@pytest.mark.parametrize("accept", FORMATS)
def test_it_says_what_the_library_says(accept: str) -> None:
    shop = Shop([*everything(), point("change_fail_rate", 1e-9, scope=("team", NASTY))])
    encode, media_type = choose_encoder(accept.replace("escaping=dots", "escaping=underscores"))
    page, expected = shop.exposition.page(accept), encode(shop.registry)
    assert page.media_type == media_type
    assert read(page.content, accept) == read(expected, accept)
    assert ordered(page.content) == ordered(expected)
    assert len(read(page.content, accept)) > 100


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.floats(-1e12, 1e12))
def test_any_scope_and_any_number_arrive(scope: str, value: float) -> None:
    shop = Shop([point("change_fail_rate", value, scope=("service", scope))])
    labels = (("scope", scope), ("scope_kind", "service"), ("window", "28d"))
    for accept in ("", OPEN):
        assert shop.scrape(accept)["leadline_change_fail_rate_ratio", labels] == value


@pytest.mark.parametrize("accept", ["", OPEN])
def test_pressed_and_plain_are_the_same_however_often(accept: str) -> None:
    shop = Shop(everything())
    for number in range(3):
        shop.instruments.folded(number, 0, 0)
        pressed, plain = shop.exposition.page(accept, "br, gzip"), shop.exposition.page(accept, "br")
        assert (pressed.gzipped, plain.gzipped) == (True, False)
        assert gzip.decompress(pressed.content) == plain.content
    assert shop.scrape(accept)["leadline_events_folded_total", ()] == 3


def test_openmetrics_ends_once() -> None:
    content = Shop(everything()).exposition.page(OPEN).content
    assert content.endswith(b"\n# EOF\n")
    assert content.count(b"# EOF") == 1


def test_a_number_that_is_gone_is_gone() -> None:
    stays, goes = point("change_fail_rate", scope=("team", "growth")), point("deployment_rework_rate")
    shop = Shop()
    shop.publish(stays, goes)
    before = {name for name, _ in shop.scrape()}
    shop.publish(stays)
    after = {name for name, _ in shop.scrape()}
    assert before - after == {"leadline_deployment_rework_rate_ratio", "leadline_deployment_rework_rate_sample_size"}
    shop.publish()
    assert not {name for name, _ in shop.scrape() if name.endswith(("_ratio", "_sample_size"))}


def test_before_the_first_numbers_there_are_none_and_no_zero() -> None:
    shop = Shop(everything())
    shop.model = shop.followed = None
    told = {name for name, _ in shop.scrape()}
    assert "leadline_log_up" in told
    assert not {name for name in told if name.endswith(("_ratio", "_sample_size", "_per_day", "_fold_lag"))}
    assert "leadline_follower_last_success_timestamp_seconds" not in told


def test_what_was_asked_for_once_is_ready_before_it_is_published() -> None:
    shop = Shop(everything())
    shop.exposition.page(OPEN)
    model = ReadModel(points=tuple(everything()), as_of=NOON)
    shop.collector.prepare(model)
    ready = shop.collector._business(model)
    assert list(ready._encoded) == [True]
    shop.scrape()
    assert shop.collector._business(model) is ready
    shop.model = model
    assert shop.collector._business(model) is ready
    assert [made for _, made in shop.collector._made] == [ready]


def test_the_old_numbers_are_not_made_again_while_new_ones_are_prepared() -> None:
    shop = Shop(everything())
    shop.exposition.page(OPEN)
    assert shop.model is not None
    before = shop.collector._business(shop.model)
    shop.collector.prepare(ReadModel(points=(point("change_fail_rate", 9.0),), as_of=NOON))
    labels = (("scope", "all"), ("scope_kind", "org"), ("window", "28d"))
    assert shop.scrape()["leadline_change_fail_rate_ratio", labels] == 1.5
    assert shop.collector._business(shop.model) is before


def test_nothing_is_prepared_for_nobody() -> None:
    shop = Shop()
    shop.publish(*everything())
    assert shop.collector._made == []


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(seconds=-1), timedelta(days=400)])
def test_a_clock_that_jumps_is_followed_and_breaks_nothing(jump: timedelta) -> None:
    shop = Shop(everything())
    before = shop.scrape()
    shop.followed = NOON + jump
    shop.instruments.came_in("github", NOON)
    shop.instruments.came_in("github", NOON + jump)
    after = shop.scrape()
    labels = (("connector", "github"),)
    changed = {place for place in before.keys() | after.keys() if before.get(place) != after.get(place)}
    assert changed == {
        ("leadline_follower_last_success_timestamp_seconds", ()),
        ("leadline_connector_last_delivery_timestamp_seconds", labels),
    }
    assert {after[place] for place in changed} == {(NOON + jump).timestamp()}


def test_the_limit_is_told_beside_what_is_beyond_it() -> None:
    found = Shop(everything()).scrape()
    assert found["leadline_scopes_limit", ()] == 500
    assert found["leadline_scopes_dropped", (("scope_kind", "org"),)] == 0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Surroundings(), {}),
        (Surroundings(snapshots_readable=True), {"leadline_snapshot_up": 1}),
        (Surroundings(snapshots_readable=False), {"leadline_snapshot_up": 0}),
        (
            Surroundings(snapshots_readable=True, snapshot=SnapshotFigures(datetime(2026, 3, 1, tzinfo=UTC), 7)),
            {
                "leadline_snapshot_up": 1,
                "leadline_snapshot_last_success_timestamp_seconds": 1772323200,
                "leadline_snapshot_position_offset": 7,
            },
        ),
        (
            Surroundings(tables={"cell": TableSize(3, 99)}),
            {"leadline_state_rows": 3, "leadline_state_size_bytes": 99},
        ),
    ],
)
def test_what_lies_around_is_told_where_it_is_known(given: Surroundings, expected: dict[str, float]) -> None:
    found = {name: value for (name, _), value in Shop(surroundings=given).scrape().items()}
    assert {name: value for name, value in found.items() if "_snapshot_" in name or "_state_" in name} == expected


def test_steps_of_the_follower_are_timed() -> None:
    shop = Shop()
    shop.instruments.took("fold", 0.3)
    found = shop.scrape()
    assert found["leadline_follower_step_duration_seconds_sum", (("step", "fold"),)] == 0.3
    assert found["leadline_follower_step_duration_seconds_bucket", (("le", "0.25"), ("step", "fold"))] == 0
    assert found["leadline_follower_step_duration_seconds_bucket", (("le", "0.5"), ("step", "fold"))] == 1
