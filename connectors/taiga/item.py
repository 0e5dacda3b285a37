"""Reading what Taiga calls user story, task, issue and epic: one shape for webhooks and the REST API."""

from __future__ import annotations

from datetime import datetime

from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.reading import Node
from pipeline.events.tickets import Ticket, names, text
from pipeline.events.types import TicketUpdated

DEFAULT_SOURCE = "taiga"
USER_STORY, TASK, ISSUE, EPIC = "userstory", "task", "issue", "epic"


def ticket_of(kind: str, item: Node, context: Context) -> Ticket:
    """Return the ticket that an item is, such as `issue-301`: a `ref` is unique within its project alone."""
    return named(f"{kind}-{item.key('id')}", context)


def named(key: str, context: Context) -> Ticket:
    """Return the ticket with a key."""
    source = context.settings.get("base_url", "").strip().rstrip("/") or DEFAULT_SOURCE
    return Ticket(source, context.settings.get("tracker", "").strip() or "taiga", key)


def project_of(item: Node) -> str:
    """Return the id of the project; a webhook has an object for it."""
    told = item.at("project")
    return (told.key_or_none("id") if isinstance(told.value, dict) else told.key_or_none()) or ""


def whole_item(kind: str, item: Node, context: Context, at: datetime | None = None) -> list[Event]:
    """Return all that an item tells of itself, as of `at`; None: as of when it was last modified."""
    ticket, created = ticket_of(kind, item, context), item.moment_or_none("created_date")
    at = at or item.moment_or_none("modified_date") or item.moment("created_date")
    status = _name(item, "status")
    closed = _closed(item)
    data = TicketUpdated(
        tracker=ticket.tracker,
        ticket=ticket.key,
        project=project_of(item),
        title=text(item.text_or_none("subject")),
        kind=_name(item, "type") or kind if kind == ISSUE else kind,
        status=status,
        parent=_parent(kind, item, context),
        labels=names(_tags(item)),
        assignee=context.actor(_person(item, "assigned_to")),
        priority=_name(item, "priority") or None,
        resolution=status if closed and status else None,
        flagged=item.flag("is_blocked"),
        closed=closed,
    )
    events = [ticket.created(created, data.project, context.actor(_person(item, "owner")))] if created else []
    prefix, ref = context.settings.get("ref_prefix", "").strip(), item.key_or_none("ref")
    if created and prefix and ref:
        events += ticket.alias(f"{prefix}-{ref}", created, data.project)
    events.append(ticket.looks(at, data))
    if closed:
        ended = item.moment_or_none("finish_date") or item.moment_or_none("finished_date")
        events.append(ticket.closed(ended or at, data.resolution))
    return events


def _closed(item: Node) -> bool:
    if item.has("is_closed"):
        return item.flag("is_closed")
    return isinstance(item.at("status").value, dict) and item.flag("status", "is_closed")


def _name(item: Node, field: str) -> str:
    """Return the name of a status, type or priority: an object of a webhook; of the REST API its `..._extra_info`."""
    told = item.at(field)
    if isinstance(told.value, dict):
        return text(told.text_or_none("name"))
    return text(item.text_or_none(f"{field}_extra_info", "name") or told.key_or_none())


def _person(item: Node, field: str) -> str | None:
    told = item.at(field)
    return told.key_or_none("id") if isinstance(told.value, dict) else told.key_or_none()


def _tags(item: Node) -> list[str | None]:
    """A webhook lists tags as texts, the REST API as pairs of a text and a colour."""
    found: list[str | None] = []
    for tag in item.items("tags"):
        pair = tag.items() if isinstance(tag.value, list) else [tag]
        found.append(pair[0].text_or_none() if pair else None)
    return found


def _parent(kind: str, item: Node, context: Context) -> str | None:
    """Return the user story of a task, or the only epic of a user story."""
    if kind == TASK and item.has("user_story"):
        told = item.at("user_story")
        if isinstance(told.value, dict):
            return ticket_of(USER_STORY, told, context).key
        extra = item.child_or_none("user_story_extra_info")
        if extra is not None and extra.has("id"):
            return ticket_of(USER_STORY, extra, context).key
        return named(f"{USER_STORY}-{told.key()}", context).key
    epics = item.items("epics") if kind == USER_STORY else []
    return ticket_of(EPIC, epics[0].child(), context).key if len(epics) == 1 else None
