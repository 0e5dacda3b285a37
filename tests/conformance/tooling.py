"""What the conformance checks of build and deployment tools do alike: run payloads, account for each of them."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.events.codec import decode, encode
from pipeline.events.delivery import Connector, Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.reading import REASONS
from pipeline.events.types import DeploymentEvent, PipelineRun

Row = tuple[str, int, int, str]

_RECEIVED = datetime.fromisoformat("2026-11-23T12:00:00+00:00")


class Told(NamedTuple):
    """A real payload and what became of it."""

    where: str
    kind: str
    body: Any
    outcome: Translation | Quarantined

    @property
    def events(self) -> list[Event]:
        return list(self.outcome.events) if isinstance(self.outcome, Translation) else []

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
    """Translate a body; `kind` None: whatever the connector calls it by its shape."""
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
        outcome = connector.translate(delivery, Context(actor_key=b"conformance", settings=dict(settings or {})))
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
    """Return a row of the report: the first mistakes, else the note."""
    return name, checked, len(mistakes), "; ".join(mistakes[:3]) or note


def accounted(name: str, told: Iterable[Told], foreseen: Mapping[str, str]) -> Row:
    """Every payload is translated, left out by name, or quarantined for the reason that a person foresaw.

    `foreseen`: part of the file's name -> reason.
    """
    counts: Counter[str] = Counter()
    mistakes, ids = [], dict[tuple[str, str], bytes]()
    for item in told:
        if isinstance(item.outcome, Quarantined):
            counts["quarantined"] += 1
            expected = next((reason for part, reason in foreseen.items() if part in item.where), None)
            if item.outcome.reason not in REASONS or item.outcome.reason != expected:
                mistakes.append(f"{item.where}: {item.outcome}")
            continue
        counts["left out" if item.outcome.ignored else "translated"] += 1
        for event in item.events:
            raw = encode(event)
            if decode(raw) != event or ids.setdefault((event.source, event.id), raw) != raw:
                mistakes.append(f"{item.where}: {event.type} changes in the codec, or another has its id")
        if not item.events and not item.outcome.ignored:
            mistakes.append(f"{item.where}: neither events nor a name for leaving it out")
    return row(name, counts.total(), mistakes, ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))


def fields(name: str, told: Iterable[Told], check: Callable[[Told], list[str] | None]) -> Row:
    """Compare payloads with their own fields; `check` returns what is wrong, or None for what it does not look at."""
    looked_at = [(item, found) for item in told if (found := check(item)) is not None]
    return row(name, len(looked_at), [f"{item.where}: {each}" for item, found in looked_at for each in found])
