"""State stores: where the tables of the fold and its cursor are kept, and committed together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from pipeline.events.errors import Retryable
from pipeline.facts.state import Backend

#: Rows of one table that changed: key and bytes, None for a deleted one.
Changes = Mapping[str, list[tuple[str, bytes | None]]]

FACT_PREFIX = "fact_"


class Overtaken(Retryable):
    """Another writer committed since this one last read: what it holds in memory is out of date."""


class Store(Backend, Protocol):
    """A backend that commits. Guarantee: after a crash, tables and marks are all as of the same commit.

    Writers pass the number of the commit that they built upon as `after` (None: whatever there is). If it is not the
    last one, nothing is written and `Overtaken` is raised: two processes that fold the same log cannot mix their state.
    """

    def commit(self, changes: Changes, marks: Mapping[str, str], after: int | None = None) -> int:
        """Write changed rows and marks (cursor, contract, ...) in one transaction; returns its number."""
        ...

    def mark(self, name: str) -> str | None: ...

    def begin(self, marks: Mapping[str, str], after: int | None = None, *, fresh: bool = False) -> int:
        """Turn to an empty state beside the present one, which others go on reading until `publish`.

        One that was begun with the same marks and not published is gone on with, unless `fresh`: so a fold that was
        killed, or that two processes do at once, advances. Returns the number of the last commit.
        """
        ...

    def publish(self, after: int | None = None) -> int:
        """Put what was begun into the place of the present state, at once; facts that it lacks are retracted.

        Returns the number of the last commit. Without a `begin` nothing happens.
        """
        ...

    def refresh(self) -> None:
        """Turn to the state that was published last."""
        ...

    def facts_since(self, kind: str, sequence: int) -> Iterator[tuple[str, bytes | None]]:
        """Yield (id, bytes) of the facts of a kind that commits after `sequence` changed; None: retracted."""
        ...

    def sequence(self) -> int:
        """Return the number of the last commit (0: none yet)."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Let all reads in the block see one commit, whatever other connections commit meanwhile. Not to be nested."""
        ...

    def checkpoint(self) -> None:
        """Tidy up after large commits, so that the next small one need not."""
        ...

    def close(self) -> None: ...


class _Contents:
    """One state of a memory store."""

    def __init__(self, marks: Mapping[str, str]) -> None:
        self.tables: dict[str, dict[str, bytes]] = {}
        self.changed: dict[str, dict[str, int]] = {}
        self.marks = dict(marks)
        self.begun_with = dict(marks)


class MemoryStore:
    """A store that lives as long as its process; for tests and for folding a stream once."""

    def __init__(self) -> None:
        self._published = self._now = _Contents({})
        self._beside: _Contents | None = None
        self._sequence = 0

    def load(self, table: str, key: str) -> bytes | None:
        return self._now.tables.get(table, {}).get(key)

    def load_many(self, table: str, keys: Iterable[str]) -> dict[str, bytes]:
        rows = self._now.tables.get(table, {})
        return {key: rows[key] for key in keys if key in rows}

    def scan(self, table: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        yield from sorted(item for item in self._now.tables.get(table, {}).items() if item[0].startswith(prefix))

    def commit(self, changes: Changes, marks: Mapping[str, str], after: int | None = None) -> int:
        check_not_overtaken(after, self._sequence)
        self._sequence += 1
        for table, rows in changes.items():
            target = self._now.tables.setdefault(table, {})
            for key, value in rows:
                if value is None:
                    target.pop(key, None)
                else:
                    target[key] = value
                self._now.changed.setdefault(table, {})[key] = self._sequence
        self._now.marks.update(marks)
        return self._sequence

    def mark(self, name: str) -> str | None:
        return self._now.marks.get(name)

    def begin(self, marks: Mapping[str, str], after: int | None = None, *, fresh: bool = False) -> int:
        check_not_overtaken(after, self._sequence)
        if fresh or self._beside is None or self._beside.begun_with != marks:
            self._sequence += 1
            self._beside = _Contents(marks)
        self._now = self._beside
        return self._sequence

    def publish(self, after: int | None = None) -> int:
        if self._beside is None or self._now is not self._beside:
            return self._sequence
        check_not_overtaken(after, self._sequence)
        self._sequence += 1
        for name, rows in self._published.tables.items():
            gone = rows.keys() - self._now.tables.get(name, {}).keys()
            self._now.changed.setdefault(name, {}).update(dict.fromkeys(gone, self._sequence))
        self._published, self._beside = self._now, None
        return self._sequence

    def refresh(self) -> None:
        self._now = self._published

    def facts_since(self, kind: str, sequence: int) -> Iterator[tuple[str, bytes | None]]:
        table = FACT_PREFIX + kind
        for key, changed in sorted(self._now.changed.get(table, {}).items()):
            if changed > sequence:
                yield key, self.load(table, key)

    def sequence(self) -> int:
        return self._sequence

    def snapshot(self) -> AbstractContextManager[None]:
        """Nothing to hold: nobody else has this store."""
        return nullcontext()

    def checkpoint(self) -> None:
        """Nothing to tidy up."""

    def close(self) -> None:
        """Nothing to release."""


def check_not_overtaken(after: int | None, last: int) -> None:
    """Raise `Overtaken` unless a writer built upon the last commit."""
    if after is not None and after != last:
        raise Overtaken(f"another process folded the log meanwhile (commit {last}, expected {after}); let one do it")
