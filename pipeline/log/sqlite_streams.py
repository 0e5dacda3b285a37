"""The tables of the embedded log: one for each stream, its figures, and the interned sources.

Each function is one part of a transaction that the caller holds.
"""

# ruff: noqa: S608 - the only names put into SQL are tables of checked stream names
from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any

#: Below every instant: the floor of a stream that has recorded nothing yet.
BEFORE_ALL = -(1 << 62)
_PACKED_DIGITS = 32


def table_of(stream: str) -> str:
    """Return the table of a stream whose name was checked."""
    return f"stream_{stream}"


def pack(identity: str) -> str | bytes:
    """Event ids are 32 hexadecimal digits: as 16 bytes they halve the index, which is most of the cost of an append."""
    if len(identity) != _PACKED_DIGITS:
        return identity
    try:
        packed = bytes.fromhex(identity)
    except ValueError:
        return identity
    return packed if packed.hex() == identity else identity


def unpack(stored: str | bytes) -> str:
    """Return the id that `pack` was given."""
    return stored.hex() if isinstance(stored, bytes) else stored


def exists(connection: sqlite3.Connection, stream: str) -> bool:
    """Return whether anything was ever appended to the stream."""
    return connection.execute("SELECT 1 FROM log_streams WHERE name = ?", (stream,)).fetchone() is not None


def opened(connection: sqlite3.Connection, stream: str, partitions: int) -> int:
    """Make sure that the stream exists; return the instant before which nothing more can be recorded in it."""
    row = connection.execute("SELECT last_recorded FROM log_streams WHERE name = ?", (stream,)).fetchone()
    if row is not None:
        return int(row[0])
    table = table_of(stream)
    # AUTOINCREMENT: an offset that was taken back must never name another record.
    connection.execute(
        f"CREATE TABLE {table} (offset INTEGER PRIMARY KEY AUTOINCREMENT, partition INTEGER NOT NULL, "
        "source INTEGER NOT NULL, id BLOB NOT NULL, key TEXT NOT NULL, time INTEGER NOT NULL, "
        "recorded INTEGER NOT NULL, origin INTEGER NOT NULL, value BLOB NOT NULL, UNIQUE (source, id))"
    )
    if partitions > 1:
        connection.execute(f"CREATE INDEX {table}_by_partition ON {table} (partition)")
    connection.execute("INSERT INTO log_streams VALUES (?, 0, 0, NULL, NULL, ?, 0)", (stream, BEFORE_ALL))
    return BEFORE_ALL


def by_source(connection: sqlite3.Connection, stream: str) -> list[tuple[str, int, int, int]]:
    """Return (source, records, recorded, time) of an existing stream, the last two of the last record; by source."""
    table = table_of(stream)
    return connection.execute(
        f"WITH counted AS (SELECT source, count(*) AS records, max(offset) AS last FROM {table} GROUP BY source) "
        f"SELECT log_sources.source, records, recorded, time FROM counted JOIN {table} ON offset = last "
        "JOIN log_sources ON number = counted.source ORDER BY 1"
    ).fetchall()


def last_offset(connection: sqlite3.Connection, stream: str) -> int:
    """Return the greatest offset in an existing stream (0: it is empty)."""
    return int(connection.execute(f"SELECT coalesce(max(offset), 0) FROM {table_of(stream)}").fetchone()[0])


def interned(connection: sqlite3.Connection, sources: Collection[str], known: Mapping[str, int]) -> dict[str, int]:
    """Return the numbers of `sources`, giving new ones to those the file does not have."""
    numbers = {}
    for source in sources:
        number = known.get(source)
        if number is None:
            connection.execute("INSERT INTO log_sources (source) VALUES (?) ON CONFLICT DO NOTHING", (source,))
            row = connection.execute("SELECT number FROM log_sources WHERE source = ?", (source,)).fetchone()
            number = int(row[0])
        numbers[source] = number
    return numbers


def insert(connection: sqlite3.Connection, stream: str, rows: Iterable[tuple[Any, ...]]) -> int:
    """Append the rows that the stream lacks; return how many those were.

    A row is (partition, source number, packed id, key, time, recorded, origin, value).
    """
    before = last_offset(connection, stream)
    connection.executemany(
        f"INSERT INTO {table_of(stream)} (partition, source, id, key, time, recorded, origin, value) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, id) DO NOTHING",
        rows,
    )
    return count_in(connection, stream, before)


def count_in(connection: sqlite3.Connection, stream: str, after: int) -> int:
    """Add what was appended beyond `after` to the figures of the stream; return the number of records."""
    new, size, first, last, recorded = connection.execute(
        "SELECT count(*), sum(length(value)), min(time), max(time), max(recorded) "
        f"FROM {table_of(stream)} WHERE offset > ?",
        (after,),
    ).fetchone()
    if new:
        connection.execute(
            "UPDATE log_streams SET records = records + ?, bytes = bytes + ?, "
            "first_time = min(coalesce(first_time, ?3), ?3), last_time = max(coalesce(last_time, ?4), ?4), "
            "last_recorded = max(last_recorded, ?) WHERE name = ?",
            (new, size, first, last, recorded, stream),
        )
    return int(new)


def supersede(
    connection: sqlite3.Connection, stream: str, staged: str, upto: int, recorded: int
) -> tuple[int, int, int]:
    """Do what `EventLog.supersede` says with two existing streams; return (kept, removed, added)."""
    live, scratch = table_of(stream), table_of(staged)
    floor = connection.execute("SELECT last_recorded FROM log_streams WHERE name = ?", (stream,)).fetchone()[0]
    derived = connection.execute(f"SELECT count(*) FROM {live} WHERE origin BETWEEN 1 AND ?", (upto,)).fetchone()[0]
    removed = connection.execute(
        f"DELETE FROM {live} AS old WHERE origin BETWEEN 1 AND ? AND NOT EXISTS (SELECT 1 FROM {scratch} AS new "
        "WHERE new.source = old.source AND new.id = old.id AND new.value = old.value)",
        (upto,),
    ).rowcount
    if removed:
        connection.execute(
            "UPDATE log_streams SET generation = generation + 1, (records, bytes, first_time, last_time) = "
            f"(SELECT count(*), coalesce(sum(length(value)), 0), min(time), max(time) FROM {live}) WHERE name = ?",
            (stream,),
        )
    before = last_offset(connection, stream)
    connection.execute(
        f"INSERT INTO {live} (partition, source, id, key, time, recorded, origin, value) "
        f"SELECT partition, source, id, key, time, ?, origin, value FROM {scratch} WHERE true ORDER BY offset "
        "ON CONFLICT (source, id) DO NOTHING",
        (max(floor, recorded),),
    )
    return derived - removed, removed, count_in(connection, stream, before)


def discard(connection: sqlite3.Connection, staged: str) -> None:
    """Drop a scratch stream if it exists."""
    connection.execute(f"DROP TABLE IF EXISTS {table_of(staged)}")
    connection.execute("DELETE FROM log_streams WHERE name = ?", (staged,))


def damage(connection: sqlite3.Connection) -> str | None:
    """Return what is wrong with the file, first finding only, or None. Reads every page."""
    finding = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if finding != "ok":
        return str(finding)
    for stream, records, size in connection.execute("SELECT name, records, bytes FROM log_streams").fetchall():
        query = f"SELECT count(*), coalesce(sum(length(value)), 0) FROM {table_of(stream)}"
        found = connection.execute(query).fetchone()
        if found != (records, size):
            return f"stream {stream} holds {found[0]} records of {found[1]} bytes; its figures say {records} of {size}"
    return None
