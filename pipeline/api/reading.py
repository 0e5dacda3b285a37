"""Reading what the fold committed, from a connection of its own: never a half-made commit, never in the fold's way."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from threading import Lock
from typing import Protocol

import msgspec

from pipeline.events.times import from_us
from pipeline.exporter.model import ReadModel, TableSize
from pipeline.facts.rows import FACTS, Fact
from pipeline.facts.state import Backend, State
from pipeline.ingest.quarantine import Quarantine
from pipeline.metrics.windows import read_metrics


class ReadStore(Backend, Protocol):
    """The reading half of a store of derived state."""

    def mark(self, name: str) -> str | None: ...

    def sequence(self) -> int: ...

    def snapshot(self) -> AbstractContextManager[None]: ...

    def page(self, table: str, after: str, limit: int) -> list[tuple[str, bytes]]: ...

    def tables(self) -> list[str]: ...

    def size(self, table: str) -> tuple[int, int]: ...


class Facts(msgspec.Struct, frozen=True):
    """A page of facts in the order of their ids, and the commit that it is from."""

    facts: list[Fact]
    position: int
    sequence: int


class Reader:
    """Reads metrics and facts, each call within one commit. Threads may share it; one reads at a time.

    Raises `Retryable` while the database is held by another process and `Corrupt` when it is damaged.
    """

    def __init__(self, store: ReadStore, quarantine: Quarantine) -> None:
        self._store = store
        self._quarantine = quarantine
        self._lock = Lock()

    def latest(self, previous: ReadModel | None) -> ReadModel:
        """Return the numbers as of the latest event; `previous` itself if nothing has changed since."""
        quarantined = self._quarantine.counts()
        with self._lock, self._store.snapshot():
            position, sequence = self._place()
            if previous is not None and (previous.position, previous.sequence) == (position, sequence):
                unchanged = previous.quarantined == quarantined
                return previous if unchanged else _replaced(previous, quarantined)
            return self._model(self._as_of(), position, sequence, quarantined)

    def at(self, as_of: datetime) -> ReadModel:
        """Return the numbers as of an instant, by all that is known now. Its `quarantined` is empty."""
        with self._lock, self._store.snapshot():
            return self._model(as_of, *self._place(), {})

    def facts(self, kind: str, after: str, limit: int) -> Facts:
        """Return up to `limit` facts of a kind whose ids come after `after`. Raises KeyError for no kind."""
        decode = msgspec.msgpack.Decoder(FACTS[kind]).decode
        with self._lock, self._store.snapshot():
            rows = self._store.page(f"fact_{kind}", after, limit)
            return Facts([decode(value) for _, value in rows], *self._place())

    def fact(self, kind: str, identity: str) -> Facts:
        """Return the fact with an id, or no fact. Raises KeyError for no kind."""
        decode = msgspec.msgpack.Decoder(FACTS[kind]).decode
        with self._lock, self._store.snapshot():
            value = self._store.load(f"fact_{kind}", identity)
            return Facts([] if value is None else [decode(value)], *self._place())

    def tables(self) -> list[str]:
        """Return the names of the tables of the derived state."""
        with self._lock, self._store.snapshot():
            return self._store.tables()

    def size(self, table: str) -> TableSize:
        """Return how large a table is, by reading all of it; one that is gone meanwhile has no rows."""
        with self._lock, self._store.snapshot():
            return TableSize(*self._store.size(table))

    def _place(self) -> tuple[int, int]:
        return int(self._store.mark("cursor") or 0), self._store.sequence()

    def _as_of(self) -> datetime | None:
        # 0 is what the engine writes while no event can date the numbers.
        seen = int(self._store.mark("as_of") or 0)
        return from_us(seen) if seen else None

    def _model(
        self, as_of: datetime | None, position: int, sequence: int, quarantined: dict[tuple[str, str], int]
    ) -> ReadModel:
        points = () if as_of is None else tuple(read_metrics(State(self._store), as_of, latest=self._as_of()))
        return ReadModel(points=points, as_of=as_of, position=position, sequence=sequence, quarantined=quarantined)


def _replaced(model: ReadModel, quarantined: dict[tuple[str, str], int]) -> ReadModel:
    return ReadModel(
        points=model.points,
        as_of=model.as_of,
        position=model.position,
        sequence=model.sequence,
        quarantined=quarantined,
    )
