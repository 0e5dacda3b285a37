"""TAPD's webhooks and API answers -> canonical events."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.tapd.item import (
    BUG,
    STORY,
    TASK,
    needed,
    noted,
    person,
    status_change,
    ticket_of,
    whole_item,
)
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome, joined, translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json, parse_object
from pipeline.events.tickets import text

UNKNOWN = "unknown"
#: What wraps an object of the API -> the kind of a page of these.
_WRAPPERS: Mapping[str, str] = {
    "Bug": "rest.bugs",
    "Story": "rest.stories",
    "Task": "rest.tasks",
    "WorkitemChange": "rest.story_changelogs",
    "TaskChange": "rest.task_changelogs",
    "BugChange": "rest.bug_changelogs",
}
_ITEMS: Mapping[str, str] = {"rest.bugs": BUG, "rest.stories": STORY, "rest.tasks": TASK}
_CHANGES = {"rest.story_changelogs", "rest.task_changelogs"}
_BUG_CHANGES = "rest.bug_changelogs"
#: Objects of webhooks, and answers of the API, that are no tickets.
_LEFT_OUT = {
    "iteration", "wiki", "launch_form", "release", "story_comment", "bug_comment", "task_comment", "test_case",
    "test_plan", "tcase", "story_attachment", "bug_attachment", "task_attachment", "board_card", "timesheet",
}  # fmt: skip
_ACTIONS = {"create", "update", "delete", "status_change", "clone", "move", "restore"}


def secret_of(body: bytes) -> str | None:
    """Return the secret that the body of a webhook repeats; None where there is none, or no body to read."""
    try:
        return parse_object(body).text_or_none("secret")
    except Quarantined:
        return None


def kind_of(body: bytes) -> str:
    """Return the event that a webhook names, or `rest.*` by what wraps the objects of a body; never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, dict) and root.has("event"):
            return root.text("event")
        items = _listed(root)
        wrapped = next((kind for name, kind in _WRAPPERS.items() if items and items[0].has(name)), None)
    except Quarantined:
        return UNKNOWN
    return wrapped or UNKNOWN


def _listed(root: Node) -> list[Node]:
    found = root.at("data") if isinstance(root.value, dict) and root.has("data") else root
    return [item.child() for item in found.items()] if isinstance(found.value, list) else [found.child()]


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a webhook, whose kind is its event (`story::update`), or one of the kinds `rest.*`.

    Pure and total: raises nothing but `Quarantined`.
    """
    kind = delivery.kind
    if kind in _WRAPPERS.values():
        items = _listed(Node(parse_json(delivery.body)))
        found = [_answer(kind, _unwrapped(item), context) for item in items]
        return translation(joined(found) if found else f"{kind}.empty")
    if kind.startswith("rest."):
        raise Quarantined("unknown_kind", f"{kind[:80]!r} is no answer of TAPD that is read")
    return translation(_webhook(kind, parse_object(delivery.body), context))


def _unwrapped(item: Node) -> Node:
    wrapper = next((name for name in _WRAPPERS if item.has(name)), None)
    return item.child(wrapper) if wrapper else item


def _answer(kind: str, item: Node, context: Context) -> Outcome:
    if kind in _ITEMS:
        return whole_item(_ITEMS[kind], item, context)
    if kind in _CHANGES:
        return noted(item, context)
    return _bug_change(item, context)


def _bug_change(item: Node, context: Context) -> Outcome:
    """An entry of the changes of a bug, one for each field."""
    if item.text_or_none("field") != "status":
        return "changes.no_move"
    ticket, at = ticket_of(item.key("bug_id"), context), needed(item, "created", context)
    change = text(item.text_or_none("old_value")) or None, text(item.text_or_none("new_value")) or None
    moved = status_change(BUG, ticket, at, change, person(item, "author", context), context)
    return moved or "changes.no_move"


def _webhook(kind: str, root: Node, context: Context) -> Outcome:
    """A webhook says which fields changed, as `old_<field>` and `new_<field>`; the API knows the rest."""
    event = root.text_or_none("event") or kind
    what, _, action = event.partition("::")
    if what in _LEFT_OUT:
        return what
    if what not in _ITEMS.values() or action not in _ACTIONS:
        raise Quarantined("unknown_kind", f"event is {event[:80]!r}; TAPD documents no such webhook")
    ticket, at = ticket_of(root.key("id"), context), needed(root, "created", context)
    actor = person(root, "current_user", context)
    if action == "delete":
        return [ticket.deleted(at)]
    if action == "create":
        return [ticket.created(at, root.key_or_none("workspace_id") or "", actor)]
    change = text(root.text_or_none("old_status")) or None, text(root.text_or_none("new_status")) or None
    if change[0] == change[1]:
        return f"{what}.no_move"
    return status_change(what, ticket, at, change, actor, context) or f"{what}.no_move"
