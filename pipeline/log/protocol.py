"""The log: append-only, partitioned, deduplicated streams of bytes with a key, and cursors over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

DELIVERIES = "deliveries"
EVENTS = "events"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is appended. (`source`, `id`) is unique within a stream; `key` chooses the partition; `time` is event time."""

    source: str
    id: str
    key: str
    time: datetime
    value: bytes


class Stored(msgspec.Struct, frozen=True):
    """What is read back. Offsets grow within a partition and may have gaps. `recorded` is when the log took it in."""

    partition: int
    offset: int
    source: str
    id: str
    key: str
    time: datetime
    recorded: datetime
    value: bytes


class Appended(msgspec.Struct, frozen=True):
    """The outcome of an append: how many records were new and how many the stream already had."""

    new: int
    duplicates: int


class StreamStat(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one stream. Times are None while it is empty."""

    stream: str
    records: int
    bytes: int
    partitions: int
    first_time: datetime | None
    last_time: datetime | None
    last_recorded: datetime | None


class EventLog(Protocol):
    """An append-only log of named streams.

    Guarantees, held by one contract suite on every implementation: `append` returns only when the records are durable,
    and takes all of a batch or none; a (source, id) that a stream already has is skipped and counted, in the same
    batch too; records of one partition are read in the order of their append; a cursor survives a restart and never
    goes back by itself.
    """

    @property
    def partitions(self) -> int: ...

    def append(self, stream: str, records: Sequence[Record], recorded: datetime) -> Appended:
        """Append a batch durably. Raises `Retryable` when the log is busy or unreachable, `Corrupt` when it is damaged."""
        ...

    def read(
        self, stream: str, after: int = 0, limit: int = 10_000, partition: int | None = None
    ) -> Sequence[Stored]:
        """Return up to `limit` records with offset > `after`, of one partition or (None) of all in append order."""
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

    def stat(self, stream: str) -> StreamStat: ...

    def close(self) -> None: ...
