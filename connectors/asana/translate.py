"""Asana's webhooks, tasks and stories -> canonical events."""

from __future__ import annotations

from connectors.asana.notices import happened
from connectors.asana.task import ticket_of, whole_task
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome, joined, translation
from pipeline.events.errors import Quarantined
from pipeline.events.forges import left_out
from pipeline.events.reading import Node, parse_json
from pipeline.events.tickets import text

UNKNOWN = "unknown"
EVENTS, TASKS, STORIES = "events", "rest.tasks", "rest.stories"
#: With which whoever asks says which task a list of stories belongs to.
TASK_HEADER = "x-leadline-task"


def kind_of(body: bytes) -> str:
    """Return `events`, `rest.tasks` or `rest.stories` by the shape of a body; never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, dict) and isinstance(root.at("events").value, list):
            return EVENTS
        kinds = {item.text_or_none("resource_type") for item in _listed(root)}
    except Quarantined:
        return UNKNOWN
    return {"task": TASKS, "story": STORIES}.get(str(next(iter(kinds))), UNKNOWN) if len(kinds) == 1 else UNKNOWN


def _listed(root: Node) -> list[Node]:
    """Return the objects of an answer: its `data` is one or many."""
    found = root.at("data") if isinstance(root.value, dict) and root.has("data") else root
    return [item.child() for item in found.items()] if isinstance(found.value, list) else [found.child()]


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery of kind `events`, `rest.tasks` or `rest.stories`; raises nothing but `Quarantined`."""
    kind, root = delivery.kind, Node(parse_json(delivery.body))
    if kind == EVENTS:
        items = root.child().items("events")
        return translation(joined(happened(item.child(), context) for item in items) if items else "heartbeat")
    if kind == TASKS:
        return translation(joined(whole_task(item, context) for item in _listed(root)))
    if kind == STORIES:
        header = delivery.headers.get(TASK_HEADER)
        return translation(joined(_story(item, header, context) for item in _listed(root)))
    raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither a webhook of Asana's nor a page that is read")


def _story(item: Node, header: str | None, context: Context) -> Outcome:
    """What Asana notes below a task when it changes: the sections that it came from and went to, and links."""
    task = item.text_or_none("target", "gid") or header
    if not task:
        raise Quarantined("missing_field", f"{item.path or 'body'}.target.gid is absent; give it in {TASK_HEADER}")
    ticket, at, what = ticket_of(task, context), item.moment("created_at"), item.text_or_none("resource_subtype")
    actor = context.actor(item.text_or_none("created_by", "gid"))
    match what:
        case "section_changed" if item.has("new_section"):
            after, before = item.child("new_section"), item.at("old_section")
            named = text(before.text_or_none("name") or before.text_or_none("gid")) or None
            return [ticket.moved(at, text(after.text_or_none("name") or after.text("gid")), named, actor=actor)]
        case "marked_complete":
            return [ticket.moved(at, "completed", actor=actor), ticket.closed(at, "completed")]
        case "marked_incomplete":
            return [ticket.moved(at, "incomplete", "completed", actor=actor)]
        case "dependency_added" | "dependency_removed" if item.has("dependency", "gid"):
            return [ticket.waits(at, item.text("dependency", "gid"), added=what == "dependency_added")]
        case "dependent_added" | "dependent_removed" if item.has("dependent", "gid"):
            other = ticket_of(item.text("dependent", "gid"), context)
            return [other.waits(at, task, added=what == "dependent_added")]
        case _:
            return left_out("story", what)
