"""A copy of the whole file while others write to it, and digests of its tables to compare copies by."""

# ruff: noqa: S608 - table names come from the schema of the file itself
from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path

import msgspec

from pipeline.events.errors import Corrupt
from pipeline.log import sqlite_file

#: Pages that are copied between two reports of progress: 64 MiB.
_STEP_PAGES = 4_096
_ROWS = 2_000

#: Called with (pages copied, all pages).
PagesDone = Callable[[int, int], None]


class TableDigest(msgspec.Struct, frozen=True):
    """What a table holds: the number of rows, and a hash over all of them in the order of their key."""

    rows: int
    digest: str


def copy_database(source: Path, target: Path, progress: PagesDone | None = None) -> dict[str, TableDigest]:
    """Copy a database to a new file, as of one commit, and return the digests of its tables.

    Processes that write meanwhile neither wait nor show in the copy. The tables of both are compared within that same
    commit: raises `Corrupt` if they differ, and as `sqlite_file.explained` does if one of the files fails.
    """
    with closing(sqlite_file.connect(source)) as origin, sqlite_file.explained(source):
        # Without a transaction around it the copy would begin again with every commit of another process.
        origin.execute("BEGIN")
        expected = table_digests(origin)
        _copy(origin, target, progress)
    found = digests_of(target)
    if different := differing(expected, found):
        raise Corrupt(f"{target}: the copy differs from {source} in {', '.join(different)}; check the disk, try again")
    return found


def digests_of(path: Path) -> dict[str, TableDigest]:
    """Return the digests of the tables of a database; raises as `sqlite_file.explained` does."""
    with closing(sqlite_file.connect(path)) as connection, sqlite_file.explained(path):
        return table_digests(connection)


def table_digests(connection: sqlite3.Connection) -> dict[str, TableDigest]:
    """Return the digest of every table, by name; reads all of it."""
    names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    return {name: _digest(connection, name) for (name,) in connection.execute(names).fetchall()}


def differing(expected: Mapping[str, TableDigest], found: Mapping[str, TableDigest]) -> list[str]:
    """Return the names of tables that are not the same in both."""
    return sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))


def combined(tables: Mapping[str, TableDigest], names: Iterable[str]) -> str:
    """Return one digest of several tables, in 32 hexadecimal digits."""
    hashed = hashlib.blake2b(digest_size=16)
    for name in sorted(names):
        hashed.update(msgspec.msgpack.encode((name, tables[name])))
    return hashed.hexdigest()


def _copy(origin: sqlite3.Connection, target: Path, progress: PagesDone | None) -> None:
    def report(_: int, remaining: int, total: int) -> None:
        if progress is not None:
            progress(total - remaining, total)

    with sqlite_file.explained(target), closing(sqlite3.connect(target, isolation_level=None)) as copy:
        origin.backup(copy, pages=_STEP_PAGES, progress=report)


def _digest(connection: sqlite3.Connection, table: str) -> TableDigest:
    hashed, count, encoder = hashlib.blake2b(digest_size=16), 0, msgspec.msgpack.Encoder()
    with closing(connection.execute(f'SELECT * FROM "{table}"')) as cursor:
        while rows := cursor.fetchmany(_ROWS):
            count += len(rows)
            hashed.update(encoder.encode(rows))
    return TableDigest(count, hashed.hexdigest())
