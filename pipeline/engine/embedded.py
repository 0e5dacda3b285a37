"""The embedded engine: one process follows the log and keeps state, cursor and metrics committed together."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.engine.core import DERIVATION, Fold
from pipeline.engine.store import Overtaken, Store
from pipeline.events.codec import decode
from pipeline.events.coordination import GateEvaluated
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.times import from_us, to_us
from pipeline.events.types import ContractDeclared
from pipeline.facts.state import State, Table
from pipeline.log.declarations import declarations
from pipeline.log.protocol import EVENTS, EventLog

#: Events that are folded before state is written. A crash costs at most this much work; a page of the
#: database that several events touch is written once.
COMMIT_EVERY = 100_000
#: Events that are decoded and folded at once, which bounds memory; what several of them touch is settled once. Commits
#: fall between two such batches, so they are as far apart as said above if this divides that.
BATCH = 50_000
#: Decoded state objects that may stay in memory between two commits, of all tables together.
KEEP_OBJECTS = 300_000

#: Payloads that Leadline writes itself: they say nothing of how far the sources have told.
_SAID_BY_US = (ContractDeclared, GateEvaluated)

Progress = Callable[[int, int], None]


class Declaration(msgspec.Struct, array_like=True):
    """A declared object of the contract, kept so that a contract can be compiled without reading the log again."""

    time: int
    data: ContractDeclared


class RunReport(msgspec.Struct):
    """What a run did.

    `events` were folded; `parked` are those of them that this release cannot read: they stay in the log, and a release
    that can read them raises `DERIVATION`, so that all is folded anew. `restarts`: how often it began again from the
    first event; `overtaken`: how often another process had folded meanwhile.
    """

    events: int = 0
    commits: int = 0
    revisions: int = 0
    restarts: int = 0
    overtaken: int = 0
    parked: int = 0


class Engine:
    """Follows the events stream from its cursor.

    `run` folds what is there and returns. Facts depend on the whole contract, so an event that changes what the
    contract derives makes the engine begin again from the first event, with the new contract in force from the start:
    the order in which contract and telemetry arrive does not matter. A change of words alone does not.
    """

    _state: State
    _declarations: Table[Declaration]
    _contract: Contract
    _generation: int
    _sequence: int
    _cursor: int

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
        self._checked = False
        with _without_collector():
            while self._advance(report, limit):
                if progress is not None:
                    progress(self._reached, end)
        if report.events > self._batch:
            self._store.checkpoint()
        return report

    def rebuild(self, progress: Progress | None = None) -> RunReport:
        """Fold the log again from its first event, beside the present state, which holds until the new one is whole.

        Raises `Corrupt` before anything is begun if the log is damaged.
        """
        self._log.check()
        self._begin_again(fresh=True)
        return self.run(progress=progress)

    def as_of(self) -> datetime | None:
        """Return the latest time of a folded event that is not later than its recording; None before the first one.

        Declarations and gates do not count: writing the contract today says nothing of what happened until today.
        """
        seen = self._store.mark("as_of")
        return None if seen is None else from_us(int(seen))

    def _check(self, report: RunReport) -> None:
        """Begin at the beginning if state is void: of other events, by other rules or under another contract."""
        if self._store.sequence() != self._sequence:
            self._store.refresh()
            self._open()
        self._generation = self._log.generation(EVENTS)
        if self._cursor:
            if any(self._store.mark(name) != value for name, value in self._derivation().items()):
                report.restarts += 1
                self._begin_again()
        else:
            self._take_in(self._declared_in_log())
        self._checked = True

    def _derivation(self) -> dict[str, str]:
        """What state depends on beside the events before its cursor.

        The generation is that of before the reading: that events were taken back meanwhile is seen by the next run.
        """
        return {
            "generation": str(self._generation),
            "derivation": DERIVATION,
            "contract": self._contract.fingerprint,
        }

    def _declared_in_log(self) -> dict[str, Declaration]:
        """Return what the whole log declares, so that no declaration makes a fold from the beginning begin again."""
        found: dict[str, Declaration] = {}
        for value in declarations(self._log):
            try:
                found.update(_declared([decode(value)]))
            except Quarantined:
                continue
        return found

    def _take_in(self, declared: Mapping[str, Declaration]) -> None:
        """Make these the declarations of the state, and no others."""
        for key in {key for key, _ in self._declarations.items()} - declared.keys():
            self._declarations.delete(key)
        for key, declaration in declared.items():
            self._declarations.put(key, declaration)
        self._contract = self._compiled()
        self._fold = Fold(self._state, self._contract)

    def _advance(self, report: RunReport, limit: int | None) -> bool:
        """Fold one batch, or commit at the end; False when all is done.

        When another process folded meanwhile, what is in memory is dropped and the fold goes on from where that is.
        """
        try:
            if not self._checked:
                self._check(report)
            if limit is not None and report.events >= limit:
                self._commit(report)
                return False
            if self._step(report, limit):
                return True
            self._commit(report)
            self._sequence = self._store.publish(after=self._sequence)
        except Overtaken:
            report.overtaken += 1
            self._store.refresh()
            self._open()
            return True
        return False

    def _open(self) -> None:
        self._cursor = self._reached = int(self._store.mark("cursor") or 0)
        told = self._store.mark("as_of")
        self._as_of = None if told is None else int(told)
        self._sequence = self._store.sequence()
        self._state = State(self._store)
        self._declarations = self._state.table("declaration", Declaration)
        self._pending = 0
        self._checked = False
        self._contract = self._compiled()
        self._fold = Fold(self._state, self._contract)

    def _compiled(self) -> Contract:
        return _compile(self._declarations.items())

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
        for _, recorded, value in rows:
            try:
                event = decode(value)
            except Quarantined:
                report.parked += 1
                continue
            events.append(event)
            if type(event.data) not in _SAID_BY_US:
                at = to_us(event.time)
                if at <= recorded and (latest is None or at > latest):
                    latest = at
        self._as_of = latest
        return events

    def _declare(self, events: Sequence[Event]) -> bool:
        """Take in declarations; True if they change what facts are derived with."""
        new = {key: each for key, each in _declared(events).items() if self._declarations.get(key) is None}
        if not new:
            return False
        for key, declaration in new.items():
            self._declarations.put(key, declaration)
        fingerprint, self._contract = self._contract.fingerprint, self._compiled()
        return self._contract.fingerprint != fingerprint

    def _begin_again(self, *, fresh: bool = False) -> None:
        """Turn to a state beside the present one and fold from the first event, or go on with what was begun there."""
        self._generation = self._log.generation(EVENTS)
        declared = self._declared_in_log()
        self._contract = _compile(declared.items())
        self._sequence = self._store.begin(self._derivation(), after=self._sequence, fresh=fresh)
        self._open()
        if not self._cursor:
            self._take_in(declared)
        self._checked = True

    def _commit(self, report: RunReport) -> None:
        tables = self._state.tables
        changes = {name: rows for name, table in tables.items() if (rows := table.drain())}
        if not changes and self._reached == self._cursor:
            return
        marks = {"cursor": str(self._reached), **self._derivation()}
        if self._as_of is not None:
            marks["as_of"] = str(self._as_of)
        self._sequence = self._store.commit(changes, marks, after=self._sequence)
        self._cursor = self._reached
        self._pending = 0
        report.commits += 1
        if sum(len(table) for table in tables.values()) > KEEP_OBJECTS:
            for table in tables.values():
                table.forget()


def _compile(declared: Iterable[tuple[str, Declaration]]) -> Contract:
    return Contract.compile((found.time, key, found.data) for key, found in declared)


def _declared(events: Iterable[Event]) -> dict[str, Declaration]:
    """Return the declarations among events, by the identity of their event."""
    return {
        f"{event.source}|{event.id}": Declaration(time=to_us(event.time), data=event.data)
        for event in events
        if isinstance(event.data, ContractDeclared)
    }


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
