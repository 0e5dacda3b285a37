"""The embedded log: one SQLite file in WAL mode, a table for each stream.

Any number of threads may use one object, and several processes one file; one of them writes at a time, and readers
never wait for it. The engine keeps its state in the same file, through a connection of its own.
"""

# ruff: noqa: S608 - the only names put into SQL are tables of checked stream names
from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock, RLock
from typing import Any

from pipeline.events.errors import Corrupt
from pipeline.events.times import from_us, to_us
from pipeline.log import sqlite_file, sqlite_streams
from pipeline.log.names import checked_staged, checked_stream, partition_of
from pipeline.log.protocol import Appended, Record, SourceStat, Stored, StreamStat, Superseded

#: A read ends early once it holds so many bytes of values.
READ_BYTES = 32 * 1024 * 1024
_MAX_INTERNED = 100_000


def _rising(recorded: Iterable[datetime], floor: int) -> Iterator[int]:
    """Yield microseconds, never less than `floor` nor than the one before."""
    for moment in recorded:
        floor = max(floor, to_us(moment))
        yield floor


def _within_budget(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Take rows, whose last column is the value, until they hold `READ_BYTES`."""
    taken, size = [], 0
    for row in rows:
        taken.append(row)
        size += len(row[-1])
        if size >= READ_BYTES:
            break
    return taken


class SqliteLog:
    """An `EventLog` in one file. `partitions` None: as the file has it, 1 for a new one; another number is refused.

    Opening raises `ConfigError` (no such directory, not writable, a database of something else or of another release)
    or `Corrupt`. `busy_seconds` is how long a call waits for another process before it raises `Retryable`.
    """

    def __init__(self, path: Path | str, partitions: int | None = None, busy_seconds: float = 10.0) -> None:
        if partitions is not None and partitions < 1:
            raise ValueError(f"partitions must be at least 1, not {partitions}")
        self.path = Path(path).absolute()
        self._busy_seconds = busy_seconds
        self._writer_lock, self._reader_lock = RLock(), Lock()
        self._numbers: dict[str, int] = {}
        self._writer = self.connect()
        try:
            self._partitions = sqlite_file.prepare(self._writer, self.path, partitions)
            self._reader = self.connect()
        except BaseException:
            self._writer.close()
            raise

    @property
    def partitions(self) -> int:
        """How many partitions the file was created with."""
        return self._partitions

    def connect(self, *, durable: bool = True) -> sqlite3.Connection:
        """Open one more connection to the same file (see `sqlite_file.connect`); the caller closes it."""
        return sqlite_file.connect(self.path, busy_seconds=self._busy_seconds, durable=durable)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Make all that this thread writes within the block durable at its end, or nothing of it if the block raises.

        Yields the connection, through which tables beside the log are a part of it; what is read through the log
        itself is as before the block. Nobody else writes meanwhile. Blocks nest: the outermost counts.
        """
        with self._writer_lock:
            if self._writer.in_transaction:
                yield self._writer
                return
            with sqlite_file.explained(self.path):
                try:
                    with sqlite_file.transaction(self._writer) as connection:
                        yield connection
                except BaseException:
                    # A number given in a transaction that failed belongs to nobody.
                    self._numbers = {}
                    raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._reader_lock, sqlite_file.explained(self.path):
            yield self._reader

    def append(self, stream: str, records: Sequence[Record], recorded: datetime | Sequence[datetime]) -> Appended:
        """See `EventLog.append`."""
        checked_stream(stream)
        if not records:
            return Appended(0, 0)
        moments = [recorded] * len(records) if isinstance(recorded, datetime) else recorded
        with self.transaction() as connection:
            floor = sqlite_streams.opened(connection, stream, self._partitions)
            numbers = sqlite_streams.interned(connection, {record.source for record in records}, self._numbers)
            rows = self._rows(records, numbers, _rising(moments, floor))
            new = sqlite_streams.insert(connection, stream, rows)
        if len(self._numbers) > _MAX_INTERNED:
            self._numbers = {}
        self._numbers.update(numbers)
        return Appended(new, len(records) - new)

    def _rows(
        self, records: Sequence[Record], numbers: dict[str, int], recorded: Iterable[int]
    ) -> Iterator[tuple[int, int, str | bytes, str, int, int, int, bytes]]:
        for record, moment in zip(records, recorded, strict=True):
            yield (
                partition_of(record.key, self._partitions),
                numbers[record.source],
                sqlite_streams.pack(record.id),
                record.key,
                to_us(record.time),
                moment,
                record.origin,
                record.value,
            )

    def read(self, stream: str, after: int = 0, limit: int = 10_000, partition: int | None = None) -> Sequence[Stored]:
        """See `EventLog.read`."""
        chosen = "" if partition is None else f"AND record.partition = {int(partition)}"
        rows = self._select(
            stream,
            "SELECT record.partition, record.offset, source.source, record.id, record.key, record.time, "
            "record.recorded, record.origin, record.value "
            f"FROM {sqlite_streams.table_of(checked_stream(stream))} AS record "
            "CROSS JOIN log_sources AS source ON source.number = record.source "
            f"WHERE record.offset > ? {chosen} ORDER BY record.offset LIMIT ?",
            (after, limit),
        )
        unpack = sqlite_streams.unpack
        return [
            Stored(part, offset, source, unpack(id_), key, from_us(time), from_us(recorded), value, origin)
            for part, offset, source, id_, key, time, recorded, origin, value in rows
        ]

    def read_values(self, stream: str, after: int = 0, limit: int = 10_000) -> list[tuple[int, int, bytes]]:
        """See `EventLog.read_values`."""
        table = sqlite_streams.table_of(checked_stream(stream))
        query = f"SELECT offset, recorded, value FROM {table} WHERE offset > ? ORDER BY offset LIMIT ?"
        return self._select(stream, query, (after, limit))

    def _select(self, stream: str, query: str, parameters: tuple[int, int]) -> list[tuple[Any, ...]]:
        with self._reading() as connection:
            if not sqlite_streams.exists(connection, stream):
                return []
            # A statement left half-read would hold its snapshot and keep the WAL from being reset.
            with closing(connection.execute(query, parameters)) as rows:
                return _within_budget(rows)

    def iterate(self, stream: str, after: int = 0, batch: int = 10_000) -> Iterator[Sequence[Stored]]:
        """See `EventLog.iterate`."""
        while records := self.read(stream, after, batch):
            yield records
            after = records[-1].offset

    def end(self, stream: str) -> int:
        """See `EventLog.end`."""
        with self._reading() as connection:
            known = sqlite_streams.exists(connection, checked_stream(stream))
            return sqlite_streams.last_offset(connection, stream) if known else 0

    def cursor(self, name: str) -> int:
        """See `EventLog.cursor`."""
        with self._reading() as connection:
            return sqlite_file.read_cursor(connection, name)

    def commit(self, name: str, offset: int) -> None:
        """See `EventLog.commit`."""
        with self.transaction() as connection:
            sqlite_file.write_cursor(connection, name, offset)

    def stat(self, stream: str) -> StreamStat:
        """See `EventLog.stat`."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT records, bytes, first_time, last_time, last_recorded FROM log_streams WHERE name = ?",
                (checked_stream(stream),),
            ).fetchone()
        records, size, *times = row or (0, 0)
        first, last, recorded = (from_us(us) for us in times) if records else (None, None, None)
        return StreamStat(
            stream=stream,
            records=records,
            bytes=size,
            partitions=self._partitions,
            first_time=first,
            last_time=last,
            last_recorded=recorded,
        )

    def sources(self, stream: str) -> list[SourceStat]:
        """See `EventLog.sources`; reads the index alone."""
        with self._reading() as connection:
            if not sqlite_streams.exists(connection, checked_stream(stream)):
                return []
            found = sqlite_streams.by_source(connection, stream)
        return [
            SourceStat(source=source, records=records, last_recorded=from_us(recorded), last_time=from_us(time))
            for source, records, recorded, time in found
        ]

    def generation(self, stream: str) -> int:
        """See `EventLog.generation`."""
        with self._reading() as connection:
            row = connection.execute("SELECT generation FROM log_streams WHERE name = ?", (stream,)).fetchone()
        return int(row[0]) if row else 0

    def supersede(self, stream: str, staged: str, upto: int, recorded: datetime) -> Superseded:
        """See `EventLog.supersede`."""
        checked_staged(staged)
        with self.transaction() as connection:
            for name in (checked_stream(stream), staged):
                sqlite_streams.opened(connection, name, self._partitions)
            outcome = sqlite_streams.supersede(connection, stream, staged, upto, to_us(recorded))
            sqlite_streams.discard(connection, staged)
        return Superseded(*outcome)

    def discard(self, staged: str) -> None:
        """See `EventLog.discard`."""
        with self.transaction() as connection:
            sqlite_streams.discard(connection, checked_staged(staged))

    def check(self) -> None:
        """See `EventLog.check`."""
        with self._reading() as connection:
            finding = sqlite_streams.damage(connection)
        if finding:
            raise Corrupt(f"{self.path}: {finding}; restore it from a copy, or export what can be read and import it")

    def close(self) -> None:
        """Close both connections; the object cannot be used any more. Closing twice is harmless."""
        with self._writer_lock, self._reader_lock:
            self._reader.close()
            self._writer.close()
