"""Linear's webhooks and GraphQL answers -> canonical events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from connectors.linear import answers, kinds, telling
from connectors.linear.item import Item, read_initiative, read_issue, read_project
from connectors.linear.relations import relation
from connectors.linear.workspace import Workspace, team_of, workspace_of
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json, parse_object

_READERS: dict[str, Callable[[Node, Context], Item]] = {
    kinds.ISSUE: read_issue,
    kinds.PROJECT: read_project,
    kinds.INITIATIVE: read_initiative,
}
#: The fields of `updatedFrom` that are there when the status changed, or the identifier.
_STATUS = ("stateId", "statusId", "state", "status")
_IDENTIFIER = ("teamId", "number", "identifier", "previousIdentifiers")


def kind_of(body: bytes, headers: Mapping[str, str]) -> str:
    """Return the kind of a pushed message, from its body or else from `Linear-Event`. Never raises."""
    try:
        root = parse_object(body)
        return f"{root.text('type')}.{root.text('action')}"
    except Quarantined:
        return headers.get("linear-event", "").strip() or kinds.UNKNOWN


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery of the kind `<type>.<action>` or one of `ANSWERS`; raises nothing but `Quarantined`."""
    root = Node(parse_json(delivery.body))
    outcome = (
        answers.answer(delivery.kind, root, context)
        if delivery.kind in answers.ANSWERS
        else _webhook(root.child(), delivery.kind, context)
    )
    if isinstance(outcome, str):
        return Translation(ignored=outcome)
    return Translation(events=list({event.id: event for event in outcome}.values()))


def _webhook(root: Node, kind: str, context: Context) -> list[Event] | str:
    """The body says what it is; only where it does not, the kind of the delivery counts."""
    named, _, did = kind.partition(".")
    what, action = root.text_or_none("type") or named, root.text_or_none("action") or did
    if what in kinds.LEFT_OUT:
        return kinds.LEFT_OUT[what]
    if what not in _READERS and what != kinds.RELATION:
        raise Quarantined("unknown_kind", f"type is {what[:80]!r}; Linear documents no such webhook")
    if action not in kinds.ACTIONS:
        raise Quarantined(
            "unknown_kind", f"action is {action[:80]!r}; expected one of {', '.join(sorted(kinds.ACTIONS))}"
        )
    workspace, at = workspace_of(root.text_or_none("organizationId"), context), _when(root, action)
    if what == kinds.RELATION:
        return relation(root, action, at, workspace)
    item = _READERS[what](root.child("data"), context)
    if action == kinds.REMOVE:
        return [*telling.exists(item, workspace), *telling.deleted(item, at, workspace)]
    return _changed(item, root, action, at, workspace, context)


def _when(root: Node, action: str) -> datetime:
    """Return when it happened: what is removed is not updated, so then the message's own time counts first."""
    data = root.child("data")
    updated = data.moment_or_none("updatedAt")
    if action != kinds.REMOVE and updated is not None:
        return updated
    return (
        data.moment_or_none("archivedAt")
        or root.moment_or_none("createdAt")
        or updated
        or root.moment("webhookTimestamp")
    )


def _changed(item: Item, root: Node, action: str, at: datetime, workspace: Workspace, context: Context) -> list[Event]:
    former = root.at("updatedFrom")
    moved = action == kinds.UPDATE and any(former.has(name) for name in _STATUS)
    renamed = action == kinds.UPDATE and any(former.has(name) for name in _IDENTIFIER)
    events = [*telling.exists(item, workspace), *telling.looks(item, at, workspace)]
    actor = context.actor(root.text_or_none("actor", "id"))
    if moved:
        events += telling.moved(item, at, actor, workspace)
    if action == kinds.UPDATE and former.has("teamId"):
        # The former team is told by a uuid only; the former identifier has its key.
        events += telling.transferred(item, team_of(item.former or ""), item.team or "", at, actor, workspace)
    if renamed and item.former is not None:
        events += telling.also_known_as(item.former, item, at, workspace)
    return [*events, *telling.closed(item, at if moved else None, workspace)]
