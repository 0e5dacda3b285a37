"""From deliveries to events: everything arrives once, whatever fails and wherever it stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events.codec import decode
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError, Corrupt, Retryable
from pipeline.events.types import ChangeMerged
from pipeline.ingest import deliveries
from pipeline.ingest.translate import CURSOR, TranslateReport, Translator
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import DELIVERIES, EVENTS, EventLog, Record
from tests.ingest.fakes import NOON, SOURCE, Forge, at, delivery, merged, translator


def changes(log: EventLog) -> list[str]:
    return [decode(each.value).subject for each in log.read(EVENTS)]


def put(log: EventLog, *told: Delivery) -> None:
    deliveries.store(log, told, NOON)


def test_deliveries_become_events_with_their_origin(log: EventLog) -> None:
    put(log, delivery("d1", "c1", "c2"), delivery("d2", "c3"))
    report = translator(log, Forge()).run(at(60))
    assert report == TranslateReport(deliveries=2, events=3, outcomes={("forge", "translated"): 2})
    stored = log.read(EVENTS)
    assert [(each.source, each.key, each.time, each.recorded) for each in stored] == [
        (SOURCE, "shop", NOON, at(60))
    ] * 3
    assert [each.origin for each in stored] == [1, 1, log.end(DELIVERIES)]
    assert decode(stored[0].value) == merged("c1")


def test_it_goes_on_where_it_was_and_stops_at_the_limit(log: EventLog) -> None:
    put(log, *(delivery(f"d{number}", f"c{number}") for number in range(5)))
    translate = translator(log, Forge())
    seen: list[tuple[int, int]] = []
    assert translate.run(NOON, limit=3, progress=lambda done, end: seen.append((done, end))).deliveries == 3
    assert translator(log, Forge()).run(NOON).deliveries == 2
    assert translate.run(NOON) == TranslateReport()
    assert (changes(log), seen) == ([f"c{number}" for number in range(5)], [(3, 5)])


def test_the_same_change_told_twice_is_one_event(log: EventLog) -> None:
    put(log, delivery("d1", "c1"), delivery("d2", "c1", "c2"))
    report = translator(log, Forge()).run(NOON)
    outcomes = {("forge", "translated"): 2}
    assert report == TranslateReport(deliveries=2, events=2, duplicates=1, outcomes=outcomes)


def test_what_is_left_out_is_counted_by_name(log: EventLog) -> None:
    put(log, delivery("d1", body=b"{}"), delivery("d2", body=b"{}"), delivery("d3", body=b"[]"))
    report = translator(log, Forge()).run(NOON)
    outcomes = {("forge", "ignored"): 2, ("forge", "translated"): 1}
    assert report == TranslateReport(deliveries=3, ignored={"ping": 2}, outcomes=outcomes)


class Odd:
    """A connector with a bug: its event cannot be written or read."""

    name = "forge"

    def __init__(self, event: object) -> None:
        self.event = event

    def translate(self, delivery: Delivery, context: Context) -> Translation:  # noqa: ARG002 - the protocol's
        return Translation(events=[self.event])  # type: ignore[list-item]

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        raise NotImplementedError

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        raise NotImplementedError


def odd(**fields: object) -> Event:
    return msgspec.structs.replace(merged("c1"), **fields)


@pytest.mark.parametrize(
    ("event", "reason", "detail"),
    [
        (None, "translator_error", "AttributeError"),
        (odd(type="no.such.type"), "unknown_type", "no.such.type"),
        (odd(id=""), "bad_event", "id and source"),
        (odd(subject="\ud800"), "translator_error", "UnicodeEncodeError"),
        (odd(data=ChangeMerged(repo=7, change="c")), "bad_event", "repo"),  # type: ignore[arg-type]
        (odd(subject="x" * 1_000_000), "too_large", "limit"),
        (odd(time=NOON.replace(tzinfo=None)), "bad_time", "has no zone"),
        (odd(time=datetime(1969, 12, 31, tzinfo=UTC)), "bad_time", "1969-12-31"),
        (odd(time=at(2 * 86_400 + 1)), "bad_time", "two days after"),
    ],
)
def test_an_event_that_must_not_enter_the_log_quarantines_its_delivery(
    log: EventLog, event: Event | None, reason: str, detail: str
) -> None:
    put(log, delivery("d1"))
    translate = Translator(log, {"forge": Odd(event)}, lambda _: Context(actor_key=b"key"))
    assert translate.run(NOON).quarantined == {reason: 1}
    (entry,) = translate.quarantine.entries()
    assert detail in entry.failure.detail
    assert log.end(EVENTS) == 0


def test_times_at_the_bounds_pass_and_recordedtime_is_left_to_the_log(log: EventLog) -> None:
    put(log, delivery("d1"))
    for event in (odd(time=datetime(1970, 1, 1, tzinfo=UTC)), odd(id="b", time=at(2 * 86_400), recordedtime=NOON)):
        log.commit(CURSOR, 0)
        assert Translator(log, {"forge": Odd(event)}, lambda _: Context(actor_key=b"key")).run(NOON).events == 1
    assert [decode(each.value).recordedtime for each in log.read(EVENTS)] == [None, None]


def test_a_bad_delivery_takes_no_neighbour_with_it(log: EventLog) -> None:
    put(
        log,
        delivery("d1", "c1"),
        delivery("d2", body=b"\x00\xff"),
        delivery("d3", "c3", kind="crash"),
        delivery("d4", "c4", "late", time="2031-01-01T00:00:00+00:00"),
        msgspec.structs.replace(delivery("d5", "c5"), connector="gone"),
        delivery("d6", "c6"),
    )
    log.append(DELIVERIES, [Record(source="delivery:forge", id="x", key="forge", time=NOON, value=b"junk")], NOON)
    translate = translator(log, Forge())
    report = translate.run(at(9))
    reasons = ["bad_json", "translator_error", "bad_time", "unknown_connector", "bad_delivery"]
    assert report.quarantined == dict.fromkeys(reasons, 1)
    assert changes(log) == ["c1", "c6"]
    entries = translate.quarantine.entries()
    assert [entry.failure.reason for entry in entries] == reasons
    assert entries[1].failure.detail == "ZeroDivisionError: a bug ?"
    assert (entries[0].failure.connector, entries[0].failure.kind, entries[0].recorded) == ("forge", "changes", at(9))
    assert report.deliveries == 7


def test_settings_that_are_wrong_stop_translation_and_lose_nothing(log: EventLog) -> None:
    def context_for(name: str) -> Context:
        raise ConfigError(f"leadline.yaml: connectors.{name}: actor_key is missing")

    put(log, delivery("d1", "c1"))
    with pytest.raises(ConfigError, match=r"connectors\.forge"):
        Translator(log, {"forge": Forge()}, context_for).run(NOON)
    assert (log.cursor(CURSOR), log.end(EVENTS)) == (0, 0)
    assert translator(log, Forge()).run(NOON).events == 1


class Failing(MemoryLog):
    """A log whose operations fail from the n-th on, as a process does that is killed there."""

    def __init__(self, operations: int) -> None:
        super().__init__()
        self.left = operations

    def _spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Retryable("killed")

    def append(self, stream, records, recorded):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - as the base
        self._spend()
        return super().append(stream, records, recorded)

    def commit(self, name: str, offset: int) -> None:
        self._spend()
        super().commit(name, offset)


def told() -> list[Delivery]:
    return [
        delivery("d1", "c1", "c2"),
        delivery("d2", body=b"junk"),
        delivery("d3", "c2", "c3"),
        delivery("d4", "c9", kind="crash"),
    ]


@pytest.mark.parametrize("limit", [1, 4])
@pytest.mark.parametrize("operations", range(12))
def test_any_crash_point_ends_in_the_same_events_and_quarantine(operations: int, limit: int) -> None:
    log = Failing(1_000)
    put(log, *told())
    log.left = operations
    try:
        for _ in range(4):
            translator(log, Forge()).run(NOON, limit=limit)
    except Retryable:
        log.left = 1_000
        translator(log, Forge()).run(NOON)
    assert changes(log) == ["c1", "c2", "c3"]
    translate = translator(log, Forge())
    assert [(each.failure.delivery, each.failure.reason) for each in translate.quarantine.entries(None)] == [
        (2, "bad_json"),
        (4, "translator_error"),
    ]
    assert log.stat("quarantine").records == 2


@given(st.permutations(range(6)), st.integers(1, 6))
def test_any_order_and_any_split_of_deliveries_gives_the_same_events(order: list[int], limit: int) -> None:
    every = [*told(), delivery("d5", "c1", "c5"), delivery("d6", body=b"{}")]
    log = MemoryLog()
    put(log, *(every[index] for index in order))
    report = TranslateReport(deliveries=1)
    total = 0
    while report.deliveries:
        report = translator(log, Forge()).run(NOON, limit=limit)
        total += report.deliveries
    assert (sorted(changes(log)), total) == (["c1", "c2", "c3", "c5"], 6)
    assert translator(log, Forge()).quarantine.counts() == {("forge", "bad_json"): 1, ("forge", "translator_error"): 1}


def test_a_delivery_that_the_log_lost_is_corruption(log: EventLog) -> None:
    with pytest.raises(Corrupt, match="no record 7"):
        translator(log, Forge()).replay([7], NOON)
