"""Tickets and dependencies: the rate beside that of the spine, memory, and an epic that moves with all below it."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

from pipeline.cli.simulate import append
from pipeline.engine.embedded import Engine
from pipeline.engine.sqlite_store import SqliteStore
from pipeline.events.envelope import Event
from pipeline.events.times import SECOND_US, to_us
from pipeline.events.types import ContractDeclared, DependencyEvent, Payload, TicketCreated, TicketMoved, TicketUpdated
from pipeline.facts.rows import TicketFact
from pipeline.log.sqlite import SqliteLog
from pipeline.simulate.declarations import DECLARED, contract_events
from pipeline.simulate.organisation import entries, organisation
from pipeline.simulate.plan import Plan
from pipeline.simulate.telling import TRACKER, tell
from tests.benchmarks.report import Line

_START = to_us(datetime(2026, 1, 5, tzinfo=UTC))
_HOUR = 3600 * SECOND_US
_TEAMS = 40
#: Events that tell the life of one item, and how many items there are to an edge.
_EVENTS_OF_ITEM, _ITEMS_OF_EDGE = 5, 5
_DESCENDANTS = 10_000
_CREATED, _SEEN, _MOVED = TicketCreated.TYPES[0], TicketUpdated.TYPES[0], TicketMoved.TYPES[0]
_ADDED = DependencyEvent.TYPES[0]
_STATUSES = {"To Do": "ready", "In Progress": "in_progress", "Blocked": "blocked", "Done": "done"}


def run(events: int) -> Iterator[Line]:
    """Yield the lines: `events` ticket events, of a fifth as many items and a twenty-fifth as many edges."""
    with tempfile.TemporaryDirectory(prefix="leadline-bench-") as folder:
        spine = _spine_rate(Path(folder) / "spine.db", events // 4)
        path = Path(folder) / "tickets.db"
        log = SqliteLog(path)
        engine = Engine(log, SqliteStore(path))
        append(log, entries(chain(_contract(), _histories(events // _EVENTS_OF_ITEM))))
        rate = _rate(engine)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield Line("tickets_vs_spine", rate / spine, "", 0.5, note=f"{rate:,.0f} events/s")
        yield Line("peak_memory_of_tickets", peak, "MB", note=f"to {events:,} events; the benchmarks before included")
        yield _moved_epic(log, engine, events)


def _spine_rate(path: Path, events: int) -> float:
    plan = Plan(seed=1, days=max(90, events // 1_500), teams=20, events=int(events * 1.1))
    log = SqliteLog(path)
    append(log, islice(entries(chain(contract_events(plan), organisation(plan))), events))
    return _rate(Engine(log, SqliteStore(path)))


def _rate(engine: Engine) -> float:
    started = time.perf_counter()
    report = engine.run()
    return report.events / (time.perf_counter() - started)


def _contract() -> Iterator[Event]:
    words = {"tracker": "tracker", "map": _STATUSES, "types": {"Story": "story"}}
    yield _declared("StatusMap", "tracker", words)
    for number in range(_TEAMS):
        yield _declared("Team", f"team-{number}", {"aliases": [f"T{number}"]})
    for name, epic in (("here", "E-1"), ("there", "E-2")):
        yield _declared("Initiative", name, {"stage": "bet", "tracks": {"jira": [{"epic": epic}]}})


def _declared(kind: Literal["Initiative", "Team", "StatusMap"], name: str, spec: dict[str, Any]) -> Event:
    return tell(DECLARED, _START, ContractDeclared(kind=kind, name=name, spec=spec))


def _key(item: int) -> str:
    return f"T{item % _TEAMS}-{item}"


def _parent(item: int) -> str | None:
    return "E-0" if item < _DESCENDANTS else None


def _histories(items: int) -> Iterator[Event]:
    """Yield the lives of all items in event-time order: an item begins each minute and is done in five days."""
    edges = range(0, items, _ITEMS_OF_EDGE)
    moments: Iterable[tuple[int, int, int]] = sorted(
        chain(
            ((item * 60 * SECOND_US + step * 29 * _HOUR, item, step) for item in range(items) for step in range(4)),
            ((item * 60 * SECOND_US + 30 * _HOUR, item, 4) for item in edges),
            ((item * 60 * SECOND_US + 40 * _HOUR, item, 5) for item in range(items) if item % _ITEMS_OF_EDGE),
        )
    )
    for offset, item, step in moments:
        yield _told(_START + offset, item, step)


def _told(at: int, item: int, step: int) -> Event:
    key, project = _key(item), f"T{item % _TEAMS}"
    payload: Payload
    match step:
        case 0:
            payload, kind = TicketCreated(tracker=TRACKER, ticket=key, project=project), _CREATED
        case 1 | 3:
            status = "In Progress" if step == 1 else "Done"
            payload, kind = TicketMoved(tracker=TRACKER, ticket=key, to_status=status), _MOVED
        case 4:
            payload, kind = DependencyEvent(tracker=TRACKER, ticket=key, blocked_by=_key(max(item - 7, 0))), _ADDED
        case _:
            payload = TicketUpdated(
                tracker=TRACKER,
                ticket=key,
                project=project,
                title="A story",
                kind="Story",
                status="In Progress",
                parent=_parent(item),
            )
            kind = _SEEN
    return tell(kind, at, payload)


def _moved_epic(log: SqliteLog, engine: Engine, events: int) -> Line:
    """An epic with many descendants goes to another initiative: until all of them are attributed anew."""
    latest = engine.as_of()
    assert latest is not None
    at = to_us(latest)
    took = 0.0
    for offset, parent in ((1, "E-1"), (2, "E-2")):
        moved = TicketUpdated(tracker=TRACKER, ticket="E-0", project="E", kind="Epic", status="To Do", parent=parent)
        append(log, entries([tell(_SEEN, at + offset, moved)]))
        started = time.perf_counter()
        engine.run()
        took = time.perf_counter() - started
    found = engine.state.table("fact_ticket", TicketFact)
    moved_with_it = sum(fact.initiative == "there" for _, fact in found.items())
    expected = min(_DESCENDANTS, events // _EVENTS_OF_ITEM) + 1
    if moved_with_it != expected:
        raise AssertionError(f"{moved_with_it} tickets serve the new initiative, expected {expected}")
    return Line("epic_moved", took, "s", 1, at_most=True, note=f"{moved_with_it:,} tickets")
