"""The embedded engine: restarts continue, a changed contract begins again, and unreadable events stay in the log."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from copy import copy
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.embedded import Engine
from pipeline.engine.sqlite_store import SqliteStore
from pipeline.engine.store import MemoryStore
from pipeline.events.envelope import Event
from pipeline.facts.rows import FACTS
from pipeline.facts.state import State
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import EVENTS, STAGED_PREFIX, EventLog, Record, event_record
from pipeline.log.sqlite import SqliteLog
from tests.simulation.folding import RESULTS, fold, results
from tests.simulation.stories import STORIES
from tests.simulation.story import committed, deployed, initiative, opened, seen, service, ticket_seen
from tests.simulation.strategies import histories

RECORDED = datetime(2026, 6, 1, tzinfo=UTC)


def append(log: EventLog, events: Iterable[Event]) -> None:
    log.append(EVENTS, [event_record(event) for event in events], RECORDED)


def tables(state: State) -> dict[str, dict[str, bytes]]:
    """Return the committed results of an engine."""
    for kind, fact in FACTS.items():
        state.table(f"fact_{kind}", fact)
    return {name: dict(found) for name, found in results(state).items()}


@given(histories(), st.integers(1, 30), st.integers(1, 30))
def test_stopping_and_going_on_anywhere_equals_one_run(events: list[Event], batch: int, stop: int) -> None:
    log = MemoryLog()
    append(log, events)
    store = MemoryStore()
    Engine(log, store, batch=batch, commit_every=batch * 2).run(limit=stop)
    resumed = Engine(log, store, batch=batch, commit_every=batch * 3)
    resumed.run()
    assert resumed.position == log.end(EVENTS)
    assert tables(resumed.state) == results(fold(events))


@given(histories(), st.integers(1, 30))
def test_a_crash_between_two_commits_loses_and_doubles_nothing(events: list[Event], batch: int) -> None:
    log = MemoryLog()
    append(log, events)
    store = MemoryStore()
    crashing = Engine(log, store, batch=batch, commit_every=10**9)
    while crashing._step(report := msgspec.convert({}, type(crashing.run(limit=0))), None):
        assert report.commits == 0
    resumed = Engine(log, store, batch=batch)
    resumed.run()
    assert tables(resumed.state) == results(fold(events))


def test_the_contract_may_come_last() -> None:
    telemetry = [committed("c1", "01 09:00"), deployed("01 10:00", "d1", "c1"), opened("02 09:00", 1)]
    declared = [service("shop"), initiative("faster", tracks={"jira": [{"epic": "GROW-1"}]})]
    early, late = MemoryLog(), MemoryLog()
    append(early, [*declared, *telemetry])
    first, second = Engine(early, MemoryStore()), Engine(late, MemoryStore(), batch=2)
    first.run()
    append(late, telemetry)
    assert second.run().restarts == 0
    append(late, declared)
    assert second.run().restarts >= 1
    assert tables(first.state) == tables(second.state)


def test_on_a_first_run_no_declaration_makes_it_begin_again() -> None:
    log = MemoryLog()
    for day in ("01", "02", "03"):
        append(
            log, [committed(f"c{day}", f"{day} 09:00"), service(f"s{day}", at=f"{day} 10:00", repos=[f"acme/{day}"])]
        )
    assert Engine(log, MemoryStore(), batch=1).run().restarts == 0


def test_writing_the_contract_does_not_move_as_of() -> None:
    log = MemoryLog()
    append(log, [opened("02 09:00", 1), service("shop", at="20 09:00")])
    engine = Engine(log, MemoryStore())
    engine.run()
    assert engine.as_of() == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_without_an_event_that_counts_there_is_no_as_of() -> None:
    log = MemoryLog()
    append(log, [service("shop")])
    engine = Engine(log, MemoryStore())
    engine.run()
    assert engine.as_of() is None


def test_a_change_of_words_alone_does_not_begin_again() -> None:
    log = MemoryLog()
    append(log, [initiative("faster"), committed("c1", "01 09:00")])
    engine = Engine(log, MemoryStore())
    engine.run()
    append(log, [initiative("faster", at="05 00:00", assumptions=[{"id": "a1", "text": "people care"}])])
    assert engine.run().restarts == 0


def test_a_late_link_reattributes_what_hangs_below_it() -> None:
    log = MemoryLog()
    append(log, [service("shop"), initiative("faster", tracks={"jira": [{"epic": "GROW-1"}]})])
    append(log, [opened("02 09:00", 1), seen("02 09:00", 1, title="GROW-7 start faster")])
    engine = Engine(log, MemoryStore())
    engine.run()
    table = engine.state.table("fact_change", FACTS["change"])
    before = table.get("acme/shop#1")
    append(log, [ticket_seen("20 09:00", "GROW-7", "GROW-5"), ticket_seen("21 09:00", "GROW-5", "GROW-1")])
    assert engine.run().restarts == 0
    after = engine.state.table("fact_change", FACTS["change"]).get("acme/shop#1")
    assert before is not None
    assert after is not None
    assert getattr(before, "initiative") is None  # noqa: B009 - the table is of any fact
    assert getattr(after, "initiative") == "faster"  # noqa: B009 - as above
    assert getattr(after, "evidence") == "GROW-7 > GROW-5 > GROW-1"  # noqa: B009 - as above


def test_an_event_of_a_newer_release_is_parked_and_the_rest_goes_on() -> None:
    log = MemoryLog()
    unknown = msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": "1",
            "source": "urn:future",
            "type": "dev.cdevents.portal.opened.9.0.0",
            "time": "2026-03-01T00:00:00Z",
            "data": {},
        }
    )
    log.append(EVENTS, [Record(source="urn:future", id="1", key="k", time=RECORDED, value=unknown)], RECORDED)
    append(log, [opened("02 09:00", 1)])
    engine = Engine(log, MemoryStore())
    report = engine.run()
    assert (report.events, report.parked) == (2, 1)
    assert engine.state.table("fact_change", FACTS["change"]).get("acme/shop#1") is not None


def test_as_of_is_the_latest_event_that_is_not_from_the_future() -> None:
    log = MemoryLog()
    append(log, [opened("02 09:00", 1), opened("03 09:00", 2)])
    ahead = opened("04 09:00", 3)
    log.append(EVENTS, [event_record(msgspec.structs.replace(ahead, time=datetime(2031, 1, 1, tzinfo=UTC)))], RECORDED)
    engine = Engine(log, MemoryStore())
    assert engine.as_of() is None
    engine.run()
    assert engine.as_of() == datetime(2026, 3, 3, 9, tzinfo=UTC)


@given(histories(), st.integers(1, 20), st.integers(1, 20))
def test_two_engines_on_one_log_do_not_mix_their_state(events: list[Event], one: int, other: int) -> None:
    log = MemoryLog()
    append(log, events)
    store = MemoryStore()
    first, second = (Engine(log, store, batch=size, commit_every=size) for size in (one, other))
    first.run(limit=one)
    second.run(limit=other)
    first.run()
    second.run()
    assert tables(Engine(log, store).state) == results(fold(events))


def test_events_that_are_taken_back_while_they_are_folded_are_noticed_by_the_next_run() -> None:
    log = MemoryLog()
    told = [opened(f"02 09:{number:02}", number) for number in range(12)]
    log.append(EVENTS, [event_record(event, origin=1) for event in told], RECORDED)

    def take_back(_: int, __: int) -> None:
        if log.generation(EVENTS) == 0:
            log.supersede(EVENTS, STAGED_PREFIX + EVENTS, 1, RECORDED)

    engine = Engine(log, MemoryStore(), batch=4)
    engine.run(progress=take_back)
    assert engine.run().restarts == 1
    assert dict(engine.state.table("fact_change", FACTS["change"]).items()) == {}


def test_state_that_another_release_derived_is_derived_anew() -> None:
    log = MemoryLog()
    append(log, [opened("02 09:00", 1)])
    store = MemoryStore()
    Engine(log, store).run()
    store.commit({"fact_change": [("acme/shop#1", None)]}, {"derivation": "0"})
    engine = Engine(log, store)
    assert engine.run().restarts == 1
    assert engine.state.table("fact_change", FACTS["change"]).get("acme/shop#1") is not None


def test_the_present_state_holds_until_the_new_one_is_whole() -> None:
    log = MemoryLog()
    append(log, [opened(f"02 09:{number:02}", number) for number in range(20)])
    store = MemoryStore()
    Engine(log, store).run()
    seen: list[int] = []

    def look(_: int, __: int) -> None:
        reader = Engine(log, copy(store))
        reader._store.refresh()
        seen.append(len(list(reader._store.scan("fact_change"))))

    Engine(log, store, batch=5, commit_every=5).rebuild(progress=look)
    assert seen
    assert set(seen) == {20}


def test_a_rebuild_that_was_killed_is_gone_on_with() -> None:
    log = MemoryLog()
    append(log, [opened(f"02 09:{number:02}", number) for number in range(20)])
    store = MemoryStore()
    Engine(log, store).run()
    store.commit({}, {"derivation": "0"})
    stopped = Engine(log, store, batch=5, commit_every=5)
    stopped.run(limit=10)
    store.refresh()
    resumed = Engine(log, store, batch=5, commit_every=5)
    report = resumed.run()
    assert (report.restarts, report.events) == (1, 10)
    assert resumed.position == log.end(EVENTS)


def test_rebuild_equals_what_was_there() -> None:
    log = MemoryLog()
    append(log, [event for story in STORIES[:12] for event in story.events])
    engine = Engine(log, MemoryStore(), batch=7, commit_every=21)
    engine.run()
    before = tables(engine.state)
    engine.rebuild()
    assert tables(engine.state) == before


_KILLED = """
import os, sys
from pathlib import Path
from pipeline.engine.embedded import Engine
from pipeline.engine.sqlite_store import SqliteStore
from pipeline.log.sqlite import SqliteLog
path = Path(sys.argv[1])
engine = Engine(SqliteLog(path), SqliteStore(path), batch=5, commit_every=int(sys.argv[2]))
engine.run(progress=lambda reached, end: os.kill(os.getpid(), 9) if reached >= int(sys.argv[3]) else None)
"""


@pytest.mark.parametrize(("commit_every", "reached"), [(5, 7), (20, 33), (1000, 40)])
def test_kill_nine_at_any_point_then_a_restart_gives_the_undisturbed_results(
    tmp_path: Path, commit_every: int, reached: int
) -> None:
    events: Sequence[Event] = [event for story in STORIES[:8] for event in story.events]
    path = tmp_path / "leadline.db"
    log = SqliteLog(path)
    append(log, events)
    log.close()
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(path), str(commit_every), str(reached)],
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert killed.returncode == -9
    engine = Engine(SqliteLog(path), SqliteStore(path))
    engine.run()
    deduplicated = list({(event.source, event.id): event for event in events}.values())
    assert tables(engine.state) == results(fold(deduplicated))
    assert set(tables(engine.state)) == set(RESULTS)
