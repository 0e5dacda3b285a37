"""A log in memory, for tests and for what need not outlive the process: every promise kept but durability."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from threading import RLock

from pipeline.events.times import from_us, to_us
from pipeline.log.names import checked_staged, checked_stream, partition_of
from pipeline.log.protocol import Appended, Record, SourceStat, Stored, StreamStat, Superseded

_offset = attrgetter("offset")


class _Stream:
    """The records of one stream in order, what it has seen, and where it goes on."""

    def __init__(self) -> None:
        self.records: list[Stored] = []
        self.seen: dict[tuple[str, str], bytes] = {}
        self.last_offset = 0
        self.last_recorded: datetime | None = None
        self.generation = 0

    def add(self, record: Record, time: datetime, recorded: datetime, partition: int) -> bool:
        """Append unless (source, id) is there; returns whether it was new. Instants are in UTC."""
        if (record.source, record.id) in self.seen:
            return False
        self.last_recorded = max(self.last_recorded or recorded, recorded)
        self.last_offset += 1
        self.seen[record.source, record.id] = record.value
        self.records.append(
            Stored(
                partition=partition,
                offset=self.last_offset,
                source=record.source,
                id=record.id,
                key=record.key,
                time=time,
                recorded=self.last_recorded,
                value=record.value,
                origin=record.origin,
            )
        )
        return True

    def remove_derived(self, upto: int, but: dict[tuple[str, str], bytes]) -> tuple[int, int]:
        """Take back the records of origin 1..`upto` that `but` does not hold with the same value; (kept, removed)."""
        derived = [record for record in self.records if 1 <= record.origin <= upto]
        gone = {(r.source, r.id) for r in derived if but.get((r.source, r.id)) != r.value}
        self.records = [record for record in self.records if (record.source, record.id) not in gone]
        for identity in gone:
            del self.seen[identity]
        self.generation += bool(gone)
        return len(derived) - len(gone), len(gone)


class MemoryLog:
    """An `EventLog` that lives as long as the object."""

    def __init__(self, partitions: int = 1) -> None:
        if partitions < 1:
            raise ValueError(f"partitions must be at least 1, not {partitions}")
        self._partitions = partitions
        self._streams: dict[str, _Stream] = {}
        self._cursors: dict[str, int] = {}
        self._lock = RLock()

    @property
    def partitions(self) -> int:
        """How many partitions the log was created with."""
        return self._partitions

    def _stream(self, stream: str) -> _Stream:
        return self._streams.get(checked_stream(stream)) or _Stream()

    def append(self, stream: str, records: Sequence[Record], recorded: datetime | Sequence[datetime]) -> Appended:
        """See `EventLog.append`."""
        moments = [recorded] * len(records) if isinstance(recorded, datetime) else recorded
        # Whatever can fail fails here, before the first record is taken.
        rows = [
            (record, _utc(record.time), _utc(at), partition_of(record.key, self._partitions))
            for record, at in zip(records, moments, strict=True)
        ]
        with self._lock:
            target = self._streams.setdefault(checked_stream(stream), _Stream())
            new = sum(target.add(*row) for row in rows)
        return Appended(new, len(records) - new)

    def read(self, stream: str, after: int = 0, limit: int = 10_000, partition: int | None = None) -> Sequence[Stored]:
        """See `EventLog.read`."""
        with self._lock:
            records = self._stream(stream).records
            start = bisect_right(records, after, key=_offset)
            if partition is None:
                return records[start : start + limit]
            return [record for record in records[start:] if record.partition == partition][:limit]

    def read_values(self, stream: str, after: int = 0, limit: int = 10_000) -> list[tuple[int, int, bytes]]:
        """See `EventLog.read_values`."""
        return [(stored.offset, to_us(stored.recorded), stored.value) for stored in self.read(stream, after, limit)]

    def iterate(self, stream: str, after: int = 0, batch: int = 10_000) -> Iterator[Sequence[Stored]]:
        """See `EventLog.iterate`."""
        while records := self.read(stream, after, batch):
            yield records
            after = records[-1].offset

    def end(self, stream: str) -> int:
        """See `EventLog.end`."""
        with self._lock:
            records = self._stream(stream).records
            return records[-1].offset if records else 0

    def cursor(self, name: str) -> int:
        """See `EventLog.cursor`."""
        return self._cursors.get(name, 0)

    def commit(self, name: str, offset: int) -> None:
        """See `EventLog.commit`."""
        self._cursors[name] = offset

    def stat(self, stream: str) -> StreamStat:
        """See `EventLog.stat`; here its cost does grow with the stream."""
        with self._lock:
            target = self._stream(stream)
            times = [record.time for record in target.records]
            return StreamStat(
                stream=stream,
                records=len(times),
                bytes=sum(len(record.value) for record in target.records),
                partitions=self._partitions,
                first_time=min(times, default=None),
                last_time=max(times, default=None),
                last_recorded=target.last_recorded if times else None,
            )

    def sources(self, stream: str) -> list[SourceStat]:
        """See `EventLog.sources`."""
        with self._lock:
            records = self._stream(stream).records
            count = Counter(record.source for record in records)
            last = {record.source: record for record in records}
        return [
            SourceStat(
                source=source,
                records=count[source],
                last_recorded=last[source].recorded,
                last_time=last[source].time,
            )
            for source in sorted(count)
        ]

    def generation(self, stream: str) -> int:
        """See `EventLog.generation`."""
        return self._stream(stream).generation

    def supersede(self, stream: str, staged: str, upto: int, recorded: datetime) -> Superseded:
        """See `EventLog.supersede`."""
        checked_staged(staged)
        with self._lock:
            target, scratch = self._streams.setdefault(checked_stream(stream), _Stream()), self._stream(staged)
            kept, removed = target.remove_derived(upto, scratch.seen)
            added = sum(
                target.add(_again(stored), stored.time, _utc(recorded), stored.partition) for stored in scratch.records
            )
            self.discard(staged)
        return Superseded(kept, removed, added)

    def discard(self, staged: str) -> None:
        """See `EventLog.discard`."""
        with self._lock:
            self._streams.pop(checked_staged(staged), None)

    def check(self) -> None:
        """Nothing to find: memory is not checked."""

    def close(self) -> None:
        """Nothing to release."""


def _utc(moment: datetime) -> datetime:
    return from_us(to_us(moment))


def _again(stored: Stored) -> Record:
    return Record(
        source=stored.source, id=stored.id, key=stored.key, time=stored.time, value=stored.value, origin=stored.origin
    )
