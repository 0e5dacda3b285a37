"""What every log promises. Runs on all implementations."""

from __future__ import annotations

import pytest

from pipeline.log.names import partition_of
from pipeline.log.protocol import DELIVERIES, EVENTS, Appended, EventLog, Record, Stored, Superseded
from tests.log.factories import LogFactory
from tests.log.records import NOON, at, ids, record


def test_an_empty_log_answers(log: EventLog) -> None:
    assert log.partitions == 1
    assert list(log.read(EVENTS)) == []
    assert log.read_values(EVENTS) == []
    assert list(log.iterate(EVENTS)) == []
    assert (log.end(EVENTS), log.cursor("engine"), log.generation(EVENTS)) == (0, 0, 0)
    stat = log.stat(EVENTS)
    assert (stat.records, stat.bytes, stat.first_time, stat.last_time, stat.last_recorded) == (0, 0, None, None, None)
    log.check()


def test_what_is_appended_is_read_back_whole(log: EventLog) -> None:
    value = bytes(range(256))
    told = record("id \x00 Ω", "urn:källa", key="", time=at(-5.000001), value=value, origin=7)
    assert log.append(EVENTS, [told], at(1.5)) == Appended(1, 0)
    assert list(log.read(EVENTS)) == [
        Stored(0, 1, "urn:källa", "id \x00 Ω", "", at(-5.000001), at(1.5), value, 7),
    ]
    assert log.read_values(EVENTS) == [(1, round(at(1.5).timestamp() * 1_000_000), value)]


@pytest.mark.parametrize(
    "identity",
    [
        "0" * 32,
        "0123456789abcdef0123456789abcdef",
        "0123456789ABCDEF0123456789ABCDEF",
        "x" * 32,
        "00 " * 10 + "00",
        "é" * 32,
    ],
)
def test_ids_that_look_like_hashes_stay_what_they_are(log: EventLog, identity: str) -> None:
    assert log.append(EVENTS, [record(identity), record(identity)], NOON) == Appended(1, 1)
    assert ids(log.read(EVENTS)) == [identity]


def test_upper_and_lower_case_ids_differ(log: EventLog) -> None:
    both = ["abcdef" + "0" * 26, "ABCDEF" + "0" * 26]
    assert log.append(EVENTS, [record(each) for each in both], NOON) == Appended(2, 0)
    assert ids(log.read(EVENTS)) == both


def test_duplicates_are_skipped_and_counted(log: EventLog) -> None:
    assert log.append(
        EVENTS, [record("a", value=b"first"), record("b"), record("a", value=b"second")], NOON
    ) == Appended(2, 1)
    assert log.append(EVENTS, [record("b"), record("c")], NOON) == Appended(1, 1)
    assert [(each.id, each.value) for each in log.read(EVENTS)] == [("a", b"first"), ("b", b"b"), ("c", b"c")]


def test_the_same_id_of_another_source_or_in_another_stream_is_another_record(log: EventLog) -> None:
    assert log.append(EVENTS, [record("a", "acme"), record("a", "globex")], NOON) == Appended(2, 0)
    assert log.append(DELIVERIES, [record("a", "acme")], NOON) == Appended(1, 0)


def test_an_empty_append_changes_nothing(log: EventLog) -> None:
    assert log.append(EVENTS, [], NOON) == Appended(0, 0)
    assert log.end(EVENTS) == 0


def test_reading_goes_on_after_an_offset(log: EventLog) -> None:
    log.append(EVENTS, [record(str(number)) for number in range(10)], NOON)
    first = log.read(EVENTS, limit=4)
    assert ids(first) == ["0", "1", "2", "3"]
    assert ids(log.read(EVENTS, after=first[-1].offset, limit=4)) == ["4", "5", "6", "7"]
    assert list(log.read(EVENTS, after=log.end(EVENTS))) == []
    assert [value for _, _, value in log.read_values(EVENTS, after=first[-1].offset, limit=2)] == [b"4", b"5"]


def test_iterate_yields_batches_to_the_end(log: EventLog) -> None:
    log.append(EVENTS, [record(str(number)) for number in range(7)], NOON)
    assert [ids(batch) for batch in log.iterate(EVENTS, after=1, batch=3)] == [["1", "2", "3"], ["4", "5", "6"]]


def test_iterate_sees_what_is_appended_meanwhile(log: EventLog) -> None:
    log.append(EVENTS, [record("a")], NOON)
    batches = log.iterate(EVENTS)
    assert ids(next(batches)) == ["a"]
    log.append(EVENTS, [record("b")], NOON)
    assert ids(next(batches)) == ["b"]


def test_large_values_end_a_batch_early_but_never_empty(log: EventLog) -> None:
    size = 20 * 1024 * 1024
    log.append(EVENTS, [record(str(number), value=bytes(size)) for number in range(4)], NOON)
    assert sum(len(batch) for batch in log.iterate(EVENTS)) == 4
    assert log.stat(EVENTS).bytes == 4 * size


def test_recorded_never_goes_back(log: EventLog) -> None:
    log.append(EVENTS, [record("a")], at(10))
    log.append(EVENTS, [record("b")], at(3))
    log.append(EVENTS, [record("c")], at(11))
    assert [each.recorded for each in log.read(EVENTS)] == [at(10), at(10), at(11)]


def test_each_record_can_bring_its_own_recorded_instant(log: EventLog) -> None:
    log.append(EVENTS, [record("a"), record("b"), record("c")], [at(1), at(5), at(4)])
    assert [each.recorded for each in log.read(EVENTS)] == [at(1), at(5), at(5)]
    with pytest.raises(ValueError, match="argument"):
        log.append(EVENTS, [record("d"), record("e")], [at(6)])
    assert log.end(EVENTS) == 3


def test_a_key_stays_in_its_partition_and_in_order(logs: LogFactory) -> None:
    log = logs.create(partitions=3)
    keys = [f"repo-{number % 7}" for number in range(70)]
    log.append(EVENTS, [record(str(number), key=key) for number, key in enumerate(keys)], NOON)
    assert log.partitions == 3
    for partition in range(3):
        expected = [str(number) for number, key in enumerate(keys) if partition_of(key, 3) == partition]
        assert ids(log.read(EVENTS, partition=partition)) == expected
        assert ids(log.read(EVENTS, partition=partition, limit=2)) == expected[:2]
    assert ids(log.read(EVENTS)) == [str(number) for number in range(70)]


def test_cursors_are_kept_by_name(log: EventLog) -> None:
    log.commit("engine", 5)
    log.commit("translate", 9)
    assert (log.cursor("engine"), log.cursor("translate"), log.cursor("other")) == (5, 9, 0)
    log.commit("engine", 0)
    assert log.cursor("engine") == 0


def test_stat_adds_up(log: EventLog) -> None:
    log.append(EVENTS, [record("a", time=at(50), value=b"12345")], at(100))
    log.append(EVENTS, [record("a"), record("b", time=at(-50), value=b"1"), record("c", value=b"")], at(90))
    stat = log.stat(EVENTS)
    assert (stat.stream, stat.records, stat.bytes, stat.partitions) == (EVENTS, 3, 6, 1)
    assert (stat.first_time, stat.last_time, stat.last_recorded) == (at(-50), at(50), at(100))


def test_sources_tell_what_they_told(log: EventLog) -> None:
    assert log.sources(EVENTS) == []
    log.append(EVENTS, [record("a", source="x", time=at(50)), record("b", source="y")], at(10))
    log.append(EVENTS, [record("c", source="x", time=at(-50)), record("a", source="x")], at(20))
    found = [(each.source, each.records, each.last_recorded, each.last_time) for each in log.sources(EVENTS)]
    assert found == [("x", 2, at(20), at(-50)), ("y", 1, at(10), NOON)]


def test_everything_survives_a_restart(logs: LogFactory) -> None:
    log = logs.create(partitions=2)
    log.append(EVENTS, [record("a"), record("b")], at(10))
    log.commit("engine", 2)
    before = list(log.read(EVENTS)), log.stat(EVENTS)
    log = logs.reopen(log)
    assert (list(log.read(EVENTS)), log.stat(EVENTS)) == before
    assert (log.partitions, log.cursor("engine")) == (2, 2)
    assert log.append(EVENTS, [record("b"), record("c")], at(5)) == Appended(1, 1)
    assert log.read(EVENTS)[-1].recorded == at(10)


@pytest.mark.parametrize("stream", ["", "Events", "1st", "a-b", 'x"; DROP TABLE log_meta; --', "é", "a" * 64])
def test_a_stream_name_is_checked(log: EventLog, stream: str) -> None:
    with pytest.raises(ValueError, match="stream name"):
        log.append(stream, [record()], NOON)
    with pytest.raises(ValueError, match="stream name"):
        log.read(stream)


@pytest.mark.parametrize("bad", [record("b", key="\ud800"), record("b", time=NOON.replace(tzinfo=None))])
def test_a_batch_with_a_bad_record_is_not_taken_in_part(logs: LogFactory, bad: Record) -> None:
    log = logs.create(partitions=2)
    for _ in range(2):
        with pytest.raises((UnicodeEncodeError, TypeError)):
            log.append(EVENTS, [record("a", "new source"), bad], NOON)
    assert log.end(EVENTS) == 0
    assert log.append(EVENTS, [record("a", "new source")], NOON) == Appended(1, 0)
    assert [each.source for each in log.read(EVENTS)] == ["new source"]


def staged(log: EventLog, *values: tuple[str, str, int]) -> str:
    log.append(
        "staged_events", [record(name, value=value.encode(), origin=origin) for name, value, origin in values], NOON
    )
    return "staged_events"


def test_superseding_keeps_what_stayed_and_appends_what_is_new(log: EventLog) -> None:
    log.append(EVENTS, [record("direct"), record("same", origin=1), record("gone", origin=2)], at(1))
    log.append(EVENTS, [record("changed", value=b"old", origin=2), record("later", origin=9)], at(2))
    before = {each.id: each for each in log.read(EVENTS)}
    staged(log, ("same", "same", 1), ("changed", "new", 2), ("added", "added", 3))
    assert log.supersede(EVENTS, "staged_events", 3, at(60)) == Superseded(kept=1, removed=2, added=2)
    *stayed, changed, added = log.read(EVENTS)
    assert stayed == [before["direct"], before["same"], before["later"]]
    assert [(each.id, each.value, each.recorded) for each in (changed, added)] == [
        ("changed", b"new", at(60)),
        ("added", b"added", at(60)),
    ]
    assert before["later"].offset < changed.offset < added.offset
    assert (log.generation(EVENTS), log.end("staged_events")) == (1, 0)
    assert log.stat(EVENTS).records == 5
    assert log.stat(EVENTS).bytes == sum(len(each.value) for each in log.read(EVENTS))
    log.check()


def test_superseding_by_the_same_changes_nothing(log: EventLog) -> None:
    log.append(EVENTS, [record("a", origin=1), record("b", origin=2)], at(1))
    before = list(log.read(EVENTS))
    staged(log, ("b", "b", 2), ("a", "a", 1))
    assert log.supersede(EVENTS, "staged_events", 2, at(60)) == Superseded(kept=2, removed=0, added=0)
    assert (list(log.read(EVENTS)), log.generation(EVENTS)) == (before, 0)


def test_an_offset_that_was_taken_back_is_never_given_again(logs: LogFactory) -> None:
    log = logs.create()
    log.append(EVENTS, [record("a", origin=1), record("b", origin=1)], at(10))
    assert log.supersede(EVENTS, "staged_events", 1, at(60)) == Superseded(kept=0, removed=2, added=0)
    log = logs.reopen(log)
    assert (log.end(EVENTS), log.generation(EVENTS)) == (0, 1)
    log.append(EVENTS, [record("a")], at(3))
    assert [(each.offset, each.recorded) for each in log.read(EVENTS)] == [(3, at(10))]


def test_only_scratch_streams_can_be_discarded(log: EventLog) -> None:
    log.append(EVENTS, [record("a")], NOON)
    with pytest.raises(ValueError, match="scratch"):
        log.discard(EVENTS)
    with pytest.raises(ValueError, match="scratch"):
        log.supersede(EVENTS, EVENTS, 1, NOON)
    staged(log, ("x", "x", 1))
    log.discard("staged_events")
    log.discard("staged_events")
    assert (log.end("staged_events"), log.end(EVENTS)) == (0, 1)
