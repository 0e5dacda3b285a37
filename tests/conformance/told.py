"""Real payloads and what a connector made of them: the checks that hold for every connector."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from pipeline.events.codec import decode, encode
from pipeline.events.delivery import Connector, Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.reading import REASONS
from pipeline.events.types import DeploymentEvent, PipelineRun

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

    def data(self, payload: type) -> list[Any]:
        """Return these payloads alone."""
        return [event.data for event in self.of(payload)]

    @property
    def result(self) -> str:
        """What became of it in a word: `translated`, `ignored:<why>` or `quarantined:<reason>`."""
        if isinstance(self.outcome, Quarantined):
            return f"quarantined:{self.outcome.reason}"
        return f"ignored:{self.outcome.ignored}" if self.outcome.ignored else "translated"

    def finished_runs(self) -> list[tuple[Event, PipelineRun]]:
        """Return the runs that ended, with their events."""
        pairs = [(event, event.data) for event in self.events if ".pipelinerun.finished." in event.type]
        return [(event, data) for event, data in pairs if isinstance(data, PipelineRun)]

    def deployments(self, ending: str) -> list[tuple[Event, DeploymentEvent]]:
        """Return the deployments whose event type holds `ending`: `.deployed.`, `.failed.`, `.cancelled.`."""
        pairs = [(event, event.data) for event in self.events if ending in event.type]
        return [(event, data) for event, data in pairs if isinstance(data, DeploymentEvent)]


def tell(
    connector: Connector,
    where: str,
    kind: str | None,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
) -> Told:
    """Translate a body; `kind` None: whatever the connector calls it by its shape.

    Anything but a translation or a quarantine is an error of the check itself.
    """
    kind = kind or connector.describe({}, body)[0]
    delivery = Delivery(
        connector=connector.name,
        id=where,
        kind=kind,
        received_at=_RECEIVED,
        body=body,
        headers=dict(headers or {}),
    )
    outcome: Translation | Quarantined
    try:
        outcome = connector.translate(delivery, msgspec.structs.replace(CONTEXT, settings=dict(settings or {})))
    except Quarantined as error:
        outcome = error
    return Told(where, kind, json.loads(body), outcome)


def payloads(
    connector: Connector, root: Path, kinds: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Iterator[Told]:
    """Yield every payload of the connector's source; `kinds`: start of the file's name -> kind."""
    for path in sorted((root / "payloads" / connector.name).glob("*.json")):
        start = path.name.split("__")[0]
        yield tell(connector, path.name, (kinds or {}).get(start), path.read_bytes(), headers)


def table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file with long fields."""
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def row(name: str, checked: int, mistakes: list[str], note: str = "") -> Row:
    """Return a row; the first mistakes take the place of the note."""
    return name, checked, len(mistakes), "; ".join(mistakes[:3]) or note


def accounted(name: str, told: Iterable[Told], foreseen: Mapping[str, str] | None = None) -> Row:
    """Every payload is translated, left out by name, or quarantined for the reason that a person foresaw.

    `foreseen`: part of the name of the payload -> reason.
    """
    counts: Counter[str] = Counter()
    mistakes, ids = [], dict[tuple[str, str], bytes]()
    for item in told:
        if isinstance(item.outcome, Quarantined):
            counts["quarantined"] += 1
            expected = next((reason for part, reason in (foreseen or {}).items() if part in item.where), None)
            if item.outcome.reason not in REASONS or item.outcome.reason != expected:
                mistakes.append(f"{item.where}: {item.outcome}")
            continue
        counts[f"left out as {item.outcome.ignored}" if item.outcome.ignored else "translated"] += 1
        for event in item.events:
            raw = encode(event)
            if decode(raw) != event or ids.setdefault((event.source, event.id), raw) != raw:
                mistakes.append(f"{item.where}: {event.type} changes in the codec, or another has its id")
        if not item.events and not item.outcome.ignored:
            mistakes.append(f"{item.where}: neither events nor a name for leaving it out")
    return row(name, counts.total(), mistakes, ", ".join(f"{count} {what}" for what, count in counts.most_common()))


def outcomes(name: str, told: list[Told], foreign: Callable[[Told], bool]) -> Row:
    """Payloads are translated or left out by name; `foreign` ones, and only those, are quarantined."""
    mistakes = [
        f"{each.where}: {each.result}" for each in told if isinstance(each.outcome, Quarantined) != foreign(each)
    ]
    counts = Counter(each.result for each in told)
    events = sum(len(each.events) for each in told)
    note = ", ".join(f"{count} {result}" for result, count in counts.most_common())
    return row(name, len(told), mistakes, f"{events} events; {note}")


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


def fields(name: str, told: Iterable[Told], mistakes_of: Callable[[Told], list[str] | None]) -> Row:
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
