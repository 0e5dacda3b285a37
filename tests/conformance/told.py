"""Real payloads and what a connector made of them: the checks that hold for every connector."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pipeline.events.codec import decode, encode
from pipeline.events.delivery import Connector, Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined

#: Name, how many were checked, how many failed, note.
Row = tuple[str, int, int, str]

CONTEXT = Context(actor_key=b"conformance")
_RECEIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Told(NamedTuple):
    """A real payload and what became of it."""

    where: str
    kind: str
    body: Any
    outcome: Translation | Quarantined

    @property
    def events(self) -> list[Event]:
        return list(self.outcome.events) if isinstance(self.outcome, Translation) else []

    def of(self, payload: type) -> list[Any]:
        """Return the events with such a payload."""
        return [event for event in self.events if isinstance(event.data, payload)]


def translated(connector: Connector, where: str, kind: str, raw: bytes, headers: dict[str, str] | None = None) -> Told:
    """Translate a payload; anything but a translation or a quarantine is an error of the check itself."""
    delivery = Delivery(
        connector=connector.name, id=where, kind=kind, received_at=_RECEIVED, body=raw, headers=headers or {}
    )
    outcome: Translation | Quarantined
    try:
        outcome = connector.translate(delivery, CONTEXT)
    except Quarantined as error:
        outcome = error
    return Told(where, kind, json.loads(raw), outcome)


def row(name: str, checked: int, mistakes: list[str], note: str) -> Row:
    """Return a row; the first mistakes take the place of the note."""
    return name, checked, len(mistakes), "; ".join(mistakes[:3]) or note


def accounted(name: str, told: list[Told], foreseen: Collection[str] = ()) -> Row:
    """Every payload is translated, left out by name, or, if a person foresaw it, quarantined."""
    counts: Counter[str] = Counter()
    mistakes = []
    for item in told:
        if isinstance(item.outcome, Quarantined):
            counts["quarantined"] += 1
            if item.where not in foreseen:
                mistakes.append(f"{item.where}: {item.outcome}")
            continue
        counts[f"left out as {item.outcome.ignored}" if item.outcome.ignored else "translated"] += 1
        mistakes += [f"{item.where}: {event.type}" for event in item.events if decode(encode(event)) != event]
        if not item.events and not item.outcome.ignored:
            mistakes.append(f"{item.where}: neither events nor a name for leaving it out")
    return row(name, len(told), mistakes, ", ".join(f"{count} {what}" for what, count in counts.most_common()))


def one_content(name: str, told: list[Told]) -> Row:
    """The same id never means two things, over all ways in which the same objects were collected."""
    seen: dict[tuple[str, str], bytes] = {}
    events = [(item.where, event) for item in told for event in item.events]
    mistakes = [
        f"{where}: {event.type} {event.id}"
        for where, event in events
        if seen.setdefault((event.source, event.id), encode(event)) != encode(event)
    ]
    return row(name, len(events), mistakes, f"{len(seen)} distinct events")


def fields(name: str, told: list[Told], mistakes_of: Callable[[Told], list[str] | None]) -> Row:
    """Compare events with the fields of their payload; `mistakes_of` returns None for payloads of another kind."""
    checked, mistakes = 0, []
    for item in told:
        found = None if isinstance(item.outcome, Quarantined) else mistakes_of(item)
        if found is not None:
            checked += 1
            mistakes += [f"{item.where}: {mistake}" for mistake in found]
    return row(name, checked, mistakes, "fields equal those of the payload")


def same(name: str, found: object, expected: object) -> list[str]:
    """Return what is wrong, or nothing."""
    return [] if found == expected else [f"{name} is {found!r}, the payload says {expected!r}"]
