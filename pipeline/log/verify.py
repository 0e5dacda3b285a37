"""Whether a stream can be read: every value decoded, as its readers would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from pipeline.events.codec import decode
from pipeline.events.delivery import Delivery
from pipeline.events.errors import Quarantined
from pipeline.log.protocol import DELIVERIES, EVENTS, EventLog


def _read_event(value: bytes) -> None:
    value.decode()  # the codec skips what is not Leadline's, but whoever reads it as JSON needs it to be text
    decode(value)


_READERS: Mapping[str, Callable[[bytes], object]] = {
    EVENTS: _read_event,
    DELIVERIES: msgspec.msgpack.Decoder(Delivery).decode,
}


class Unreadable(msgspec.Struct, frozen=True):
    """A record that is stored but cannot be read, and why."""

    stream: str
    offset: int
    source: str
    id: str
    detail: str


def fault(stream: str, value: bytes) -> str | None:
    """Return why this release cannot read a value of DELIVERIES or EVENTS; None: it can."""
    try:
        _READERS[stream](value)
    except (Quarantined, msgspec.MsgspecError, UnicodeDecodeError) as error:
        return str(error)
    return None


def unreadable(log: EventLog, stream: str) -> Iterator[Unreadable]:
    """Yield the records of DELIVERIES or EVENTS that this release cannot read."""
    for batch in log.iterate(stream):
        for stored in batch:
            if (detail := fault(stream, stored.value)) is not None:
                yield Unreadable(stream, stored.offset, stored.source, stored.id, detail)
