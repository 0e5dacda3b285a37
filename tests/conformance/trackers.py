"""Real payloads of trackers, compared with their own fields."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.events.delivery import Connector
from pipeline.events.reading import parse_time
from pipeline.events.types import TicketClosed, TicketCreated, TicketMoved, TicketUpdated
from tests.conformance.told import Row, Told, accounted, fields, payloads, same

_CHINA = "+08:00"


def check(root: Path) -> list[Row]:
    """Run every payload of these trackers below `root`; returns rows of (name, checked, failed, note)."""
    rows = []
    for name, mistakes in SOURCES.items():
        told = list(payloads(_connector(name), root))
        rows += [accounted(f"{name} payloads", told), fields(f"{name} fields", told, mistakes)]
    return rows


def _connector(name: str) -> Connector:
    found: Connector = importlib.import_module(f"connectors.{name}").CONNECTOR
    return found


def _times(item: Told, payload: type) -> list[datetime]:
    return [event.time for event in item.of(payload)]


def _seen(item: Told) -> dict[str, Any]:
    """Return what a snapshot tells, with the times of creation, of the snapshot and of the end."""
    (snapshot,) = item.data(TicketUpdated)
    return {
        "ticket": snapshot.ticket,
        "title": snapshot.title,
        "status": snapshot.status,
        "closed": snapshot.closed,
        "assignee": snapshot.assignee is not None,
        "created": _times(item, TicketCreated),
        "updated": _times(item, TicketUpdated),
        "ended": _times(item, TicketClosed),
    }


def _compared(item: Told, **wanted: object) -> list[str]:
    found = _seen(item)
    return [mistake for name, value in wanted.items() for mistake in same(name, found[name], value)]


def _at(*values: str | None, zone: str = "") -> list[datetime]:
    times = (parse_time(f"{value}{zone}") for value in values if value)
    return [time for time in times if time is not None]


def _asana(item: Told) -> list[str] | None:
    body = item.body
    return _compared(
        item,
        ticket=body["gid"],
        title=body["name"],
        status=body["memberships"][0]["section"]["gid"],
        closed=body["completed"],
        created=_at(body["created_at"]),
    )


def _taiga(item: Told) -> list[str] | None:
    body = item.body
    kind = "issue" if "severity_extra_info" in body else "userstory"
    ended = body.get("finish_date") or body.get("finished_date")
    return _compared(
        item,
        ticket=f"{kind}-{body['id']}",
        title=body["subject"],
        status=body["status_extra_info"]["name"],
        closed=body["is_closed"],
        assignee=body["assigned_to"] is not None,
        created=_at(body["created_date"]),
        updated=_at(body["modified_date"]),
        ended=_at(ended) if body["is_closed"] else [],
    )


def _tapd(item: Told) -> list[str] | None:
    if "Bug" not in item.body:
        change = item.body["WorkitemChange"]
        made = change["change_type"].startswith("create_")
        wanted = _at(change["created"], zone=_CHINA) if made else []
        moves = [each for each in change["field_changes"] if each["field"] == "status" and each["value_before"]]
        return same("created", _times(item, TicketCreated), wanted) + same(
            "moves", len(item.of(TicketMoved)), len(moves)
        )
    bug = item.body["Bug"]
    return _compared(
        item,
        ticket=bug["id"],
        title=bug["title"],
        status=bug["status"],
        closed=bug["status"] in {"closed", "rejected"},
        assignee=bug["current_owner"] is not None,
        created=_at(bug["created"], zone=_CHINA),
        updated=_at(bug["modified"], zone=_CHINA),
        ended=_at(bug["closed"], zone=_CHINA),
    )


def _teambition(item: Told) -> list[str] | None:
    body = item.body
    if "action" in body:
        content = json.loads(body["content"])
        moved = [(data.from_status, data.to_status) for data in item.data(TicketMoved)]
        wanted = [(content["oldTaskflowstatus"], content["taskflowstatus"])] if "taskflowstatus" in content else []
        made = _at(body["createTime"]) if body["action"] == "create" else []
        return same("moved", moved, wanted) + same("created", _times(item, TicketCreated), made)
    return _compared(
        item,
        ticket=body["id"],
        title=body["content"],
        status=body["tfsId"],
        closed=body["isDone"],
        assignee=body["executorId"] is not None,
        created=_at(body["created"]),
        updated=_at(body["updated"]),
        ended=_at(body["accomplishTime"]) if body["isDone"] else [],
    )


def _zentao(item: Told) -> list[str] | None:
    body = item.body
    resolved = [event.time for event in item.of(TicketMoved) if event.data.to_status == "resolved"]
    return same("resolved", resolved, _at(body["resolvedDate"])) + _compared(
        item,
        ticket=f"bug-{body['id']}",
        title=body["title"],
        status=body["status"],
        closed=body["status"] == "closed",
        assignee=body["assignedTo"] is not None,
        created=_at(body["openedDate"]),
        updated=_at(body["lastEditedDate"]),
    )


SOURCES: dict[str, Callable[[Told], list[str] | None]] = {
    "asana": _asana,
    "taiga": _taiga,
    "tapd": _tapd,
    "teambition": _teambition,
    "zentao": _zentao,
}
