"""Replay, cost per event, and one new deployment in a long history."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import msgspec

from pipeline.audit.load import load_events, scratch
from pipeline.audit.recompute import recompute_facts, recompute_metrics
from pipeline.cli.simulate import append
from pipeline.engine.embedded import BATCH, COMMIT_EVERY, Engine
from pipeline.engine.sqlite_store import SqliteStore
from pipeline.events.codec import decode
from pipeline.events.envelope import Event
from pipeline.events.ids import event_id
from pipeline.events.types import DeploymentEvent
from pipeline.facts.rows import DeploymentFact
from pipeline.facts.state import State
from pipeline.log.protocol import EVENTS, event_record
from pipeline.log.sqlite import SqliteLog
from pipeline.metrics.windows import read_metrics
from pipeline.simulate.declarations import contract_events
from pipeline.simulate.organisation import entries, organisation
from pipeline.simulate.plan import Plan
from tests.benchmarks.report import Line

#: How much longer the history is at the end than for the replay.
GROWTH = 2.1


class Bumped(msgspec.Struct, array_like=True):
    """The object of the baseline: about 100 bytes encoded."""

    count: int = 0
    padding: str = "." * 90


def run(events: int) -> Iterator[Line]:
    """Yield the lines. `events` is the length of the history in which replay and the new deployment are measured."""
    total = int(events * GROWTH)
    plan = Plan(seed=1, days=max(90, total // 1_500), teams=20, events=int(total * 1.1))
    simulated = entries(chain(contract_events(plan), organisation(plan)))
    with tempfile.TemporaryDirectory(prefix="leadline-bench-") as folder:
        path = Path(folder) / "leadline.db"
        log = SqliteLog(path)
        append(log, islice(simulated, events))
        bare = _bare_loop(log, Path(folder) / "bare.db")
        engine = Engine(log, SqliteStore(path))
        marks = _Marks()
        engine.run(progress=marks)
        yield Line(
            "replay_vs_bare_loop", bare / marks.elapsed(), "", 0.25, note=f"{events / marks.elapsed():,.0f} events/s"
        )
        yield _new_deployment(log, engine)
        append(log, simulated)
        engine.run(progress=marks)
        early = marks.cost(events // 10, events // 5)
        late = marks.cost(2 * events, total)
        yield Line("cost_at_long_history", late / early, "", 1.25, at_most=True, note=f"{late * 1e6:.1f} us/event")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Line("peak_memory", peak, "MB", note="whole run, DuckDB's recomputation included")
    yield Line("peak_memory_of_replay", marks.peak, "MB", note=f"to {events:,} events")


class _Marks:
    """When which offset was reached; the sum of the times of all runs, without what happened between them."""

    def __init__(self) -> None:
        self._reached: list[tuple[int, float]] = []
        self._last: float | None = None
        self._spent = 0.0
        self.peak = 0.0

    def __call__(self, reached: int, end: int) -> None:
        now = time.perf_counter()
        first = self._last is None or reached <= BATCH
        self._spent += 0.0 if first or self._last is None else now - self._last
        self._last = now
        self._reached.append((reached, self._spent))
        if reached == end:
            self._last = None
            self.peak = self.peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def elapsed(self) -> float:
        """Seconds from the first batch to the last, scaled to all of them."""
        (first, start), (last, end) = self._reached[0], self._reached[-1]
        return (end - start) * last / (last - first)

    def cost(self, since: int, until: int) -> float:
        """Seconds an event between two offsets."""
        inside = [mark for mark in self._reached if since <= mark[0] <= until]
        return (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])


def _bare_loop(log: SqliteLog, path: Path) -> float:
    """Return the seconds of the baseline: read, decode, load, bump and store one object an event; same batches."""
    store = SqliteStore(path)
    table = (state := State(store)).table("bumped", Bumped)
    started = time.perf_counter()
    offset = pending = 0
    while rows := log.read_values(EVENTS, offset, BATCH):
        decoded = [decode(value) for _, _, value in rows]
        table.prefetch([event.subject for event in decoded])
        for event in decoded:
            found = table.get(event.subject) or Bumped()
            found.count += 1
            table.put(event.subject, found)
        offset, pending = rows[-1][0], pending + len(rows)
        if pending >= COMMIT_EVERY:
            store.commit({table.name: table.drain()}, {"cursor": str(offset)})
            state.tables[table.name].forget()
            pending = 0
    store.commit({table.name: table.drain()}, {"cursor": str(offset)})
    return time.perf_counter() - started


def _new_deployment(log: SqliteLog, engine: Engine) -> Line:
    """One deployment arrives in a long history: until the metrics show it, against computing them anew in DuckDB."""
    delivered = (
        fact
        for _, fact in engine.state.table("fact_deployment", DeploymentFact).items()
        if fact.production and fact.outcome == "success"
    )
    last = max(delivered, key=lambda fact: (fact.finished_at or 0, fact.id))
    as_of = engine.as_of()
    assert as_of is not None
    data = DeploymentEvent(
        deployment="bench", environment=last.environment, repo=last.repo, sha=last.sha, service=last.service
    )
    event = Event(
        id=event_id("bench"),
        source=last.source,
        type=DeploymentEvent.TYPES[0],
        time=as_of,
        subject="bench",
        partitionkey=last.service,
        data=data,
    )
    before = {point for point in read_metrics(engine.state, as_of, latest=as_of) if point.scope == last.service}
    started = time.perf_counter()
    log.append(EVENTS, [event_record(event)], as_of)
    engine.run()
    after = set(read_metrics(engine.state, as_of, latest=as_of, scopes=[("service", last.service)]))
    seen = time.perf_counter() - started
    if not after - before:
        raise AssertionError("the new deployment does not show in the metrics")
    started = time.perf_counter()
    with scratch() as connection:
        load_events(connection, log)
        recompute_facts(connection)
        recompute_metrics(connection, as_of)
    anew = time.perf_counter() - started
    return Line("new_deployment_vs_duckdb", anew / seen, "x", 100, note=f"{seen * 1000:.1f} ms against {anew:.1f} s")
