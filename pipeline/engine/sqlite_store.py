"""The state store in SQLite, in the file that also holds the log.

A state is a set of tables under one number, its epoch: `state<epoch>_<table>`. Deriving everything anew fills
the tables of the next epoch, beside those that are read meanwhile, and one transaction puts them into their place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.engine.store import FACT_PREFIX, Changes, Overtaken, check_not_overtaken
from pipeline.events.errors import Corrupt, Retryable

_VARIABLES = 500


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
            self._epoch = self._published()
            self._known = self._existing()
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error

    def load(self, table: str, key: str) -> bytes | None:
        if table not in self._known:
            return None
        rows = self._rows(f"SELECT value FROM {self._prefix}{table} WHERE key = ?", (key,))  # noqa: S608 - own table names
        return rows[0][0] if rows else None

    def load_many(self, table: str, keys: Iterable[str]) -> dict[str, bytes]:
        if table not in self._known:
            return {}
        wanted = sorted(keys)
        found: dict[str, bytes] = {}
        for start in range(0, len(wanted), _VARIABLES):
            part = wanted[start : start + _VARIABLES]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, value FROM {self._prefix}{table} WHERE key IN ({marks}) AND value IS NOT NULL"  # noqa: S608
            found.update(self._rows(query, part))
        return found

    def scan(self, table: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        if table not in self._known and table not in self._existing():
            return
        query = (
            f"SELECT key, value FROM {self._prefix}{table} WHERE key >= ? AND key < ? AND value NOTNULL ORDER BY key"  # noqa: S608
        )
        yield from self._stream(query, (prefix, prefix + "\U0010ffff"))

    def commit(self, changes: Changes, marks: Mapping[str, str], after: int | None = None) -> int:
        with self._transaction(after) as number:
            self._write_all(changes, marks, number)
            return number

    def mark(self, name: str) -> str | None:
        return self._value(f"{self._epoch}:{name}")

    def begin(self, marks: Mapping[str, str], after: int | None = None, *, fresh: bool = False) -> int:
        self._epoch = self._published() + 1
        if not fresh and self._value(f"{self._epoch}:begun") == _begun(marks):
            check_not_overtaken(after, last := self.sequence())
            self._known = self._existing()
            return last
        with self._transaction(after) as number:
            self._drop(self._epoch)
            self._write_all({}, {**marks, "begun": _begun(marks)}, number)
            self._known = set()
            return number

    def publish(self, after: int | None = None) -> int:
        was = self._published()
        if self._epoch == was:
            return self.sequence()
        with self._transaction(after) as number:
            for table in self._existing(was):
                if table.startswith(FACT_PREFIX):
                    self._create(table)
                    self._db.execute(
                        f"INSERT INTO {self._prefix}{table} SELECT key, NULL, {number} FROM state{was}_{table} AS old "  # noqa: S608
                        f"WHERE key NOT IN (SELECT key FROM {self._prefix}{table})"
                    )
            self._drop(was)
            self._put_values({"epoch": str(self._epoch), "sequence": str(number)})
            return number

    def refresh(self) -> None:
        self._epoch = self._published()
        self._known = self._existing()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN")
            try:
                if self._epoch <= (published := self._published()):
                    self._epoch = published
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
        query = f"SELECT key, value FROM {self._prefix}{table} WHERE key > ? AND value IS NOT NULL ORDER BY key LIMIT ?"  # noqa: S608
        return self._rows(query, (after, limit))

    def tables(self) -> list[str]:
        """Return the names of all tables."""
        return sorted(self._existing())

    def size(self, table: str) -> tuple[int, int]:
        """Return how many rows a table has, and how many bytes their keys and values; reads all of them."""
        if table not in self._existing():
            return 0, 0
        bytes_ = "coalesce(sum(length(CAST(key AS BLOB)) + length(value)), 0)"
        query = f"SELECT count(*), {bytes_} FROM {self._prefix}{table} WHERE value NOTNULL"  # noqa: S608 - own table names
        ((rows, size),) = self._rows(query, ())
        return int(rows), int(size)

    def facts_since(self, kind: str, sequence: int) -> Iterator[tuple[str, bytes | None]]:
        table = FACT_PREFIX + kind
        if table in self._existing():
            query = f"SELECT key, value FROM {self._prefix}{table} WHERE changed > ? ORDER BY key"  # noqa: S608 - own table names
            yield from self._stream(query, (sequence,))

    def sequence(self) -> int:
        return int(self._value("sequence") or 0)

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
                check_not_overtaken(after, last)
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
        own = {f"{self._epoch}:{name}": value for name, value in marks.items()}
        self._put_values({**own, "sequence": str(number)})

    def _put_values(self, values: Mapping[str, str]) -> None:
        self._db.executemany("INSERT OR REPLACE INTO engine_mark VALUES (?, ?)", sorted(values.items()))

    def _value(self, name: str) -> str | None:
        rows = self._rows("SELECT value FROM engine_mark WHERE name = ?", (name,)) if self._has_marks() else []
        return str(rows[0][0]) if rows else None

    def _published(self) -> int:
        return int(self._value("epoch") or 0)

    @property
    def _prefix(self) -> str:
        return f"state{self._epoch}_"

    def _drop(self, epoch: int) -> None:
        for table in self._existing(epoch):
            self._db.execute(f"DROP TABLE state{epoch}_{table}")
        self._db.execute("DELETE FROM engine_mark WHERE name LIKE ?", (f"{epoch}:%",))

    def _create(self, table: str) -> None:
        changed = ", changed INTEGER NOT NULL" if table.startswith(FACT_PREFIX) else ""
        self._db.execute(
            f"CREATE TABLE IF NOT EXISTS {self._prefix}{table} "
            f"(key TEXT PRIMARY KEY, value BLOB{changed}) WITHOUT ROWID"
        )
        self._known.add(table)

    def _write(self, table: str, rows: list[tuple[str, bytes | None]], sequence: int) -> None:
        fact = table.startswith(FACT_PREFIX)
        if table not in self._known:
            self._create(table)
        if fact:
            self._db.executemany(
                f"INSERT INTO {self._prefix}{table} VALUES (?, ?, {sequence}) "  # noqa: S608 - own table names
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed = excluded.changed",
                rows,
            )
            return
        gone = [(key,) for key, value in rows if value is None]
        if gone:
            self._db.executemany(f"DELETE FROM {self._prefix}{table} WHERE key = ?", gone)  # noqa: S608 - own table names
        self._db.executemany(
            f"INSERT INTO {self._prefix}{table} VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",  # noqa: S608
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

    def _existing(self, epoch: int | None = None) -> set[str]:
        prefix = self._prefix if epoch is None else f"state{epoch}_"
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, ?) = ?"
        return {str(name)[len(prefix) :] for (name,) in self._rows(query, (len(prefix), prefix))}

    def _translated(self, error: sqlite3.DatabaseError) -> Exception:
        text = str(error)
        if "locked" in text or "busy" in text:
            return Retryable(f"{self._path}: another process holds the database ({text}); try again when it is done")
        if "no such table: state" in text:
            return Overtaken(f"{self._path}: another process published a new state meanwhile; try again")
        return Corrupt(
            f"{self._path}: {text}; if `leadline log verify` finds no damage, `leadline rebuild` will do, else restore"
            " the file from a backup, or move it away and ingest again"
        )


def _begun(marks: Mapping[str, str]) -> str:
    return "\x1f".join(f"{name}={value}" for name, value in sorted(marks.items()))
