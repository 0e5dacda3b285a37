"""The embedded engine: one process follows the log and keeps state, cursor and metrics committed together."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.engine.core import Fold
from pipeline.engine.store import Store
from pipeline.events.codec import decode
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.times import from_us, to_us
from pipeline.events.types import ContractDeclared
from pipeline.facts.state import State
from pipeline.log.protocol import EVENTS, EventLog

#: Events that are folded before state is written. A crash costs at most this much work; a page of the
#: database that several events touch is written once.
COMMIT_EVERY = 100_000
#: Events that are decoded and folded at once, which bounds memory.
BATCH = 10_000
#: Decoded state objects that may stay in memory between two commits, of all tables together.
KEEP_OBJECTS = 300_000

Progress = Callable[[int, int], None]


class Declaration(msgspec.Struct, array_like=True):
    """A declared object of the contract, kept so that a contract can be compiled without reading the log again."""

    time: int
    data: ContractDeclared


class Parked(msgspec.Struct, array_like=True):
    """An event in the log that this release cannot read. It stays in the log; a newer release folds it."""

    reason: str
    detail: str


class RunReport(msgspec.Struct):
    """What a run did: events folded, commits made, how often a changed contract made it begin again."""

    events: int = 0
    commits: int = 0
    revisions: int = 0
    restarts: int = 0
    parked: int = 0


class Engine:
    """Follows the events stream from its cursor.

    `run` folds what is there and returns. Facts depend on the whole contract, so an event that changes what the
    contract derives makes the engine begin again from the first event, with the new contract in force from the start:
    the order in which contract and telemetry arrive does not matter. A change of words alone does not.
    """

    def __init__(self, log: EventLog, store: Store, *, commit_every: int = COMMIT_EVERY, batch: int = BATCH) -> None:
        self._log = log
        self._store = store
        self._commit_every = commit_every
        self._batch = batch
        self._open()

    @property
    def contract(self) -> Contract:
        return self._contract

    @property
    def state(self) -> State:
        return self._state

    @property
    def position(self) -> int:
        """The offset of the last event whose effects are committed."""
        return self._cursor

    def run(self, limit: int | None = None, progress: Progress | None = None) -> RunReport:
        """Fold the events after the cursor, up to `limit` of them, and commit.

        `progress` is called with (offset reached, last offset of the log) after each batch.
        """
        report = RunReport()
        end = self._log.end(EVENTS)
        if self._generation != self._log.generation(EVENTS):
            report.restarts += 1
            self._begin_again()
        with _without_collector():
            while (limit is None or report.events < limit) and self._step(report, limit):
                if progress is not None:
                    progress(self._reached, end)
            self._commit(report)
        if report.events > self._batch:
            self._store.checkpoint()
        return report

    def rebuild(self, progress: Progress | None = None) -> RunReport:
        """Forget all derived state and fold the log again from its first event."""
        self._begin_again()
        return self.run(progress=progress)

    def as_of(self) -> datetime | None:
        """Return the latest event time folded that is not later than its recording; None before the first event."""
        seen = self._store.mark("as_of")
        return None if seen is None else from_us(int(seen))

    def _open(self) -> None:
        self._cursor = self._reached = int(self._store.mark("cursor") or 0)
        self._as_of = int(self._store.mark("as_of") or 0)
        told = self._store.mark("generation")
        #: Of the events stream: another one means that events were taken back, which voids what was folded from them.
        self._generation = self._log.generation(EVENTS) if told is None else int(told)
        self._state = State(self._store)
        self._declarations = self._state.table("declaration", Declaration)
        self._parked = self._state.table("parked", Parked)
        self._pending = 0
        self._contract = self._compiled()
        self._fold = Fold(self._state, self._contract)

    def _compiled(self) -> Contract:
        return Contract.compile((found.time, key, found.data) for key, found in self._declarations.items())

    def _step(self, report: RunReport, limit: int | None) -> bool:
        """Fold one batch; False when there is none."""
        size = self._batch if limit is None else min(self._batch, limit - report.events)
        rows = self._log.read_values(EVENTS, self._reached, size)
        if not rows:
            return False
        events = self._decoded(rows, report)
        if self._declare(events):
            report.restarts += 1
            report.events = report.revisions = 0
            self._begin_again()
            return True
        report.revisions += len(self._fold.apply(events))
        self._reached = rows[-1][0]
        report.events += len(rows)
        self._pending += len(rows)
        if self._pending >= self._commit_every:
            self._commit(report)
        return True

    def _decoded(self, rows: Sequence[tuple[int, int, bytes]], report: RunReport) -> list[Event]:
        events: list[Event] = []
        latest = self._as_of
        for offset, recorded, value in rows:
            try:
                event = decode(value)
            except Quarantined as error:
                self._parked.put(f"{offset:020d}", Parked(reason=error.reason, detail=error.detail))
                report.parked += 1
                continue
            at = to_us(event.time)
            if latest < at <= recorded:
                latest = at
            events.append(event)
        self._as_of = latest
        return events

    def _declare(self, events: Sequence[Event]) -> bool:
        """Take in declarations; True if they change what facts are derived with."""
        new = False
        for event in events:
            if type(event.data) is ContractDeclared:
                key = f"{event.source}|{event.id}"
                if self._declarations.get(key) is None:
                    self._declarations.put(key, Declaration(time=to_us(event.time), data=event.data))
                    new = True
        if not new:
            return False
        contract = self._compiled()
        return contract.fingerprint != self._contract.fingerprint

    def _begin_again(self) -> None:
        """Keep the declarations, drop everything derived, and go back to the first event."""
        declared = {"declaration": self._declarations.drain()}
        self._store.commit(declared, {})
        self._store.clear(keep=("declaration",))
        self._open()

    def _commit(self, report: RunReport) -> None:
        tables = self._state.tables
        changes = {name: rows for name, table in tables.items() if (rows := table.drain())}
        if not changes and self._reached == self._cursor:
            return
        marks = {
            "cursor": str(self._reached),
            "as_of": str(self._as_of),
            "contract": self._contract.fingerprint,
            "generation": str(self._generation),
        }
        self._store.commit(changes, marks)
        self._cursor = self._reached
        self._pending = 0
        report.commits += 1
        if sum(len(table) for table in tables.values()) > KEEP_OBJECTS:
            for table in tables.values():
                table.forget()


@contextmanager
def _without_collector() -> Iterator[None]:
    """State objects form no cycles; looking for some in half a million of them takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
