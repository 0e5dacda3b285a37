"""Issues and webhooks of a small Jira, and a short way to translate them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.jira import CONNECTOR
from pipeline.events.delivery import Context, Delivery
from pipeline.events.envelope import Event

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BASE = "https://acme.atlassian.net"


def issue(key: str = "GROW-12", *, histories: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    """An open story; `fields` are added or replaced."""
    body: dict[str, Any] = {
        "id": "10012",
        "key": key,
        "self": f"{BASE}/rest/api/3/issue/10012",
        "fields": {
            "summary": "Sign-up in one step",
            "issuetype": {"name": "Story"},
            "status": {"name": "In Progress", "statusCategory": {"key": "indeterminate"}},
            "created": "2026-11-01T09:00:00.123+0000",
            "updated": "2026-11-20T10:00:00.456+0000",
            **fields,
        },
    }
    if histories is not None:
        body["changelog"] = {"startAt": 0, "maxResults": 50, "total": len(histories), "histories": histories}
    return body


def history(change: str, created: str, *items: dict[str, Any]) -> dict[str, Any]:
    """One entry of a changelog."""
    return {"id": change, "author": {"accountId": "5b10"}, "created": created, "items": list(items)}


def item(field: str, before: str | None, after: str | None, **more: Any) -> dict[str, Any]:
    """One item of a change, with the texts that a person sees."""
    return {
        "field": field,
        "fieldtype": "jira",
        "from": before,
        "fromString": before,
        "to": after,
        "toString": after,
        **more,
    }


def link(inward: str, outward: str, *, name: str = "Blocks", **side: str) -> dict[str, Any]:
    """An issue link; `side` is `inwardIssue` or `outwardIssue` and the other issue's key."""
    return {
        "type": {"name": name, "inward": inward, "outward": outward},
        **{at: {"key": key} for at, key in side.items()},
    }


def translated(
    body: Any,
    kind: str = "rest.issue",
    headers: dict[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
) -> list[Event]:
    """Translate a body."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    delivery = Delivery(connector="jira", id="d", kind=kind, received_at=NOON, body=raw, headers=headers or {})
    return list(CONNECTOR.translate(delivery, Context(actor_key=b"key", settings=settings or {})).events)


def configured(body: Any, **settings: str) -> list[Event]:
    """Translate an issue under settings of its own."""
    return translated(body, settings=settings)


def of_type(events: list[Event], predicate: str) -> list[Event]:
    """Return the events whose type has this subject and predicate, e.g. `ticket.moved`."""
    return [event for event in events if f"{predicate}." in event.type.replace("leadline-", "")]
