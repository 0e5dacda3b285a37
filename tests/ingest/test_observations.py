"""Tracked events become samples: what counts, what is left out and said, and what a crash or a correction leaves."""

from __future__ import annotations

import os
import shutil
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.observation_sqlite import store_for
from pipeline.ingest.observation_store import MemoryStore, Store
from pipeline.ingest.observations import CURSOR
from pipeline.ingest.translate import TranslateReport
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import EventLog
from pipeline.log.sqlite import SqliteLog
from tests.ingest.tracking import (
    COUNT,
    MEAN,
    RATE,
    RECORDED,
    START,
    Sums,
    Tool,
    declare,
    expected,
    holding,
    samples,
    seen,
    send,
    told,
    translator,
)

DAY = timedelta(days=1)
FUNNEL = [
    seen("1", "entered", "ann", 1, arm="a"),
    seen("2", "entered", "bob", 2, arm="b"),
    seen("3", "done", "ann", 3, kind="real"),
    seen("4", "done", "bob", 4, kind="trial"),
    seen("5", "entered", "eve", 30, arm="a"),
]


@pytest.fixture
def store(log: EventLog) -> Store:
    return store_for(log)


def rates(log: EventLog) -> dict[tuple[int, str | None], Sums]:
    """Return the samples of the only metric by day and variant."""
    return {((start - START).days, variant): sums for (_, start, variant), sums in told(log).items()}


#: What a run says that took in one delivery.
TAKEN = {("tool", "translated"): 1}


def test_a_unit_counts_on_the_day_of_its_first_event_and_under_its_variant(log: EventLog, store: Store) -> None:
    declare(log, "rate", RATE)
    send(log, FUNNEL)
    report = translator(log, store).run(RECORDED)
    assert report == TranslateReport(deliveries=1, observations=5, samples=5, outcomes=TAKEN)
    assert rates(log) == {
        (0, None): (2, 1.0, None),
        (0, "a"): (1, 1.0, None),
        (0, "b"): (1, 0.0, None),
        (1, None): (1, 0.0, None),
        (1, "a"): (1, 0.0, None),
    }
    first = holding(log)["urn:leadline:observed:tool", ("rate", START, None)]
    assert (first.subject, first.partitionkey, first.time) == ("rate/2026-03-02", "rate", START + timedelta(hours=3))
    assert translator(log, store).run(RECORDED) == TranslateReport()


@pytest.mark.parametrize(
    ("hours", "sums"),
    [(-0.001, 0.0), (0, 1.0), (47.999, 1.0), (48, 1.0), (48.001, 0.0)],
    ids=["had done it before", "at once", "in time", "at the last moment", "too late"],
)
def test_a_unit_succeeds_within_its_time_bounds_included(hours: float, sums: float) -> None:
    log = MemoryLog()
    declare(log, "rate", RATE)
    send(log, [seen("1", "entered", hours=24), seen("2", "done", hours=24 + hours, kind="real")])
    translator(log).run(RECORDED)
    assert rates(log) == {(1, None): (1, sums, None)}


def test_a_late_first_event_moves_its_unit_to_an_earlier_day(log: EventLog, store: Store) -> None:
    declare(log, "rate", RATE)
    send(log, [seen("1", "entered", hours=50)])
    translator(log, store).run(RECORDED)
    assert rates(log) == {(2, None): (1, 0.0, None)}
    send(log, [seen("2", "entered", hours=5), seen("3", "done", hours=6, kind="real")])
    assert translator(log, store).run(RECORDED).samples == 2
    assert rates(log) == {(0, None): (1, 1.0, None)}
    (emptied,) = [event.data for event in samples(log) if event.data.n == 0]  # type: ignore[attr-defined]
    assert (emptied.revision, emptied.total) == (2, 0.0)  # type: ignore[attr-defined]


def test_means_and_counts_take_each_event_once(log: EventLog, store: Store) -> None:
    declare(log, "amount", MEAN)
    declare(log, "acts", COUNT)
    send(
        log, [seen("1", "paid", amount=2.5), seen("1", "paid", amount=2.5), seen("2", "paid", amount="1.5e1", arm="a")]
    )
    translator(log, store).run(RECORDED)
    send(log, [seen("2", "paid", amount="1.5e1", arm="a"), seen("3", "done", "", 200)])
    translator(log, store).run(RECORDED)
    week = START + 7 * DAY
    assert told(log) == {
        ("amount", START, None): (2, 17.5, 231.25),
        ("acts", START, None): (2, 2.0, None),
        ("acts", START, "a"): (1, 1.0, None),
        ("acts", START + 8 * DAY, None): (1, 1.0, None),
    }
    (sample,) = [event.data for place, event in holding(log).items() if place[1][0] == "amount"]
    assert (sample.start, sample.end) == (START, week)  # type: ignore[attr-defined]


def test_a_count_may_sum_a_value(log: EventLog, store: Store) -> None:
    declare(log, "revenue", {"type": "count", "measure": {"event": "paid", "value": "amount"}})
    send(log, [seen("1", "paid", amount=2), seen("2", "paid", amount=0.5)])
    translator(log, store).run(RECORDED)
    assert told(log) == {("revenue", START, None): (2, 2.5, None)}


def test_what_cannot_be_used_is_counted_by_reason(log: EventLog, store: Store) -> None:
    declare(log, "rate", RATE)
    declare(log, "amount", MEAN)
    amounts = [None, "", "much", "nan", "1e999", True, 1e101, float(7)]
    batch = [seen(str(index), "paid", amount=amount) for index, amount in enumerate(amounts)]
    send(log, [*batch, seen("x", "entered", ""), seen("y", "entered", hours=24 * 500), seen("z", "nobody wants it")])
    report = translator(log, store).run(RECORDED)
    assert report.rejected == {"no_value": 2, "bad_value": 5, "no_unit": 1, "bad_time": 1}
    assert (report.observations, report.quarantined) == (11, {})
    assert told(log) == {("amount", START, None): (1, 7.0, 49.0)}
    kept = {each.metric: each.rejected for each in translator(log, store).observations.series()}
    assert kept == {"amount": {"no_value": 2, "bad_value": 5}, "rate": {"no_unit": 1}}


def test_what_is_older_than_a_metric_takes_is_late_and_said_so(log: EventLog, store: Store) -> None:
    declare(log, "acts", {**COUNT, "late": "10d"})
    send(log, [seen("new", "paid", hours=24 * 10), seen("old", "paid", hours=0), seen("older", "paid", hours=-0.001)])
    report = translator(log, store).run(RECORDED)
    assert report.late == {"acts": 1}
    assert sum(n for n, _, _ in told(log).values()) == 2
    (series,) = translator(log, store).observations.series()
    assert (series.accepted, series.late, series.watermark) == (2, 1, 1_773_273_600_000_000)


def test_what_nothing_can_change_any_more_is_forgotten_and_its_sample_stays(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.db")
    declare(log, "rate", {**RATE, "late": "10d"})
    for day in range(60):
        send(log, [seen(f"{day}-{each}", "entered", f"u{day}-{each}", 24 * day) for each in range(5)])
        translator(log).run(RECORDED)
    with log.transaction() as connection:
        (rows,) = connection.execute("SELECT count(*) FROM observed_rows").fetchone()
    assert rows == 5 * (10 + 2 + 1)
    assert rates(log) == {(day, None): (5, 0.0, None) for day in range(60)}
    log.close()


def test_a_unit_that_was_forgotten_enters_again(log: EventLog, store: Store) -> None:
    declare(log, "rate", {**RATE, "late": "10d"})
    for hours in (0, 24 * 12, 24 * 30):
        send(log, [seen(f"{hours}", "entered", hours=hours)])
    translator(log, store).run(RECORDED)
    assert rates(log) == {(0, None): (1, 0.0, None), (30, None): (1, 0.0, None)}


def test_a_unit_lasts_as_long_as_its_latest_event_however_late_an_earlier_one_comes(
    log: EventLog, store: Store
) -> None:
    declare(log, "rate", {**RATE, "late": "10d"})
    for day in (20, 15, 31):
        send(log, [seen(f"{day}", "entered", hours=24 * day)])
    translator(log, store).run(RECORDED)
    assert rates(log) == {(15, None): (1, 0.0, None)}


def test_each_connector_is_sampled_by_itself_and_only_if_the_metric_takes_it(log: EventLog, store: Store) -> None:
    declare(log, "acts", COUNT)
    declare(log, "amount", {**MEAN, "source": ["other"]})
    send(log, [seen("1", "paid", amount=1)])
    send(log, [seen("1", "paid", amount=1), seen("2", "paid", amount=2)], connector="other")
    translator(log, store, Tool(), Tool("other")).run(RECORDED)
    assert told(log) == {("acts", START, None): (1, 1.0, None)}
    assert told(log, "other") == {("acts", START, None): (2, 2.0, None), ("amount", START, None): (2, 3.0, 5.0)}


def test_without_a_metric_nothing_is_kept(log: EventLog, store: Store) -> None:
    send(log, FUNNEL)
    assert translator(log, store).run(RECORDED) == TranslateReport(deliveries=1, observations=5, outcomes=TAKEN)
    assert (samples(log), translator(log, store).observations.series()) == ([], [])


def test_a_changed_metric_goes_on_as_it_was_until_all_is_derived_anew(log: EventLog, store: Store) -> None:
    declare(log, "acts", COUNT)
    send(log, [seen("1", "paid"), seen("2", "done")])
    translator(log, store).run(RECORDED)
    changed: dict[str, Any] = {"type": "count", "measure": {"event": "paid"}}
    declare(log, "acts", changed, said=1)
    send(log, [seen("3", "done")])
    assert translator(log, store).run(RECORDED).outdated == ["acts"]
    assert rates(log) == {(0, None): (3, 3.0, None)}
    report = translator(log, store).retranslate(RECORDED)
    assert (report.applied, report.kept, report.removed, report.added) == (True, 0, 2, 1)
    assert rates(log) == {(0, None): (1, 1.0, None)}
    send(log, [seen("4", "done"), seen("5", "paid")])
    assert translator(log, store).run(RECORDED).outdated == []
    assert rates(log) == {(0, None): (2, 2.0, None)}


def test_a_new_metric_counts_from_its_declaration_and_a_withdrawn_one_stops(log: EventLog, store: Store) -> None:
    send(log, [seen("1", "paid")])
    translate = translator(log, store)
    translate.run(RECORDED)
    declare(log, "acts", COUNT)
    send(log, [seen("2", "paid")])
    translate.run(RECORDED)
    assert rates(log) == {(0, None): (1, 1.0, None)}
    translate.retranslate(RECORDED)
    assert rates(log) == {(0, None): (2, 2.0, None)}
    declare(log, "acts", None, said=9)
    send(log, [seen("3", "paid")])
    translate.run(RECORDED)
    assert rates(log) == {(0, None): (2, 2.0, None)}
    translate.retranslate(RECORDED)
    assert (told(log), translate.observations.series()) == ({}, [])


def test_a_corrected_connector_replaces_the_samples(log: EventLog, store: Store) -> None:
    declare(log, "acts", COUNT)
    send(log, [seen("1", "paid"), seen("2", "don")])
    translator(log, store, Tool(suffix="e")).run(RECORDED)
    assert rates(log) == {(0, None): (1, 1.0, None)}
    translator(log, store).retranslate(RECORDED)
    assert rates(log) == {(0, None): (1, 1.0, None)}
    assert [event.data.n for event in samples(log)] == [1]  # type: ignore[attr-defined]


def test_failures_that_are_not_accepted_leave_the_samples_alone(log: EventLog, store: Store) -> None:
    class Worse(Tool):
        def translate(self, delivery, context):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 - as the base
            if delivery.id.endswith("-1"):
                raise ZeroDivisionError("a bug")
            return super().translate(delivery, context)

    declare(log, "acts", COUNT)
    send(log, [seen("1", "paid")], [seen("2", "paid")])
    translator(log, store).run(RECORDED)
    before = samples(log)
    assert not translator(log, store, Worse()).retranslate(RECORDED).applied
    send(log, [seen("3", "paid")])
    translator(log, store).run(RECORDED)
    assert rates(log) == {(0, None): (3, 3.0, None)}
    assert samples(log)[: len(before)] == before
    assert translator(log, store, Worse()).retranslate(RECORDED, accept_failures=True).applied
    assert rates(log) == {(0, None): (2, 2.0, None)}


def test_deliveries_that_another_process_translates_meanwhile_are_counted_once(log: EventLog, store: Store) -> None:
    declare(log, "acts", COUNT)
    send(log, [seen("1", "paid")], [seen("2", "done")])
    translator(log, store).run(RECORDED)
    declare(log, "acts", {"type": "count", "measure": {"event": "paid"}}, said=1)

    def another(done: int, end: int) -> None:
        if (done, end) == (2, 2):
            send(log, [seen("3", "paid"), seen("4", "done")])
            translator(log, store).run(RECORDED)

    report = translator(log, store).retranslate(RECORDED, progress=another)
    assert (report.deliveries, rates(log)) == (3, {(0, None): (2, 2.0, None)})
    send(log, [seen("5", "paid")])
    translator(log, store).run(RECORDED)
    assert rates(log) == {(0, None): (3, 3.0, None)}


def test_what_was_added_before_the_cursor_moved_is_derived_anew_too(log: EventLog, store: Store) -> None:
    """A process that was killed between the two: its samples are of the old build, and must not outlive it."""
    declare(log, "acts", COUNT)
    send(log, [seen("1", "paid"), seen("2", "done")])
    translator(log, store).run(RECORDED)
    log.commit("translate", 0)
    assert log.cursor(CURSOR) == 1
    declare(log, "acts", {"type": "count", "measure": {"event": "paid"}}, said=1)
    translator(log, store).retranslate(RECORDED)
    translator(log, store).run(RECORDED)
    assert rates(log) == {(0, None): (1, 1.0, None)}


def test_a_replayed_delivery_is_counted(log: EventLog, store: Store) -> None:
    declare(log, "acts", COUNT)
    send(log, [seen("1", "paid")], connector="unknown")
    send(log, [seen("2", "paid")])
    assert translator(log, store).run(RECORDED).quarantined == {"unknown_connector": 1}
    report = translator(log, store, Tool(), Tool("unknown")).replay([1], RECORDED)
    assert (report.resolved, report.samples) == (1, 1)
    assert told(log, "unknown") == {("acts", START, None): (1, 1.0, None)}
    assert log.cursor(CURSOR) == 2


def _killed_at(path: Path, statement: int) -> bool:
    """Translate in another process, killed before its n-th SQL statement; return whether it came to that."""
    child = os.fork()
    if child == 0:
        left = iter(range(statement))

        def count(_: str) -> None:
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            log = SqliteLog(path)
            with log.transaction() as connection:
                connection.set_trace_callback(count)
            while translator(log).run(RECORDED, limit=1).deliveries:
                pass
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")
def test_a_process_that_is_killed_at_any_statement_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    """Two deliveries in two batches; each place between two statements in turn."""
    prepared = tmp_path / "prepared.db"
    log = SqliteLog(prepared)
    declare(log, "rate", RATE)
    batches = [FUNNEL[:4], [FUNNEL[3], FUNNEL[4], seen("6", "entered", "bob", 0)]]
    send(log, *batches)
    log.close()
    wanted = expected([each for batch in batches for each in batch], {"rate": RATE})
    places = 0
    while True:
        path = tmp_path / f"{places}.db"
        shutil.copy(prepared, path)
        killed = _killed_at(path, places)
        log = SqliteLog(path)
        translator(log).run(RECORDED)
        assert told(log) == wanted, f"killed before statement {places}"
        log.close()
        if not killed:
            break
        places += 1
    assert places > 40


def test_a_store_in_memory_keeps_nothing_of_a_transaction_that_fails() -> None:
    log, store = MemoryLog(), MemoryStore()
    declare(log, "acts", COUNT)
    send(log, [seen("1", "paid")])
    translator(log, store).run(RECORDED)
    (before,) = store.series()
    with pytest.raises(ZeroDivisionError):
        _fail_after_forgetting_all(store)
    assert store.series() == [before]


def _fail_after_forgetting_all(store: Store) -> None:
    with store.transaction() as tables:
        tables.publish(tables.stage())
        raise ZeroDivisionError
