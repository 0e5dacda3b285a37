"""Real Linear payloads through the connector, compared with what they say."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.linear import CONNECTOR
from connectors.linear.kinds import LEFT_OUT
from pipeline.events.delivery import Context, Delivery
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.types import TicketClosed, TicketCreated, TicketDeleted, TicketMoved, TicketUpdated

Row = tuple[str, int, int, str]

RECEIVED_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CONTEXT = Context(actor_key=b"conformance")
_CLOSED = {"completed", "canceled", "duplicate"}


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for each comparison; `root` is the folder of the real data."""
    outcomes: Counter[str] = Counter()
    failed = checked = differ = 0
    for path in sorted((root / "payloads/linear").glob("*.json")):
        body = json.loads(path.read_bytes())
        events, outcome = _translated(path.read_bytes())
        outcomes[outcome] += 1
        expected = f"ignored:{LEFT_OUT[body['type']]}" if body["type"] in LEFT_OUT else "translated"
        failed += outcome != expected
        if body["type"] == "Issue":
            pairs = _fields(body, events)
            checked += len(pairs)
            differ += sum(said != told for said, told in pairs.values())
    note = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    return [
        ("linear webhooks", outcomes.total(), failed, note),
        ("linear issues as in the source", checked, differ, "fields, moves, closings, deletions and their times"),
    ]


def _translated(raw: bytes) -> tuple[list[Event], str]:
    kind, identity = CONNECTOR.describe({}, raw)
    delivery = Delivery(connector="linear", id=identity, kind=kind, received_at=RECEIVED_AT, body=raw)
    try:
        translation = CONNECTOR.translate(delivery, CONTEXT)
    except Quarantined as error:
        return [], f"quarantined:{error.reason}"
    except Exception as error:  # noqa: BLE001 - that nothing else is raised is what is checked
        return [], f"error:{type(error).__name__}: {error}"
    return list(translation.events), f"ignored:{translation.ignored}" if translation.ignored else "translated"


def _fields(body: dict[str, Any], events: list[Event]) -> dict[str, tuple[object, object]]:
    """Return what the payload says and what our events tell, by field."""
    data, action = body["data"], body["action"]
    key = data.get("identifier") or f"{data['team']['key']}-{data['number']}"
    told = {type(event.data): event for event in events if event.subject == key}
    pairs: dict[str, tuple[object, object]] = {
        "created": (_moment(data["createdAt"]), told[TicketCreated].time),
        "deleted": (action == "remove", TicketDeleted in told),
        "moved": (action == "update" and "stateId" in body.get("updatedFrom", {}), TicketMoved in told),
        "closed": (action != "remove" and data["state"]["type"] in _CLOSED, TicketClosed in told),
    }
    if action == "remove":
        return {**pairs, "deleted_at": (_moment(data["archivedAt"]), told[TicketDeleted].time)}
    seen = told[TicketUpdated].data
    if isinstance(seen, TicketUpdated):
        pairs |= {
            "updated": (_moment(data["updatedAt"]), told[TicketUpdated].time),
            "title": (data["title"], seen.title),
            "status": (data["state"]["name"], seen.status),
            "labels": (sorted(label["name"] for label in data["labels"]), seen.labels),
            "team": (data["team"]["key"], seen.team),
            "parent": (data.get("parentId") or data.get("projectId"), seen.parent),
            "assignee": ("assigneeId" in data, seen.assignee is not None),
        }
    return pairs


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
