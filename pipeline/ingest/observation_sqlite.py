"""What observations have been added up to, in the SQLite file of the log, and in the same transactions."""

# ruff: noqa: S608 - what is put into SQL are question marks
from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from fractions import Fraction
from typing import Any

import msgspec

from pipeline.contract.measures import Measure
from pipeline.ingest.observation_store import MemoryStore, Series, Store, Tables
from pipeline.ingest.observation_sums import Cell, CellKey, Row
from pipeline.log.protocol import EventLog
from pipeline.log.sqlite import SqliteLog

#: SQLite takes at least so many parameters in one statement.
_CHUNK = 500

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS observed_builds (build INTEGER PRIMARY KEY AUTOINCREMENT, live INTEGER NOT NULL)",
    """CREATE TABLE IF NOT EXISTS observed_series (
        number INTEGER PRIMARY KEY AUTOINCREMENT, build INTEGER NOT NULL, connector TEXT NOT NULL, metric TEXT NOT NULL,
        record BLOB NOT NULL, UNIQUE (build, connector, metric))""",
    """CREATE TABLE IF NOT EXISTS observed_rows (
        series INTEGER NOT NULL, key BLOB NOT NULL, last INTEGER NOT NULL, record BLOB NOT NULL,
        PRIMARY KEY (series, key)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS observed_rows_by_last ON observed_rows (series, last)",
    """CREATE TABLE IF NOT EXISTS observed_cells (
        series INTEGER NOT NULL, start INTEGER NOT NULL, variant TEXT NOT NULL, revision INTEGER NOT NULL,
        last INTEGER NOT NULL, n INTEGER NOT NULL, total TEXT NOT NULL, squares TEXT NOT NULL,
        PRIMARY KEY (series, start, variant)) WITHOUT ROWID""",
)

_rows = msgspec.msgpack.Decoder(Row)
_series = msgspec.json.Decoder(Series)


def store_for(log: EventLog) -> Store:
    """Return the store that belongs to a log: in its file if it has one, else in memory."""
    return SqliteStore(log) if isinstance(log, SqliteLog) else MemoryStore()


class SqliteStore:
    """A `Store` in the file of a log. Threads may share it, and processes the file."""

    def __init__(self, log: SqliteLog) -> None:
        self._log = log

    @contextmanager
    def transaction(self) -> Iterator[Tables]:
        """See `Store.transaction`. Raises as `SqliteLog.append` does."""
        with self._log.transaction() as connection:
            for statement in _SCHEMA:
                connection.execute(statement)
            yield _SqliteTables(connection)

    def series(self) -> list[Series]:
        """See `Store.series`; waits for nobody."""
        with closing(self._log.connect(durable=False)) as connection:
            known = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'observed_builds'").fetchone()
            tables = _SqliteTables(connection)
            return tables.series(tables.live()) if known else []


class _SqliteTables:
    """See `Tables`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def live(self) -> int:
        row = self._connection.execute("SELECT build FROM observed_builds WHERE live = 1").fetchone()
        return int(row[0]) if row else 0

    def stage(self) -> int:
        self._forget(self.live())
        build = self._connection.execute("INSERT INTO observed_builds (live) VALUES (0)").lastrowid
        return int(build or 0)

    def publish(self, build: int) -> None:
        self._forget(build)
        self._connection.execute("UPDATE observed_builds SET live = 1 WHERE build = ?", (build,))

    def _forget(self, kept: int) -> None:
        gone = "(SELECT number FROM observed_series WHERE build != ?)"
        for table in ("observed_rows", "observed_cells"):
            self._connection.execute(f"DELETE FROM {table} WHERE series IN {gone}", (kept,))
        for table in ("observed_series", "observed_builds"):
            self._connection.execute(f"DELETE FROM {table} WHERE build != ?", (kept,))

    def series(self, build: int) -> list[Series]:
        query = "SELECT record FROM observed_series WHERE build = ? ORDER BY number"
        return [_series.decode(record) for (record,) in self._connection.execute(query, (build,)).fetchall()]

    def add_series(self, build: int, connector: str, metric: str, measure: Measure) -> Series:
        number = self._connection.execute(
            "INSERT INTO observed_series (build, connector, metric, record) VALUES (?, ?, ?, '')",
            (build, connector, metric),
        ).lastrowid
        return Series(number=int(number or 0), connector=connector, metric=metric, measure=measure)

    def rows(self, series: int, keys: Collection[bytes]) -> dict[bytes, Row]:
        found = {}
        for part in _parts(list(keys)):
            query = f"SELECT key, record FROM observed_rows WHERE series = ? AND key IN ({_marks(part)})"
            for key, record in self._connection.execute(query, (series, *part)).fetchall():
                found[key] = _rows.decode(record)
        return found

    def cells(self, series: int, keys: Collection[CellKey]) -> dict[CellKey, Cell]:
        query = f"{_CELLS} AND start = ? AND variant = ?"
        found = (self._connection.execute(query, (series, *key)).fetchone() for key in keys)
        return dict(_cell(row) for row in found if row is not None)

    def all_cells(self, series: int) -> list[tuple[CellKey, Cell]]:
        query = f"{_CELLS} ORDER BY start, variant"
        return [_cell(row) for row in self._connection.execute(query, (series,)).fetchall()]

    def write(self, series: Series, rows: Mapping[bytes, Row], cells: Mapping[CellKey, Cell]) -> None:
        self._connection.execute(
            "UPDATE observed_series SET record = ? WHERE number = ?", (msgspec.json.encode(series), series.number)
        )
        self._connection.executemany(
            "INSERT OR REPLACE INTO observed_rows VALUES (?, ?, ?, ?)",
            ((series.number, key, row.last, msgspec.msgpack.encode(row)) for key, row in rows.items()),
        )
        self._connection.executemany(
            "INSERT OR REPLACE INTO observed_cells VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (series.number, *key, cell.revision, cell.last, cell.n, str(cell.total), str(cell.squares))
                for key, cell in cells.items()
            ),
        )

    def prune(self, series: int, before: int) -> None:
        self._connection.execute("DELETE FROM observed_rows WHERE series = ? AND last < ?", (series, before))


_CELLS = "SELECT start, variant, revision, last, n, total, squares FROM observed_cells WHERE series = ?"


def _cell(row: Sequence[Any]) -> tuple[CellKey, Cell]:
    start, variant, revision, last, n, total, squares = row
    return (start, variant), Cell(revision, last, n, Fraction(total), Fraction(squares))


def _parts(keys: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]


def _marks(keys: list[bytes]) -> str:
    return ", ".join("?" * len(keys))
