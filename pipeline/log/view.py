"""Records as a person reads them, and the end of a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

import msgspec

from pipeline.events.delivery import Delivery
from pipeline.log.protocol import DELIVERIES, EventLog, Stored

_FIRST_WINDOW = 1_000
_PREFIXES = ("dev.cdevents.", "dev.cdeventsx.leadline-")


class _Event(msgspec.Struct):
    """As much of an event as a line shows; it reads types that this release does not know, too."""

    type: str = ""
    subject: str = ""


class Shown(msgspec.Struct, frozen=True):
    """A record in a line: what it is (event type or kind of delivery), and what it is about."""

    type: str
    about: str


_event_decoder = msgspec.json.Decoder(_Event)
_delivery_decoder = msgspec.msgpack.Decoder(Delivery)


def shown(stream: str, stored: Stored) -> Shown:
    """Return what a record of a stream is and is about; "?" where its value cannot be read."""
    try:
        if stream == DELIVERIES:
            delivery = _delivery_decoder.decode(stored.value)
            return Shown(delivery.kind, f"{delivery.connector} {delivery.id} ({len(delivery.body)} bytes)")
        event = _event_decoder.decode(stored.value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Shown("?", f"{stored.source} {stored.id} ({len(stored.value)} bytes)")
    return Shown(event.type or "?", event.subject or f"{stored.source} {stored.id}")


def short_type(name: str) -> str:
    """Return an event type without the prefix that all have and without its version."""
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            words = name.removeprefix(prefix).split(".")
            return ".".join(word for word in words if not word.isdigit())
    return name


def type_filter(stream: str, pattern: str | None) -> Callable[[Stored], bool]:
    """Return a test for records whose type, in full or short, matches a glob; None matches all."""
    if pattern is None:
        return lambda stored: True  # noqa: ARG005 - the shape of a test

    def matches(stored: Stored) -> bool:
        name = shown(stream, stored).type
        return fnmatchcase(name, pattern) or fnmatchcase(short_type(name), pattern)

    return matches


def latest(log: EventLog, stream: str, upto: int, limit: int, wanted: Callable[[Stored], bool]) -> list[Stored]:
    """Return the last `limit` wanted records up to the offset `upto`, oldest first; reads no more than it takes."""
    found: list[Stored] = []
    window = max(_FIRST_WINDOW, limit)
    while upto > 0 and len(found) < limit:
        after = max(0, upto - window)
        part = [stored for stored in _between(log, stream, after, upto) if wanted(stored)]
        found = part + found
        upto, window = after, window * 2
    return found[-limit:] if limit else []


def _between(log: EventLog, stream: str, after: int, upto: int) -> Iterator[Stored]:
    for batch in log.iterate(stream, after):
        for stored in batch:
            if stored.offset > upto:
                return
            yield stored
