"""Reading what TAPD calls story, bug and task: as its API answers, and with the changes that it notes."""

from __future__ import annotations

import json
import re
from datetime import datetime

from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import listed
from pipeline.events.reading import Node, parse_json
from pipeline.events.tickets import Ticket, local_time, names, text
from pipeline.events.types import TicketUpdated

SOURCE = "https://www.tapd.cn"
STORY, BUG, TASK = "story", "bug", "task"
#: The settings that say which statuses are final, with their defaults.
DEFAULTS = {"utc_offset": "+08:00", "closed_statuses": "resolved, rejected, closed, done, status_final"}
_CLOSED_BUG = frozenset({"closed", "rejected"})
_LISTED = re.compile(r"[|,;]")


def ticket_of(key: str, context: Context) -> Ticket:
    """Return the ticket with an id."""
    return Ticket(SOURCE, context.settings.get("tracker", "").strip() or "tapd", key)


def when(node: Node, field: str, context: Context) -> datetime | None:
    """Return a time, which TAPD writes as clocks in China show it, without a zone."""
    offset = context.settings.get("utc_offset", "").strip() or DEFAULTS["utc_offset"]
    found = node.at(field)
    return local_time(found.value, found.path, offset)


def needed(node: Node, field: str, context: Context) -> datetime:
    """Return a time that must be there."""
    found = when(node, field, context)
    if found is None:
        raise Quarantined("missing_field", f"{node.at(field).path} is absent or empty")
    return found


def person(node: Node, field: str, context: Context) -> str | None:
    """Return the pseudonym of the first of the people that a field lists, separated by semicolons."""
    return context.actor((node.text_or_none(field) or "").partition(";")[0])


def is_closed(kind: str, status: str, context: Context) -> bool:
    """Return whether a status is final: of a bug TAPD says so itself, of the others the settings do."""
    if kind == BUG:
        return status in _CLOSED_BUG
    wanted = context.settings.get("closed_statuses", "").strip() or DEFAULTS["closed_statuses"]
    return status.casefold() in listed(wanted)


def whole_item(kind: str, item: Node, context: Context) -> list[Event]:
    """Return all that a story, bug or task tells of itself, as of when it was last modified."""
    ticket, created = ticket_of(item.key("id"), context), when(item, "created", context)
    at = when(item, "modified", context) or needed(item, "created", context)
    status, project = text(item.text_or_none("status")), item.key_or_none("workspace_id") or ""
    ended = when(item, "closed" if kind == BUG else "completed", context)
    closed = is_closed(kind, status, context) or (kind != BUG and ended is not None)
    data = TicketUpdated(
        tracker=ticket.tracker,
        ticket=ticket.key,
        project=project,
        title=text(item.text_or_none("title" if kind == BUG else "name")),
        kind=kind,
        status=status,
        parent=_parent(item),
        labels=names(part.strip() for part in _LISTED.split(item.text_or_none("label") or "")),
        components=names([item.text_or_none("module")]),
        assignee=person(item, "current_owner" if kind == BUG else "owner", context),
        priority=text(item.text_or_none("priority_label") or item.text_or_none("priority")) or None,
        resolution=(text(item.text_or_none("resolution")) or status or None) if closed else None,
        closed=closed,
    )
    creator = person(item, "reporter" if kind == BUG else "creator", context)
    events = [ticket.created(created, project, creator)] if created else []
    events.append(ticket.looks(at, data))
    if closed:
        events.append(ticket.closed(ended or at, data.resolution))
    return events


def _parent(item: Node) -> str | None:
    """Return the story above. TAPD writes 0 where there is none."""
    told = (item.key_or_none("parent_id") or "0", item.key_or_none("story_id") or "0")
    return next((key for key in told if key.strip("0")), None)


def noted(entry: Node, context: Context) -> list[Event] | str:
    """Return what an entry of the changes of a story or a task tells: that it was created, or moved."""
    key = entry.key_or_none("story_id") or entry.key_or_none("task_id") or entry.key("entity_id")
    ticket, at = ticket_of(key, context), needed(entry, "created", context)
    actor, events = person(entry, "creator", context), list[Event]()
    kind = (entry.text_or_none("entity_type") or STORY).lower()
    what = entry.text_or_none("change_type") or entry.text_or_none("change_summary") or ""
    made = what.startswith("create_")
    if made:
        events.append(ticket.created(at, entry.key_or_none("workspace_id") or "", actor))
    for change in _changes(entry):
        if change.text_or_none("field") == "status":
            before, after = _value(change, "value_before"), _value(change, "value_after")
            events += status_change(kind, ticket, at, (before, after), actor, context, created=made)
    return events or "changes.no_move"


def status_change(
    kind: str,
    ticket: Ticket,
    at: datetime,
    change: tuple[str | None, str | None],
    actor: str | None,
    context: Context,
    *,
    created: bool = False,
) -> list[Event]:
    """Return a move, and the end of the ticket if the status is final. What one starts with is no move."""
    before, after = change
    if not after or (created and not before):
        return []
    closed = [ticket.closed(at, after)] if is_closed(kind, after, context) else []
    return [ticket.moved(at, after, before, actor=actor), *closed]


def _changes(entry: Node) -> list[Node]:
    """Return the fields that changed. Where they are not listed, they are JSON within a text."""
    if entry.has("field_changes"):
        return [change.child() for change in entry.items("field_changes")]
    within = entry.text_or_none("changes")
    if within is None:
        return []
    found = Node(parse_json(within.encode("utf-8", "surrogatepass")), f"{entry.path}.changes")
    return [change.child() for change in found.items()]


def _value(change: Node, field: str) -> str | None:
    value = change.at(field).value
    if value is None or isinstance(value, str):
        return text(value) or None
    return text(json.dumps(value, ensure_ascii=True))
