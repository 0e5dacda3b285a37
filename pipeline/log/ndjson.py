"""A stream as lines of JSON: one record a line, the value as it is if it is JSON, else in base64.

{"stream":"events","offset":1,"partition":0,"source":...,"id":...,"key":...,"time":...,"recorded":...,"origin":4,"value":{...}}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO

import msgspec

from pipeline.events.codec import decode
from pipeline.events.errors import ConfigError, Quarantined
from pipeline.log.protocol import EVENTS, EventLog, Record, Stored, event_record
from pipeline.log.transfer import BATCH, Copied, Progress


class _Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    stream: str | None = None
    offset: int = 0
    partition: int = 0
    source: str
    id: str
    key: str
    time: datetime
    recorded: datetime
    origin: int = 0
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    base64: bytes | None = None


class _Form(msgspec.Struct):
    """What tells a plain CloudEvent from a line of an export."""

    specversion: str | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Line)
_form_decoder = msgspec.json.Decoder(_Form)
_raw_decoder = msgspec.json.Decoder(msgspec.Raw)


def to_line(stored: Stored, stream: str) -> bytes:
    """Return a record of a stream as one line, without its end."""
    plain = _is_json_line(stored.value)
    return _encoder.encode(
        _Line(
            stream=stream,
            offset=stored.offset,
            partition=stored.partition,
            source=stored.source,
            id=stored.id,
            key=stored.key,
            time=stored.time,
            recorded=stored.recorded,
            origin=stored.origin,
            value=msgspec.Raw(stored.value) if plain else msgspec.UNSET,
            base64=None if plain else stored.value,
        )
    )


def _is_json_line(value: bytes) -> bool:
    """Return whether the very bytes of `value` can stand in a line of JSON and be found there again."""
    if b"\n" in value or b"\r" in value or value.strip() != value:
        return False
    try:
        value.decode()
        return bytes(_raw_decoder.decode(value)) == value
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return False


def export_ndjson(log: EventLog, stream: str, out: BinaryIO, progress: Progress | None = None) -> int:
    """Write all records of a stream; returns their number."""
    done = 0
    for batch in log.iterate(stream, batch=BATCH):
        out.writelines(to_line(stored, stream) + b"\n" for stored in batch)
        done += len(batch)
        if progress is not None:
            progress(done)
    return done


def read_ndjson(lines: Iterable[bytes], name: str, now: datetime) -> Iterator[Copied]:
    """Yield the records of lines that `export_ndjson` wrote; `name` is that of the file, for messages.

    A line may also be a plain CloudEvent, recorded at its `recordedtime`, else `now`. Empty lines are skipped.
    Raises `ConfigError` with file, line, field and fix for a line that is no record.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{name}:{number}"
        try:
            yield _copied(line, place, now)
        except (Quarantined, msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
            raise ConfigError(
                f"{place}: no record of a log: {error}; correct or remove the line and import again "
                "(what is in the log already is skipped)"
            ) from error


def _copied(raw: bytes, place: str, now: datetime) -> Copied:
    try:
        line = _decoder.decode(raw)
    except msgspec.ValidationError:
        if _form_decoder.decode(raw).specversion is None:
            raise
        return _told(raw, place, now)
    if line.time.tzinfo is None or line.recorded.tzinfo is None:
        raise ValueError("`time` and `recorded` need a zone, such as Z")
    if line.base64 is not None:
        value = line.base64
    elif line.value is not msgspec.UNSET:
        value = bytes(line.value)
    else:
        raise ValueError("neither `value` nor `base64`")
    record = Record(source=line.source, id=line.id, key=line.key, time=line.time, value=value)
    return Copied(record, line.recorded, place, line.stream)


def _told(raw: bytes, place: str, now: datetime) -> Copied:
    """Return the record of a plain CloudEvent, as Leadline itself encodes it."""
    event = decode(raw)
    return Copied(event_record(event), event.recordedtime or now, place, EVENTS)
