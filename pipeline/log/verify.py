"""Whether a stream can be read: every value decoded, as its readers would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from pipeline.events.codec import decode
from pipeline.events.delivery import Delivery
from pipeline.events.errors import Quarantined
from pipeline.log.protocol import DELIVERIES, EVENTS, EventLog

_READERS: Mapping[str, Callable[[bytes], object]] = {
    EVENTS: decode,
    DELIVERIES: msgspec.msgpack.Decoder(Delivery).decode,
}


class Unreadable(msgspec.Struct, frozen=True):
    """A record that is stored but cannot be read, and why."""

    stream: str
    offset: int
    source: str
    id: str
    detail: str


def unreadable(log: EventLog, stream: str) -> Iterator[Unreadable]:
    """Yield the records of DELIVERIES or EVENTS that this release cannot read."""
    read = _READERS[stream]
    for batch in log.iterate(stream):
        for stored in batch:
            try:
                read(stored.value)
            except (Quarantined, msgspec.MsgspecError) as error:
                yield Unreadable(stream, stored.offset, stored.source, stored.id, str(error))
