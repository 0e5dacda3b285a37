"""JSON codec: CloudEvents 1.0 in structured mode, with a CDEvents 0.5.1 document as `data`.

    {"specversion": "1.0", "id": ..., "source": ..., "type": ..., "time": ..., "subject": ..., "partitionkey": ...,
     "data": {"context": {...}, "subject": {"id": ..., "content": {...}}, "customData": {...}}}

For a standard CDEvents type Leadline's payload is the `customData`; for its own types it is the `content`.
Encoding the same event gives the same bytes in every process and release (golden bytes hold it to that).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from pipeline.events.cdevents import SPEC_VERSION, content_of
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.types import Payload
from pipeline.events.upcasts import UPCASTS, upcast
from pipeline.events.vocabulary import TYPES

MAX_EVENT_BYTES = 1_000_000


class _Context(msgspec.Struct, kw_only=True):
    specversion: str
    id: str
    source: str
    type: str
    timestamp: datetime


class _Subject(msgspec.Struct, kw_only=True):
    id: str
    content: Any


class _Document(msgspec.Struct, kw_only=True, omit_defaults=True):
    context: _Context
    subject: _Subject
    customData: Any = None


class _CloudEvent(msgspec.Struct, kw_only=True, omit_defaults=True):
    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    subject: str
    partitionkey: str
    datacontenttype: str = ""
    recordedtime: datetime | None = None
    data: Any = None


class _Wire(msgspec.Struct, kw_only=True):
    """The attributes as read. `data` stays raw until the type is known."""

    id: str
    source: str
    type: str
    time: datetime
    data: msgspec.Raw
    specversion: str = "1.0"
    subject: str = ""
    partitionkey: str = ""
    recordedtime: datetime | None = None


def _is_standard(event_type: str) -> bool:
    return event_type.startswith("dev.cdevents.")


def _document_type(event_type: str, payload: object) -> type[msgspec.Struct]:
    """The shape in which the payload of one type is found; everything else in the document is skipped unread."""
    if _is_standard(event_type):
        return msgspec.defstruct("Document", [("customData", payload)])
    subject = msgspec.defstruct("Subject", [("content", payload)])
    return msgspec.defstruct("Document", [("subject", subject)])


_encoder = msgspec.json.Encoder()
_wire_decoder = msgspec.json.Decoder(_Wire)
_payload_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(_document_type(name, payload))
    for name, payload in [*((name, dict[str, Any]) for name in UPCASTS), *TYPES.items()]
}


def encode(event: Event) -> bytes:
    """Return the structured-mode JSON bytes of an event."""
    standard = _is_standard(event.type)
    document = _Document(
        context=_Context(
            specversion=SPEC_VERSION, id=event.id, source=event.source, type=event.type, timestamp=event.time
        ),
        subject=_Subject(id=event.subject, content=content_of(event.type, event.data) if standard else event.data),
        customData=event.data if standard else None,
    )
    return _encoder.encode(
        _CloudEvent(
            specversion="1.0",
            id=event.id,
            source=event.source,
            type=event.type,
            time=event.time,
            subject=event.subject,
            partitionkey=event.partitionkey,
            datacontenttype="application/json",
            recordedtime=event.recordedtime,
            data=document,
        )
    )


def decode(raw: bytes | memoryview) -> Event:
    """Read an event of a current or an older type.

    Raises `Quarantined` with reason `bad_event` (not JSON, not CloudEvents 1.0, or a field of the wrong type, named),
    `unknown_type` (well-formed, but no payload of ours: a newer release may know it) or `too_large`.
    """
    if len(raw) > MAX_EVENT_BYTES:
        raise Quarantined("too_large", f"event of {len(raw)} bytes; the limit is {MAX_EVENT_BYTES}")
    try:
        wire = _wire_decoder.decode(raw)
        decoder = _payload_decoders.get(wire.type)
        if decoder is None:
            raise Quarantined("unknown_type", f"event type {wire.type!r} is not in the vocabulary of this release")
        document = decoder.decode(wire.data)
        event_type, data = wire.type, document.customData if _is_standard(wire.type) else document.subject.content
        if event_type not in TYPES:
            event_type, data = _upcast(event_type, data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Quarantined("bad_event", str(error)) from error
    return _event(wire, event_type, data)


def _upcast(event_type: str, payload: dict[str, Any]) -> tuple[str, Payload]:
    event_type, payload = upcast(event_type, payload)
    return event_type, msgspec.convert(payload, TYPES[event_type])


def _event(wire: _Wire, event_type: str, data: Payload) -> Event:
    if wire.specversion != "1.0":
        raise Quarantined("bad_event", f"specversion {wire.specversion!r}; expected '1.0'")
    if not wire.id or not wire.source:
        raise Quarantined("bad_event", "id and source must not be empty")
    return Event(
        id=wire.id,
        source=wire.source,
        type=event_type,
        time=_utc(wire.time),
        subject=wire.subject,
        partitionkey=wire.partitionkey or wire.source,
        data=data,
        recordedtime=_utc(wire.recordedtime) if wire.recordedtime else None,
    )


def _utc(moment: datetime) -> datetime:
    """CloudEvents times carry a zone; one without is read as UTC rather than as this machine's."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except OverflowError as error:
        raise Quarantined("bad_event", f"time {moment.isoformat()} is not within the years 1 to 9999 in UTC") from error
