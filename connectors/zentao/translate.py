"""ZenTao's webhooks and REST answers -> canonical events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome, joined, translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.forges import left_out
from pipeline.events.reading import Node, parse_json, parse_object
from pipeline.events.tickets import Ticket, local_time, names, text
from pipeline.events.types import TicketUpdated

UNKNOWN = "unknown"
DEFAULT_SOURCE = "zentao"
DEFAULT_OFFSET = "+08:00"
PUSHED = "webhook"
BUG, STORY, TASK = "bug", "story", "task"
#: Kind of a page, and the list in it -> what it lists.
_PAGES: Mapping[str, str] = {"rest.bugs": BUG, "rest.stories": STORY, "rest.tasks": TASK}
_PUSHED_TYPES = {BUG, STORY, "requirement", "epic", TASK}
#: Action of a webhook -> the status that it leads to.
_MOVES: Mapping[str, str] = {
    "resolved": "resolved",
    "activated": "active",
    "started": "doing",
    "restarted": "doing",
    "paused": "pause",
    "finished": "done",
    "canceled": "cancel",
    "closed": "closed",
    "changed": "changing",
    "reviewed": "active",
    "suspended": "suspended",
}
_ACTIVE: Mapping[str, str] = {TASK: "doing"}
_CREATED = {"opened", "created", "frombug", "fromstory"}
_CLOSED = {"closed", "cancel"}
#: Time of a change of status, who made it, the status -> in an object of the API.
_STAMPS = (
    ("resolvedDate", "resolvedBy", "resolved"),
    ("realStarted", None, "doing"),
    ("finishedDate", "finishedBy", "done"),
    ("canceledDate", "canceledBy", "cancel"),
    ("closedDate", "closedBy", "closed"),
)


def kind_of(body: bytes) -> str:
    """Return `webhook`, or `rest.*` by the shape of a body; never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, dict) and root.has("objectType") and root.has("action"):
            return PUSHED
        page = next((kind for kind in _PAGES if root.has(kind.removeprefix("rest."))), None)
        item = root.child()
        if page or not (item.has("id") and item.has("status") and item.has("openedDate")):
            return page or UNKNOWN
        fields = item.value if isinstance(item.value, dict) else {}
    except Quarantined:
        return UNKNOWN
    if "openedBuild" in fields or "severity" in fields:
        return "rest.bugs"
    return "rest.stories" if "stage" in fields or "spec" in fields else "rest.tasks"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery of the kind `webhook`, `rest.bugs`, `rest.stories` or `rest.tasks`.

    Pure and total: raises nothing but `Quarantined`.
    """
    kind = delivery.kind
    if kind == PUSHED:
        return translation(_pushed(parse_object(delivery.body), context))
    if kind not in _PAGES:
        raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither a webhook of ZenTao's nor a page that is read")
    root = Node(parse_json(delivery.body))
    listed = root.at(kind.removeprefix("rest.")) if isinstance(root.value, dict) else root
    items = listed.items() if isinstance(listed.value, list) else [root]
    found = [_item(_PAGES[kind], item.child(), context) for item in items]
    return translation(joined(found) if found else f"{kind}.empty")


def _ticket(kind: str, identity: str, context: Context) -> Ticket:
    """Bugs, stories and tasks have numbers of their own, so that the kind is part of the key."""
    source = context.settings.get("base_url", "").strip().rstrip("/") or DEFAULT_SOURCE
    return Ticket(source, context.settings.get("tracker", "").strip() or "zentao", f"{kind}-{identity}")


def _when(item: Node, field: str, context: Context) -> datetime | None:
    """Return a time. ZenTao writes zeros where there is none, and no zone in webhooks."""
    found = item.at(field)
    if isinstance(found.value, str) and found.value.startswith(("0000-", "-0001-")):
        return None
    return local_time(found.value, found.path, context.settings.get("utc_offset", "").strip() or DEFAULT_OFFSET)


def _account(item: Node, field: str | None) -> str | None:
    """Return who it was: a user, or the account alone. What is closed is assigned to nobody, called `closed`."""
    told = item.at(field) if field else Node(None)
    account = told.text_or_none("account") if isinstance(told.value, dict) else told.text_or_none()
    return None if account == "closed" else account


def _number(item: Node, *fields: str) -> str | None:
    """Return the first id that is none of the zeros and signs that ZenTao writes where there is none."""
    found = (item.key_or_none(field) for field in fields)
    return next((each for each in found if each and each.isdigit() and each.strip("0")), None)


def _item(kind: str, item: Node, context: Context) -> list[Event]:
    """Return all that a bug, story or task tells of itself, with the changes of its status that it dates."""
    ticket, created = _ticket(kind, item.key("id"), context), _when(item, "openedDate", context)
    edited = _when(item, "lastEditedDate", context) or created
    if edited is None:
        raise Quarantined("missing_field", f"{item.path or 'body'}.openedDate is absent or empty")
    status, project = text(item.text("status")), _project(kind, item)
    closed = status in _CLOSED
    resolution = text(item.text_or_none("resolution") or item.text_or_none("closedReason")) or None
    data = TicketUpdated(
        tracker=ticket.tracker,
        ticket=ticket.key,
        project=project,
        title=text(item.text_or_none("title") or item.text_or_none("name")),
        kind=kind,
        status=status,
        parent=_parent(kind, item),
        labels=names(part.strip() for part in (item.text_or_none("keywords") or "").split(",")),
        assignee=context.actor(_account(item, "assignedTo")),
        priority=item.key_or_none("pri"),
        resolution=resolution,
        closed=closed,
    )
    events = [ticket.created(created, project, context.actor(_account(item, "openedBy")))] if created else []
    events += [ticket.looks(edited, data), *_dated(ticket, item, context)]
    ended = _when(item, "closedDate", context) or _when(item, "canceledDate", context)
    if closed:
        events.append(ticket.closed(ended or edited, resolution or status))
    if item.flag("deleted"):
        events.append(ticket.deleted(edited))
    return events


def _dated(ticket: Ticket, item: Node, context: Context) -> list[Event]:
    """Return the changes of status that an object of the API dates, as a webhook tells them."""
    events = []
    for field, by, status in _STAMPS:
        at = _when(item, field, context)
        if at is not None:
            events.append(ticket.moved(at, status, actor=context.actor(_account(item, by)) if by else None))
    return events


def _project(kind: str, item: Node) -> str:
    """Return what a ticket belongs to: the product of a bug or story, the project of a task."""
    fields = ("project", "execution") if kind == TASK else ("product", "project")
    return next((f"{field}-{number}" for field in fields if (number := _number(item, field))), "")


def _parent(kind: str, item: Node) -> str | None:
    """Return the ticket above: of the same kind, else the story that a task or bug is for."""
    above = _number(item, "parent")
    if above and kind != BUG:
        return f"{kind}-{above}"
    story = _number(item, "story") if kind != STORY else None
    return f"{STORY}-{story}" if story else None


def _pushed(root: Node, context: Context) -> Outcome:
    """A webhook names the object, and what was done to it; the status that this leads to follows."""
    what, action = root.text("objectType"), root.text("action").lower()
    if what not in _PUSHED_TYPES:
        return left_out("webhook", what.lower())
    kind = what if what in {BUG, TASK} else STORY
    ticket, at = _ticket(kind, root.key("objectID"), context), _when(root, "date", context)
    if at is None:
        raise Quarantined("missing_field", "date is absent or empty")
    actor = context.actor(root.text_or_none("actor"))
    if action in _CREATED:
        return [ticket.created(at, _pushed_project(kind, root), actor)]
    if action == "deleted":
        return [ticket.deleted(at)]
    if action not in _MOVES:
        return left_out("webhook", action)
    status = _ACTIVE.get(kind, _MOVES[action]) if action == "activated" else _MOVES[action]
    moved = ticket.moved(at, status, actor=None if status == "doing" else actor)
    return [moved, ticket.closed(at, status)] if status in _CLOSED else [moved]


def _pushed_project(kind: str, root: Node) -> str:
    """A webhook lists products and projects between commas."""
    field = "project" if kind == TASK else "product"
    value = root.at(field).value
    first = str(value).strip(",").partition(",")[0] if isinstance(value, str | int) else ""
    return f"{field}-{first}" if first.isdigit() and first.strip("0") else ""
