from __future__ import annotations

import pytest

from pipeline.events.errors import ConfigError, Corrupt
from pipeline.ingest import deliveries
from pipeline.ingest.quarantine import MAX_DETAIL, QUARANTINE, Failure, Quarantine
from pipeline.log.protocol import EVENTS, EventLog, Record
from tests.ingest.fakes import NOON, Forge, at, delivery, translator


def failure(offset: int, reason: str = "bad_json", connector: str = "forge", detail: str = "x") -> Failure:
    return Failure(delivery=offset, connector=connector, kind="changes", reason=reason, detail=detail)


def states(quarantine: Quarantine) -> list[tuple[int, str]]:
    return [(entry.failure.delivery, entry.state) for entry in quarantine.entries(None)]


def test_entries_are_counted_listed_and_found(log: EventLog) -> None:
    quarantine = Quarantine(log)
    told = [failure(3), failure(1, connector="jira"), failure(2, "bad_time"), failure(9)]
    quarantine.settle(told, [], at(5))
    assert quarantine.counts() == {("forge", "bad_json"): 2, ("jira", "bad_json"): 1, ("forge", "bad_time"): 1}
    assert [each.failure.delivery for each in quarantine.entries()] == [1, 2, 3, 9]
    assert [each.failure.delivery for each in quarantine.entries(connector="forge", reason="bad_json")] == [3, 9]
    entry = quarantine.entry(3)
    assert entry is not None
    assert (entry.failure, entry.state, entry.recorded, entry.note) == (failure(3), "open", at(5), "")
    assert quarantine.entry(4) is None


def test_the_same_failure_again_changes_nothing_and_another_reason_replaces_it(log: EventLog) -> None:
    quarantine = Quarantine(log)
    for _ in range(3):
        quarantine.settle([failure(1)], [], NOON)
    assert log.stat(QUARANTINE).records == 1
    quarantine.settle([failure(1, "missing_field")], [], NOON)
    assert quarantine.counts() == {("forge", "missing_field"): 1}


def test_an_entry_can_be_resolved_and_fail_again(log: EventLog) -> None:
    quarantine = Quarantine(log)
    quarantine.settle([failure(1), failure(2)], [], NOON)
    assert quarantine.settle([], [1, 7], NOON) == 1
    assert states(quarantine) == [(1, "resolved"), (2, "open")]
    assert quarantine.settle([], [1], NOON) == 0
    quarantine.settle([failure(1)], [], NOON)
    assert states(quarantine) == [(1, "open"), (2, "open")]


def test_dropping_needs_a_reason_and_an_open_entry_and_keeps_the_entry(log: EventLog) -> None:
    quarantine = Quarantine(log)
    quarantine.settle([failure(1), failure(2)], [], NOON)
    with pytest.raises(ConfigError, match="reason is needed"):
        quarantine.drop([1], "  ", NOON)
    with pytest.raises(ConfigError, match="delivery 5 is not open"):
        quarantine.drop([1, 5], "spam", NOON)
    assert quarantine.drop([1, 1], "sent by a test ", at(1)) == 1
    assert states(quarantine) == [(1, "dropped"), (2, "open")]
    entry = quarantine.entry(1)
    assert entry is not None
    assert (entry.note, entry.recorded) == ("sent by a test", at(1))
    assert quarantine.counts() == {("forge", "bad_json"): 1}


def test_two_objects_see_each_others_marks(log: EventLog) -> None:
    one, other = Quarantine(log), Quarantine(log)
    one.settle([failure(1), failure(2)], [], NOON)
    other.drop([1], "spam", NOON)
    one.settle([], [2], NOON)
    assert states(one) == states(other) == states(Quarantine(log)) == [(1, "dropped"), (2, "resolved")]


def test_a_long_detail_is_cut_once(log: EventLog) -> None:
    quarantine = Quarantine(log)
    for _ in range(2):
        quarantine.settle([failure(1, detail="y" * 10 * MAX_DETAIL)], [], NOON)
    (entry,) = quarantine.entries()
    assert len(entry.failure.detail) == MAX_DETAIL + 4
    assert log.stat(QUARANTINE).records == 1


def test_marks_that_cannot_be_read_are_corruption(log: EventLog) -> None:
    log.append(QUARANTINE, [Record(source=QUARANTINE, id="1/1", key="forge", time=NOON, value=b"{}")], NOON)
    with pytest.raises(Corrupt, match="no mark"):
        Quarantine(log).counts()


def test_replay_after_a_fix_adds_the_events_and_resolves_the_entries(log: EventLog) -> None:
    told = [delivery("d1", "c1"), delivery("d2", "c2", "c3"), delivery("d3", body=b"junk"), delivery("d4", "c4")]
    deliveries.store(log, told, NOON)
    translator(log, Forge(broken=frozenset({"c3", "c4"}))).run(NOON)
    fixed = translator(log, Forge(broken=frozenset({"c4"})))
    seen: list[tuple[int, int]] = []
    offsets = [entry.failure.delivery for entry in fixed.quarantine.entries()]
    report = fixed.replay(offsets, at(60), progress=lambda done, end: seen.append((done, end)))
    assert (report.deliveries, report.events, report.resolved, seen) == (3, 2, 1, [(3, 3)])
    assert report.quarantined == {"bad_json": 1, "missing_field": 1}
    assert states(fixed.quarantine) == [(offsets[0], "resolved"), (offsets[1], "open"), (offsets[2], "open")]
    assert [(each.origin, each.recorded) for each in log.read(EVENTS)][1:] == [(offsets[0], at(60))] * 2
    assert fixed.replay(offsets[:1], at(70)).duplicates == 2


def test_a_dropped_delivery_can_still_be_replayed_when_asked_for(log: EventLog) -> None:
    deliveries.store(log, [delivery("d1", "c1")], NOON)
    translator(log, Forge(broken=frozenset({"c1"}))).run(NOON)
    fixed = translator(log, Forge())
    fixed.quarantine.drop([1], "not needed", NOON)
    assert fixed.replay([1], NOON).resolved == 1
    assert states(fixed.quarantine) == [(1, "resolved")]
