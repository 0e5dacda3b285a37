"""The log: append-only, partitioned, deduplicated streams of bytes with a key, and cursors over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from pipeline.events.codec import encode
from pipeline.events.envelope import Event

DELIVERIES = "deliveries"
EVENTS = "events"

#: Streams whose name begins so are scratch: they may be discarded, and `supersede` takes them in. No other is.
STAGED_PREFIX = "staged_"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is appended. (`source`, `id`) is unique within a stream; `key` chooses the partition; `time` is event time.

    `origin` is the offset in DELIVERIES of what the record was derived from; 0: it was appended by itself.
    """

    source: str
    id: str
    key: str
    time: datetime
    value: bytes
    origin: int = 0


def event_record(event: Event, origin: int = 0) -> Record:
    """Return the record of an event; when it was recorded is the log's to say, so the event's own word is left out."""
    if event.recordedtime is not None:
        event = msgspec.structs.replace(event, recordedtime=None)
    return Record(
        source=event.source,
        id=event.id,
        key=event.partitionkey,
        time=event.time,
        value=encode(event),
        origin=origin,
    )


class Stored(msgspec.Struct, frozen=True):
    """What is read back. Offsets grow within a partition, may have gaps and are never given twice.

    `recorded` is when the log took it in; it never goes back within a stream, even where the clock did.
    """

    partition: int
    offset: int
    source: str
    id: str
    key: str
    time: datetime
    recorded: datetime
    value: bytes
    origin: int = 0


class Appended(msgspec.Struct, frozen=True):
    """The outcome of an append: how many records were new and how many the stream already had."""

    new: int
    duplicates: int


class Superseded(msgspec.Struct, frozen=True):
    """The outcome of `supersede`: derived records that stayed, that went, and that came."""

    kept: int
    removed: int
    added: int


class StreamStat(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one stream. Times are None while it is empty."""

    stream: str
    records: int
    bytes: int
    partitions: int
    first_time: datetime | None
    last_time: datetime | None
    last_recorded: datetime | None


class SourceStat(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream holds of one source: how much, and of its last record when it was taken in and its own time."""

    source: str
    records: int
    last_recorded: datetime
    last_time: datetime


class EventLog(Protocol):
    """An append-only log of named streams.

    Guarantees, held by one contract suite on every implementation: `append` returns only when the records are durable,
    and takes all of a batch or none; a (source, id) that a stream already has is skipped and counted, in the same
    batch too; records of one partition are read in the order of their append; a cursor survives a restart and never
    goes back by itself.
    """

    @property
    def partitions(self) -> int: ...

    def append(self, stream: str, records: Sequence[Record], recorded: datetime | Sequence[datetime]) -> Appended:
        """Append a batch durably. `recorded`: one instant for all, or (a copy of another log) one for each record.

        Raises `Retryable` when the log is busy, full or unreachable, `Corrupt` when it is damaged, ValueError for a
        stream name other than `[a-z][a-z0-9_]*`.
        """
        ...

    def read(self, stream: str, after: int = 0, limit: int = 10_000, partition: int | None = None) -> Sequence[Stored]:
        """Return up to `limit` records with offset > `after`, of one partition or (None) of all in append order.

        Large values end a batch early, so memory stays bounded: only an empty batch means the end.
        """
        ...

    def read_values(self, stream: str, after: int = 0, limit: int = 10_000) -> list[tuple[int, int, bytes]]:
        """Return (offset, recorded, value) of what `read` would return, `recorded` in microseconds since 1970.

        The fast way to replay.
        """
        ...

    def iterate(self, stream: str, after: int = 0, batch: int = 10_000) -> Iterator[Sequence[Stored]]:
        """Yield batches from `after` to the end as it was when the last batch was read."""
        ...

    def end(self, stream: str) -> int:
        """Return the offset of the last record (0: empty)."""
        ...

    def cursor(self, name: str) -> int:
        """Return the committed offset of a consumer (0: never committed)."""
        ...

    def commit(self, name: str, offset: int) -> None:
        """Durably set a consumer's offset."""
        ...

    def stat(self, stream: str) -> StreamStat:
        """Return the figures of a stream, at a cost that does not grow with it."""
        ...

    def sources(self, stream: str) -> list[SourceStat]:
        """Return what each source told, by name, at a cost that grows with the stream: for a person who asks."""
        ...

    def generation(self, stream: str) -> int:
        """Return how often records of the stream were taken back (0: never).

        State that was folded from an older generation is void and has to be folded again from offset 0.
        """
        ...

    def supersede(self, stream: str, staged: str, upto: int, recorded: datetime) -> Superseded:
        """Replace what `stream` derived from the deliveries 1..`upto` by the scratch stream `staged`, in one step.

        A record that `staged` holds with the same (source, id) and value stays where it is; one that it lacks or holds
        with another value goes; the rest of `staged` is appended, taken in at `recorded`. Records with origin 0 or
        beyond `upto` stay. Then `staged` is discarded and, if anything went, the stream's generation is one higher.
        """
        ...

    def discard(self, staged: str) -> None:
        """Forget a scratch stream. Raises ValueError if its name does not begin with `STAGED_PREFIX`."""
        ...

    def check(self) -> None:
        """Read all that is stored and raise `Corrupt`, naming the first damage, unless it is sound."""
        ...

    def close(self) -> None: ...
