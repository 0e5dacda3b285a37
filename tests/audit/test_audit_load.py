from __future__ import annotations

import pytest

from pipeline.audit.load import load_events, scratch
from pipeline.audit.recompute import recompute_facts, recompute_metrics
from pipeline.events.codec import encode
from pipeline.events.errors import Corrupt
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import EVENTS, Record
from tests.audit.auditing import RECORDED, log_of, recomputed, rows
from tests.simulation.story import committed, deployed, moment, opened, us

EVENTS_OF_TWO_TYPES = [opened("02 09:00", 1), committed("c1", "02 09:00:00.000001"), deployed("03 09:00", "d1", "c1")]


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_events_are_read_in_batches_with_the_payload_of_their_type(batch: int) -> None:
    with scratch() as connection:
        assert load_events(connection, log_of(EVENTS_OF_TWO_TYPES), batch=batch) == 3
        loaded = {row["id"]: row for row in rows(connection, "event")}
    assert {row["time_us"] for row in loaded.values()} == {us("02 09:00"), us("02 09:00") + 1, us("03 09:00")}
    assert '"change":"acme/shop#1"' in loaded[EVENTS_OF_TWO_TYPES[0].id]["payload"]
    assert '"sha":"c1"' in loaded[EVENTS_OF_TWO_TYPES[1].id]["payload"]


@pytest.mark.parametrize(
    "broken", [b'{"id": "broken", "time"', b"\x84\xa2id", b'{"type":"\xff"}', b"7", b'{"id":"x"}', b""]
)
def test_a_record_that_is_no_event_is_corrupt_and_named_by_its_offset(broken: bytes) -> None:
    log = log_of(EVENTS_OF_TWO_TYPES)
    good = encode(opened("02 09:00", 2))
    for number, value in enumerate([broken, good, broken]):
        record = Record(source="s", id=str(number), key="k", time=RECORDED, value=value)
        log.append(EVENTS, [record], RECORDED)
    with scratch() as connection, pytest.raises(Corrupt, match=r"events at offsets 4, 6: .* `leadline log verify`"):
        load_events(connection, log)


def test_one_event_of_two_sources_is_two_and_of_one_source_one() -> None:
    event = deployed("03 09:00", "d1", source="https://one.example")
    again = deployed("03 09:00", "d1", source="https://two.example")
    log = MemoryLog()
    for position, told in enumerate([event, again, event]):
        # A log refuses a second copy; one that came under another identity of the record must not count either.
        record = Record(source=told.source, id=f"{position}", key="k", time=told.time, value=encode(told))
        log.append(EVENTS, [record], RECORDED)
    with scratch() as connection:
        assert load_events(connection, log) == 3
        recompute_facts(connection)
        assert len(rows(connection, "audit_deployment")) == 2


def test_an_empty_log_has_no_facts_no_metrics_and_no_instant() -> None:
    with scratch() as connection:
        assert load_events(connection, MemoryLog()) == 0
        recompute_facts(connection)
        assert recompute_metrics(connection) is None
        assert rows(connection, "audit_metric") == []


def test_the_default_instant_is_the_latest_event_that_is_not_in_the_future_of_the_log() -> None:
    with scratch() as connection:
        events = [deployed("03 09:00", "d1"), deployed("04 09:00", "d2"), deployed("20 09:00", "d3")]
        load_events(connection, log_of(events, recorded=moment("05 09:00")))
        recompute_facts(connection)
        assert recompute_metrics(connection) == moment("04 09:00")
        assert recompute_metrics(connection, moment("20 00:00")) == moment("20 00:00")


def test_commits_that_contain_each_other_end() -> None:
    events = [
        committed("c1", "02 09:00", "c2"),
        committed("c2", "02 09:00", "c1"),
        committed("c3", "02 09:00", "c3"),
        deployed("03 09:00", "d1", "c1"),
        deployed("03 10:00", "d2", "c2"),
    ]
    with recomputed(events) as connection:
        delivered = {row["id"]: row["deployed_at"] for row in rows(connection, "audit_change")}
    assert delivered == {"acme/shop@c1": us("03 09:00"), "acme/shop@c2": us("03 09:00")}


def test_a_long_history_before_its_only_deployment_is_reached_to_its_root() -> None:
    length = 3_000
    events = [committed("c0", "01 00:00")]
    events += [committed(f"c{n}", "01 00:00", f"c{n - 1}") for n in range(1, length)]
    with recomputed([*events, deployed("02 00:00", "d1", f"c{length - 1}")]) as connection:
        delivered = rows(connection, "audit_change")
    assert len(delivered) == length
    assert {row["lead_time"] for row in delivered} == {86_400.0}
