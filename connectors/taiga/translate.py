"""Taiga's webhooks and REST answers -> canonical events."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.taiga.item import EPIC, ISSUE, TASK, USER_STORY, named, ticket_of, whole_item
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome, joined, translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json, parse_object
from pipeline.events.tickets import Ticket, text

UNKNOWN = "unknown"
HISTORY = "rest.history"
_PAGES: Mapping[str, str] = {
    "rest.user_stories": USER_STORY,
    "rest.tasks": TASK,
    "rest.issues": ISSUE,
    "rest.epics": EPIC,
}
_LEFT_OUT = {"milestone", "wikipage", "relateduserstory", "test"}
_ACTIONS = {"create", "change", "delete", "test"}
#: What an entry of a history is about, such as `userstories.userstory:102`.
_KEY = re.compile(r"[a-z]+\.(userstory|task|issue|epic):(\d+)")


def kind_of(body: bytes) -> str:
    """Return type and action of a webhook, or `rest.*` by the shape of a body; never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, dict) and root.has("action") and root.has("type"):
            return f"{root.text('type')}.{root.text('action')}"
        items = _listed(root)
        return _shape(items[0]) if items else UNKNOWN
    except Quarantined:
        return UNKNOWN


def _shape(item: Node) -> str:
    if item.has("values_diff") or item.has("diff"):
        return HISTORY
    if not item.has("ref") or not item.has("subject"):
        return UNKNOWN
    fields = item.value if isinstance(item.value, dict) else {}
    if "severity" in fields or "severity_extra_info" in fields or "type_extra_info" in fields:
        return "rest.issues"
    if "user_story" in fields or "is_iocaine" in fields:
        return "rest.tasks"
    return "rest.epics" if "epics_order" in fields else "rest.user_stories"


def _listed(root: Node) -> list[Node]:
    return [item.child() for item in root.items()] if isinstance(root.value, list) else [root.child()]


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a webhook, whose kind is `<type>.<action>`, or one of the kinds `rest.*`.

    Pure and total: raises nothing but `Quarantined`.
    """
    kind = delivery.kind
    if kind in _PAGES:
        items = _listed(Node(parse_json(delivery.body)))
        return translation(joined(whole_item(_PAGES[kind], item, context) for item in items))
    if kind == HISTORY:
        items = _listed(Node(parse_json(delivery.body)))
        return translation(joined(_entry(item, context) for item in items))
    return translation(_webhook(parse_object(delivery.body), kind, context))


def _webhook(root: Node, kind: str, context: Context) -> Outcome:
    """The body says what it is; only where it does not, the kind of the delivery counts."""
    named_type, _, named_action = kind.partition(".")
    what, action = root.text_or_none("type") or named_type, root.text_or_none("action") or named_action
    if action not in _ACTIONS:
        raise Quarantined("unknown_kind", f"action is {action[:80]!r}; expected one of {', '.join(sorted(_ACTIONS))}")
    if what in _LEFT_OUT or action == "test":
        return what if what in _LEFT_OUT else "test"
    if what not in _PAGES.values():
        raise Quarantined("unknown_kind", f"type is {what[:80]!r}; Taiga documents no such webhook")
    item, at = root.child("data"), root.moment("date")
    if action == "delete":
        return [ticket_of(what, item, context).deleted(at)]
    events = whole_item(what, item, context, item.moment_or_none("modified_date") or at)
    diff = root.at("change", "diff", "status") if action == "change" else Node(None)
    if diff.value is not None:
        actor = context.actor(root.key_or_none("by", "id"))
        ticket = ticket_of(what, item, context)
        before = text(diff.text_or_none("from")) or None
        events.append(ticket.moved(at.replace(microsecond=0), text(diff.text("to")), before, actor=actor))
    return events


def _entry(item: Node, context: Context) -> Outcome:
    """An entry of a history: `values_diff` holds the names of what changed, before and after."""
    found = _KEY.fullmatch(item.text("key"))
    if found is None:
        raise Quarantined(
            "bad_value", f"{item.path or 'body'}.key is {item.text('key')[:80]!r}; no history has such a key"
        )
    status = item.items("values_diff", "status")
    if len(status) != 2:
        return "history.no_move"
    return [_move(item, named(f"{found[1]}-{found[2]}", context), status, context)]


def _move(item: Node, ticket: Ticket, status: list[Node], context: Context) -> Event:
    at, before = item.moment("created_at").replace(microsecond=0), text(status[0].text_or_none()) or None
    return ticket.moved(at, text(status[1].text()), before, actor=context.actor(item.key_or_none("user", "pk")))
