"""State stores: where the tables of the fold and its cursor are kept, and committed together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol

from pipeline.events.errors import Corrupt, Retryable
from pipeline.facts.state import Backend

#: Rows of one table that changed: key and bytes, None for a deleted one.
Changes = Mapping[str, list[tuple[str, bytes | None]]]

_VARIABLES = 500
_FACT_PREFIX = "fact_"


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

    def clear(self, after: int | None = None) -> int:
        """Drop all tables and marks in one transaction; returns its number. Facts are retracted, not forgotten."""
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


class MemoryStore:
    """A store that lives as long as its process; for tests and for folding a stream once."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, bytes]] = {}
        self._changed: dict[str, dict[str, int]] = {}
        self._marks: dict[str, str] = {}
        self._sequence = 0

    def load(self, table: str, key: str) -> bytes | None:
        return self._tables.get(table, {}).get(key)

    def load_many(self, table: str, keys: Iterable[str]) -> dict[str, bytes]:
        rows = self._tables.get(table, {})
        return {key: rows[key] for key in keys if key in rows}

    def scan(self, table: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        yield from sorted(item for item in self._tables.get(table, {}).items() if item[0].startswith(prefix))

    def commit(self, changes: Changes, marks: Mapping[str, str], after: int | None = None) -> int:
        _check_not_overtaken(after, self._sequence)
        self._sequence += 1
        for table, rows in changes.items():
            target = self._tables.setdefault(table, {})
            for key, value in rows:
                if value is None:
                    target.pop(key, None)
                else:
                    target[key] = value
                self._changed.setdefault(table, {})[key] = self._sequence
        self._marks.update(marks)
        return self._sequence

    def mark(self, name: str) -> str | None:
        return self._marks.get(name)

    def clear(self, after: int | None = None) -> int:
        _check_not_overtaken(after, self._sequence)
        self._sequence += 1
        for name, gone in self._tables.items():
            self._changed.setdefault(name, {}).update(dict.fromkeys(gone, self._sequence))
        self._tables.clear()
        self._marks.clear()
        return self._sequence

    def facts_since(self, kind: str, sequence: int) -> Iterator[tuple[str, bytes | None]]:
        table = _FACT_PREFIX + kind
        for key, changed in sorted(self._changed.get(table, {}).items()):
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


class SqliteStore:
    """State in the SQLite file that also holds the log.

    The log is durable before an append returns; state is derived from it, so here a commit is only atomic
    (`synchronous=NORMAL`): after a loss of power the last commits may be missing as a whole, and are folded again.
    One writer at a time: `Retryable` when another process holds the file for longer than the time-out.
    """

    def __init__(self, path: Path, *, timeout: float = 30.0, cache_mib: int = 64, read_only: bool = False) -> None:
        self._path = path
        try:
            uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rwc'}"
            self._db = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)
            self._db.execute(f"PRAGMA cache_size=-{cache_mib * 1024}")
            if not read_only:
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=NORMAL")
                self._db.execute("PRAGMA wal_autocheckpoint=16384")
                self._db.execute(
                    "CREATE TABLE IF NOT EXISTS engine_mark (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID"
                )
            self._known = self._existing()
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error

    def load(self, table: str, key: str) -> bytes | None:
        if table not in self._known:
            return None
        rows = self._rows(f"SELECT value FROM state_{table} WHERE key = ?", (key,))  # noqa: S608 - own table names
        return rows[0][0] if rows else None

    def load_many(self, table: str, keys: Iterable[str]) -> dict[str, bytes]:
        if table not in self._known:
            return {}
        wanted = sorted(keys)
        found: dict[str, bytes] = {}
        for start in range(0, len(wanted), _VARIABLES):
            part = wanted[start : start + _VARIABLES]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, value FROM state_{table} WHERE key IN ({marks}) AND value IS NOT NULL"  # noqa: S608
            found.update(self._rows(query, part))
        return found

    def scan(self, table: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        if table not in self._known and table not in self._existing():
            return
        query = f"SELECT key, value FROM state_{table} WHERE key >= ? AND key < ? AND value IS NOT NULL ORDER BY key"  # noqa: S608
        yield from self._stream(query, (prefix, prefix + "\U0010ffff"))

    def commit(self, changes: Changes, marks: Mapping[str, str], after: int | None = None) -> int:
        with self._transaction(after) as number:
            self._write_all(changes, {**marks, "sequence": str(number)}, number)
            return number

    def mark(self, name: str) -> str | None:
        rows = self._rows("SELECT value FROM engine_mark WHERE name = ?", (name,)) if self._has_marks() else []
        return str(rows[0][0]) if rows else None

    def clear(self, after: int | None = None) -> int:
        with self._transaction(after) as number:
            for table in self._existing():
                if table.startswith(_FACT_PREFIX):
                    self._db.execute(f"UPDATE state_{table} SET value = NULL, changed = ?", (number,))  # noqa: S608 - own names
                else:
                    self._db.execute(f"DROP TABLE state_{table}")
            self._db.execute("DELETE FROM engine_mark")
            self._known = self._existing()
            self._write_all({}, {"sequence": str(number)}, number)
            return number

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN")
            try:
                self._known = self._existing()
                yield
            finally:
                self._db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error

    def page(self, table: str, after: str, limit: int) -> list[tuple[str, bytes]]:
        """Return up to `limit` rows with a key beyond `after`, in key order."""
        if table not in self._known and table not in self._existing():
            return []
        query = f"SELECT key, value FROM state_{table} WHERE key > ? AND value IS NOT NULL ORDER BY key LIMIT ?"  # noqa: S608
        return self._rows(query, (after, limit))

    def facts_since(self, kind: str, sequence: int) -> Iterator[tuple[str, bytes | None]]:
        table = _FACT_PREFIX + kind
        if table in self._existing():
            query = f"SELECT key, value FROM state_{table} WHERE changed > ? ORDER BY key"  # noqa: S608 - own table names
            yield from self._stream(query, (sequence,))

    def sequence(self) -> int:
        return int(self.mark("sequence") or 0)

    def checkpoint(self) -> None:
        self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self, after: int | None) -> Iterator[int]:
        """Yield the number of a new commit; all that is done in the block is done or none of it."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                last = self.sequence()
                _check_not_overtaken(after, last)
                yield last + 1
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                self._known = self._existing()
                raise
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error

    def _write_all(self, changes: Changes, marks: Mapping[str, str], number: int) -> None:
        for table, rows in changes.items():
            if rows:
                self._write(table, rows, number)
        self._db.executemany("INSERT OR REPLACE INTO engine_mark VALUES (?, ?)", sorted(marks.items()))

    def _write(self, table: str, rows: list[tuple[str, bytes | None]], sequence: int) -> None:
        fact = table.startswith(_FACT_PREFIX)
        if table not in self._known:
            changed = ", changed INTEGER NOT NULL" if fact else ""
            self._db.execute(
                f"CREATE TABLE IF NOT EXISTS state_{table} (key TEXT PRIMARY KEY, value BLOB{changed}) WITHOUT ROWID"
            )
            self._known.add(table)
        if fact:
            self._db.executemany(
                f"INSERT INTO state_{table} VALUES (?, ?, {sequence}) "  # noqa: S608 - own table names
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed = excluded.changed",
                rows,
            )
            return
        gone = [(key,) for key, value in rows if value is None]
        if gone:
            self._db.executemany(f"DELETE FROM state_{table} WHERE key = ?", gone)  # noqa: S608 - own table names
        self._db.executemany(
            f"INSERT INTO state_{table} VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",  # noqa: S608
            rows if not gone else [row for row in rows if row[1] is not None],
        )

    def _rows(self, query: str, values: Sequence[Any]) -> list[Any]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error

    def _stream(self, query: str, values: Sequence[Any]) -> Iterator[Any]:
        try:
            cursor = self._db.execute(query, values)
            while rows := cursor.fetchmany(2_000):
                yield from rows
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error

    def _has_marks(self) -> bool:
        """A database that was only read from, or is opened read-only, may have no table of marks yet."""
        return bool(self._rows("SELECT 1 FROM sqlite_master WHERE name = ?", ("engine_mark",)))

    def _existing(self) -> set[str]:
        names = self._rows(
            r"SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'state\_%' ESCAPE '\'", ()
        )
        return {str(name)[len("state_") :] for (name,) in names}

    def _translated(self, error: sqlite3.DatabaseError) -> Exception:
        text = str(error)
        if "locked" in text or "busy" in text:
            return Retryable(f"{self._path}: another process holds the database ({text}); try again when it is done")
        return Corrupt(
            f"{self._path}: {text}; if `leadline log verify` finds no damage, `leadline rebuild` will do, else restore"
            " the file from a backup, or move it away and ingest again"
        )


def _check_not_overtaken(after: int | None, last: int) -> None:
    if after is not None and after != last:
        raise Overtaken(f"another process folded the log meanwhile (commit {last}, expected {after}); let one do it")
