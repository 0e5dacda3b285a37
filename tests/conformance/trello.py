"""Real Trello cards through the connector, compared with what they say."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.trello import CONNECTOR
from pipeline.events.delivery import Context, Delivery
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.types import TicketCreated, TicketUpdated

Row = tuple[str, int, int, str]

RECEIVED_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CONTEXT = Context(actor_key=b"conformance")
_EXPECTED = {"rest.cards": "translated", "rest.lists": "ignored:list"}


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for each comparison; `root` is the folder of the real data."""
    outcomes: Counter[str] = Counter()
    failed = checked = differ = 0
    for path in sorted((root / "payloads/trello").glob("*.json")):
        kind = path.name.partition("__")[0].replace("_", ".", 1)
        events, outcome = _translated(kind, path.read_bytes())
        outcomes[outcome] += 1
        failed += outcome != _EXPECTED.get(kind)
        if kind == "rest.cards":
            pairs = _fields(json.loads(path.read_bytes()), events)
            checked += len(pairs)
            differ += sum(said != told for said, told in pairs.values())
    note = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    return [
        ("trello REST answers", outcomes.total(), failed, note),
        ("trello cards as in the source", checked, differ, "code, board, list, title, labels, times, closed"),
    ]


def _translated(kind: str, raw: bytes) -> tuple[list[Event], str]:
    delivery = Delivery(connector="trello", id="d", kind=kind, received_at=RECEIVED_AT, body=raw)
    try:
        translation = CONNECTOR.translate(delivery, CONTEXT)
    except Quarantined as error:
        return [], f"quarantined:{error.reason}"
    except Exception as error:  # noqa: BLE001 - that nothing else is raised is what is checked
        return [], f"error:{type(error).__name__}: {error}"
    return list(translation.events), f"ignored:{translation.ignored}" if translation.ignored else "translated"


def _fields(card: dict[str, Any], events: list[Event]) -> dict[str, tuple[object, object]]:
    """Return what the card says and what our events tell, by field."""
    told = {type(event.data): event for event in events}
    made = datetime.fromtimestamp(int(card["id"][:8], 16), UTC)
    active = datetime.fromisoformat(card["dateLastActivity"])
    seen = told[TicketUpdated].data
    if not isinstance(seen, TicketUpdated):
        return {"snapshot": (True, False)}
    return {
        "created": (made, told[TicketCreated].time),
        "updated": (max(made, active), told[TicketUpdated].time),
        "ticket": (card["shortUrl"].rpartition("/")[2], seen.ticket),
        "board": (card["idBoard"], seen.project),
        "list": (card["idList"], seen.status),
        "title": (card["name"], seen.title),
        "labels": (sorted({label["name"] or label["color"] for label in card["labels"]}), seen.labels),
        "assignee": (bool(card["idMembers"]), seen.assignee is not None),
        "closed": (card["closed"] or card["dueComplete"], seen.closed),
    }
