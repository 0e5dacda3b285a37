"""Deliveries as the log stores them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from pipeline.events.delivery import Delivery
from pipeline.events.errors import Corrupt, Quarantined
from pipeline.log.protocol import DELIVERIES, Appended, EventLog, Record, Stored

_SOURCE = "delivery:"
#: Deliveries, and bytes of bodies, that `store` holds in memory and makes durable at once.
_BATCH = 1_000
_BATCH_BYTES = 32 * 1024 * 1024

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Delivery)


def to_record(delivery: Delivery) -> Record:
    """Return the record of a delivery. A redelivery, with the same connector and id, is a duplicate to the log."""
    return Record(
        source=_SOURCE + delivery.connector,
        id=delivery.id,
        key=delivery.connector,
        time=delivery.received_at,
        value=_encoder.encode(delivery),
    )


def from_stored(stored: Stored) -> Delivery:
    """Return the delivery of a record. Raises `Quarantined` (`bad_delivery`) for bytes that are none."""
    try:
        return _decoder.decode(stored.value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Quarantined("bad_delivery", f"record {stored.offset} of the stream {DELIVERIES}: {error}") from error


def connector_of(stored: Stored) -> str:
    """Return the name of the connector of a record, without reading its value."""
    return connector_named(stored.source)


def connector_named(source: str) -> str:
    """Return the name of the connector whose deliveries have this source in the log."""
    return source.removeprefix(_SOURCE)


def at(log: EventLog, offset: int) -> Stored:
    """Return the record of the delivery at `offset`. Raises `Corrupt` if there is none."""
    found = log.read(DELIVERIES, after=offset - 1, limit=1)
    if not found or found[0].offset != offset:
        raise Corrupt(f"the stream {DELIVERIES} has no record {offset}; restore the log from a copy")
    return found[0]


def store(log: EventLog, deliveries: Iterable[Delivery], recorded: datetime) -> Appended:
    """Append deliveries that were fetched rather than pushed, so that need no verification; durable on return.

    Takes any number of them, a batch at a time. Raises as `EventLog.append` does; the batches before stay stored, and
    storing all of them again adds only what is missing.
    """
    new = duplicates = size = 0
    batch: list[Record] = []

    def flush() -> None:
        nonlocal new, duplicates, size
        appended = log.append(DELIVERIES, batch, recorded)
        new, duplicates, size = new + appended.new, duplicates + appended.duplicates, 0
        batch.clear()

    for delivery in deliveries:
        batch.append(to_record(delivery))
        size += len(delivery.body)
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            flush()
    flush()
    return Appended(new, duplicates)
