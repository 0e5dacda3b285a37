"""The examples of the CDEvents specification, of all its releases, through the connector."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.cdevents import CONNECTOR
from connectors.cdevents.foreign import IGNORED, MAPPED
from pipeline.events.codec import decode, encode
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import REASONS, parse_time

Row = tuple[str, int, int, str]

_CONTEXT = Context(actor_key=b"conformance")
_RECEIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
#: An update that has nothing but its repository.
_EMPTY = "change.updated"


def check(root: Path) -> list[Row]:
    """Check all examples; each row is (what, how many checked, how many wrong, note)."""
    return [
        _examples("cdevents of the specification 0.5.1", root / "cdevents_schemas" / "conformance"),
        _examples("cdevents of all releases", root / "payloads" / "cdevents"),
    ]


def _examples(name: str, folder: Path) -> Row:
    counts: Counter[str] = Counter()
    seen: dict[tuple[str, str], bytes] = {}
    mistakes = []
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_bytes())
        try:
            translation = _translate(path.read_bytes())
        except Quarantined as error:
            counts["quarantined"] += 1
            if error.reason not in REASONS or not document["context"]["type"].startswith("dev.cdeventsx."):
                mistakes.append(f"{path.name}: {error}")
            continue
        counts["mapped" if translation.events else "left out"] += 1
        mistakes += [f"{path.name}: {mistake}" for mistake in _mistakes(document, translation, seen)]
    note = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    return name, counts.total(), len(mistakes), "; ".join(mistakes[:3]) or note


def _translate(body: bytes) -> Translation:
    kind, delivery_id = CONNECTOR.describe({}, body)
    delivery = Delivery(connector="cdevents", id=delivery_id, kind=kind, received_at=_RECEIVED, body=body)
    return CONNECTOR.translate(delivery, _CONTEXT)


def _mistakes(document: dict[str, Any], translation: Translation, seen: dict[tuple[str, str], bytes]) -> list[str]:
    context = document["context"]
    name = ".".join(context["type"].split(".")[2:4])
    found = []
    if bool(translation.events) != (name in MAPPED and name != _EMPTY):
        found.append(f"{len(translation.events)} events of {name}")
    if not translation.events and (translation.ignored or "").split()[0] not in IGNORED | {_EMPTY}:
        found.append(f"left out as {translation.ignored}")
    for event in translation.events:
        told = (event.source, event.time, event.subject)
        if told != (context["source"], parse_time(context["timestamp"]), document["subject"]["id"]):
            found.append(f"{event.type} tells {told}")
        if decode(encode(event)) != event:
            found.append(f"{event.type} does not survive the codec")
        if seen.setdefault((event.source, event.id), encode(event)) != encode(event):
            found.append(f"{event.type} shares its id with another content")
    return found
