"""Copies of a stream: a digest to compare two by, and what every format of export and import shares.

A copy carries what was told and when it was recorded, not offsets or origins: an imported event counts as appended
directly, since nothing here vouches for the delivery that it came from. Importing twice adds nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.times import to_us
from pipeline.log.protocol import DELIVERIES, EVENTS, Appended, EventLog, Record, Stored
from pipeline.log.verify import fault

#: Streams that can be imported. The others are derived from these, and name offsets of this very log.
IMPORTABLE = (DELIVERIES, EVENTS)
BATCH = 5_000
_BATCH_BYTES = 32 * 1024 * 1024
_WORD = 8
_DIGEST_MODULUS = 1 << 128

#: Called with the number of records done.
Progress = Callable[[int], None]


class Copied(NamedTuple):
    """One record on its way, with the instant at which the other log had taken it in.

    `place` is where it stands, for messages; `stream` what it was copied from, None: not told.
    """

    record: Record
    recorded: datetime
    place: str
    stream: str | None = None


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream holds, in 32 hexadecimal digits each.

    `content` is equal for two streams with the same records (source, id, key, time, value) in any order; `history`
    only if they were recorded in the same order and at the same instants, too.
    """

    records: int
    content: str
    history: str


def digest(log: EventLog, stream: str) -> Digest:
    """Return the digest of a stream; reads all of it."""
    records = content = 0
    history = hashlib.blake2b(digest_size=16)
    for batch in log.iterate(stream):
        for stored in batch:
            one = _fingerprint(stored)
            content = (content + int.from_bytes(one)) % _DIGEST_MODULUS
            history.update(one + to_us(stored.recorded).to_bytes(_WORD, signed=True))
        records += len(batch)
    return Digest(records=records, content=f"{content:032x}", history=history.hexdigest())


def _fingerprint(stored: Stored) -> bytes:
    hashed = hashlib.blake2b(to_us(stored.time).to_bytes(_WORD, signed=True), digest_size=16)
    for field in (stored.source.encode(), stored.id.encode(), stored.key.encode(), stored.value):
        hashed.update(len(field).to_bytes(_WORD))
        hashed.update(field)
    return hashed.digest()


def import_records(log: EventLog, stream: str, copied: Iterable[Copied], progress: Progress | None = None) -> Appended:
    """Append copied records, keeping the instants at which they were recorded. Records that are there are skipped.

    Raises `ConfigError` for a stream that cannot be imported, and, naming the place, for a record of another stream or
    one that its readers could not read: a log keeps what it takes. An error on the way leaves the batches before it.
    """
    if stream not in IMPORTABLE:
        raise ConfigError(f"the stream {stream!r} cannot be imported; there are: {', '.join(IMPORTABLE)}")
    new = duplicates = 0
    for records, recorded in _batches(_checked(stream, copied)):
        appended = log.append(stream, records, recorded)
        new, duplicates = new + appended.new, duplicates + appended.duplicates
        if progress is not None:
            progress(new + duplicates)
    return Appended(new, duplicates)


def _checked(stream: str, copied: Iterable[Copied]) -> Iterator[Copied]:
    for each in copied:
        if each.stream not in (None, stream):
            raise ConfigError(
                f"{each.place}: this is a copy of the stream {each.stream}, not of {stream}; "
                f"import it with --stream {each.stream}"
            )
        if (why := fault(stream, each.record.value)) is not None:
            raise ConfigError(
                f"{each.place}: cannot be read as one of the {stream}: {why}; correct or remove it and import again "
                "(what is in the log already is skipped)"
            )
        yield each


def _batches(copied: Iterable[Copied]) -> Iterator[tuple[list[Record], list[datetime]]]:
    records: list[Record] = []
    recorded: list[datetime] = []
    size = 0
    for record, moment, *_ in copied:
        records.append(record)
        recorded.append(moment)
        size += len(record.value)
        if len(records) >= BATCH or size >= _BATCH_BYTES:
            yield records, recorded
            records, recorded, size = [], [], 0
    if records:
        yield records, recorded


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to; it takes the place of `path` when the block ends well, and is removed otherwise.

    Raises `ConfigError` if the directory is missing or not writable, `Retryable` if writing fails.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        partial.replace(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); its directory must exist") from error
    except OSError as error:
        raise Retryable(f"{path}: writing failed ({error}); nothing was replaced") from error
    finally:
        partial.unlink(missing_ok=True)
