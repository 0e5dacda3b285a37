"""Teambition's pushed tasks, and tasks and activities of its API -> canonical events."""

from __future__ import annotations

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome, joined, translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.forges import left_out
from pipeline.events.names import named
from pipeline.events.reading import Node, parse_json, parse_object
from pipeline.events.tickets import Ticket, text
from pipeline.events.types import TicketUpdated

SOURCE = "https://www.teambition.com"
UNKNOWN = "unknown"
TASKS, ACTIVITIES = "rest.tasks", "rest.task_activities"
#: With which whoever asks says which project the tasks of some activities belong to.
PROJECT_HEADER = "x-leadline-project"
_DONE = "done"
#: The activities that close and reopen a task without a status of its own for that.
_CLOSING = {"update.isdone", "done", "task.done", "update.done"}
_REOPENING = {"redo", "task.redo", "update.redo"}
_PRIORITIES = {0: "normal", 1: "urgent", 2: "very urgent", -10: "low"}
_DELETED = {"remove", "delete", "removed", "deleted"}
_CHANGED = {"create", "update", "done", "redo", "rename", "restore", "archive", "unarchive", "move", "copy"}
_PUSHED_LEFT_OUT = {"project", "stage", "tasklist", "post", "file", "event", "work", "tag", "member", "sprint"}


def kind_of(body: bytes) -> str:
    """Return the event of a pushed message, or `rest.*` by the shape of a body; never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, dict) and isinstance(root.at("event").value, str):
            return root.text("event")
        items = _listed(root)
        item = items[0] if items else Node({})
        if item.has("action") and item.has("boundToObjectId"):
            return ACTIVITIES
        known = item.has("id") and (item.has("tfsId") or item.has("tasklistId") or item.has("projectId"))
    except Quarantined:
        return UNKNOWN
    return TASKS if known else UNKNOWN


def _listed(root: Node) -> list[Node]:
    """Return the objects of an answer: its `result` is a list."""
    found = root.at("result") if isinstance(root.value, dict) and root.has("result") else root
    return [item.child() for item in found.items()] if isinstance(found.value, list) else [found.child()]


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a pushed message, whose kind is its event, or one of the kinds `rest.*`.

    Pure and total: raises nothing but `Quarantined`.
    """
    kind = delivery.kind
    if kind in {TASKS, ACTIVITIES}:
        items = _listed(Node(parse_json(delivery.body)))
        project = delivery.headers.get(PROJECT_HEADER, "")
        found = [_task(item, context) if kind == TASKS else _activity(item, project, context) for item in items]
        return translation(joined(found) if found else f"{kind}.empty")
    if kind.startswith("rest."):
        raise Quarantined("unknown_kind", f"{kind[:80]!r} is no answer of Teambition that is read")
    return translation(_pushed(kind, parse_object(delivery.body), context))


def _ticket(key: str, context: Context) -> Ticket:
    return Ticket(SOURCE, context.settings.get("tracker", "").strip() or "teambition", key)


def _either(item: Node, *fields: str) -> str | None:
    """Return a field under the first of its names: pushed tasks have an underscore before those of ids."""
    return next((found for field in fields if (found := item.key_or_none(field))), None)


def _task(item: Node, context: Context) -> list[Event]:
    """Return all that a task tells of itself. Its status and its type are ids; the setting `names` names them."""
    key = _either(item, "id", "_id") or item.text("id")
    ticket, created = _ticket(key, context), item.moment_or_none("created")
    at = item.moment_or_none("updated") or item.moment("created")
    project = _either(item, "projectId", "_projectId") or ""
    closed = item.flag("isDone")
    parents = item.texts("ancestorIds")
    # The nearest one comes first.
    parent = _either(item, "parentTaskId", "parentId", "_parentId") or (parents[0] if parents else None)
    data = TicketUpdated(
        tracker=ticket.tracker,
        ticket=key,
        project=project,
        title=text(item.text_or_none("content")),
        kind=named(context.settings, _either(item, "sfcId", "_scenariofieldconfigId") or "task"),
        status=named(context.settings, _either(item, "tfsId", "_taskflowstatusId", "stageId", "_stageId") or ""),
        parent=parent,
        labels=sorted({named(context.settings, tag) for tag in item.texts("tagIds")}),
        assignee=context.actor(_either(item, "executorId", "_executorId")),
        priority=_priority(item),
        resolution=_DONE if closed else None,
        closed=closed or item.flag("isArchived"),
    )
    creator = context.actor(_either(item, "creatorId", "_creatorId"))
    events = [ticket.created(created, project, creator)] if created else []
    events.append(ticket.looks(at, data))
    ended = item.moment_or_none("accomplishTime") or item.moment_or_none("accomplished")
    if closed:
        events.append(ticket.closed(ended or at, _DONE))
    return events


def _priority(item: Node) -> str | None:
    number = item.integer_or_none("priority")
    return None if number is None else _PRIORITIES.get(number, str(number))


def _activity(item: Node, project: str, context: Context) -> Outcome:
    """Return what an entry of the history of a task tells. What changed is JSON within a text."""
    what, action = item.text_or_none("boundToObjectType") or "task", item.text("action")
    if what != "task":
        return left_out("activity", what)
    ticket, at = _ticket(item.text("boundToObjectId"), context), item.moment("createTime")
    actor = context.actor(item.text_or_none("creatorId"))
    if action == "create":
        return [ticket.created(at, project, actor)]
    if action.lower() in _CLOSING:
        return [ticket.closed(at, _DONE)]
    if action.lower() in _REOPENING:
        return [ticket.moved(at, "redo", actor=actor)]
    if action != "update.taskflowstatus":
        return left_out("activity", action.replace(".", "_").lower())
    content = _content(item)
    before = text(content.text_or_none("oldTaskflowstatus")) or None
    events = [ticket.moved(at, text(content.text("taskflowstatus")), before, actor=actor)]
    if content.flag("isDone"):
        events.append(ticket.closed(at, _DONE))
    return events


def _content(item: Node) -> Node:
    within = item.at("content")
    if isinstance(within.value, dict):
        return within
    return Node(parse_json(item.text("content").encode("utf-8", "surrogatepass")), within.path).child()


def _pushed(kind: str, root: Node, context: Context) -> Outcome:
    event = root.text_or_none("event") or kind
    what, _, action = event.lower().removeprefix("v3.").partition(".")
    if what in _PUSHED_LEFT_OUT:
        return what
    action = action.partition(".")[0]
    if what != "task" or action not in _CHANGED | _DELETED:
        raise Quarantined("unknown_kind", f"event is {event[:80]!r}; Teambition documents no such message")
    data = root.child("data") if root.has("data") else root
    task = data.child("task") if data.has("task") else data
    if action in _DELETED:
        key = _either(task, "id", "_id", "taskId") or task.text("id")
        at = root.moment_or_none("timestamp") or task.moment("updated")
        return [_ticket(key, context).deleted(at)]
    return _task(task, context)
