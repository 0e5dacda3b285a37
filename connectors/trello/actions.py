"""Actions: what somebody did to a card. A webhook and the REST API tell an action alike."""

from __future__ import annotations

from datetime import datetime

from connectors.trello import kinds
from connectors.trello.card import ARCHIVED, COMPLETE, Card, clean, read_card, resolution_of
from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node

#: Fields of a card whose change closes or reopens it, and as what.
_CLOSING = {"closed": ARCHIVED, "dueComplete": COMPLETE}


def happened(action: Node, context: Context) -> list[Event] | str:
    """Return what an action tells, or the code under which it is left out."""
    kind = action.text("type")
    if kind in kinds.LEFT_OUT:
        return kind
    if kind != kinds.UPDATE and kind not in {kinds.DELETE, *kinds.ARRIVE, *kinds.CREATE}:
        raise Quarantined("unknown_kind", f"{action.path}.type is {kind[:80]!r}; Trello documents no such action")
    data, at = action.child("data"), action.moment("date")
    shown = data.child("card")
    card = read_card(shown, data.text("board", "id"), context)
    if kind == kinds.DELETE:
        return [card.deleted(at)]
    status = clean(data.text_or_none("list", "name"))
    if kind in kinds.CREATE:
        return [*card.created(), card.looks(at, shown, status)]
    actor = context.actor(action.text_or_none("idMemberCreator") or action.text_or_none("memberCreator", "id"))
    if kind in kinds.ARRIVE:
        # Somebody's inbox is no board: what comes from there was with no team.
        came_from = data.text_or_none("boardSource", "id")
        moved = [card.moved(at, None, status, actor)] if status else []
        return [*card.created(), *moved, *([card.transferred(at, came_from, actor)] if came_from else [])]
    return _updated(card, data, at, status, actor)


def _updated(card: Card, data: Node, at: datetime, status: str, actor: str | None) -> list[Event] | str:
    """Read an `updateCard`: `old` holds the fields that changed, as they were, and `card` as they are."""
    shown, old = data.child("card"), data.at("old")
    changed = list(old.value) if isinstance(old.value, dict) else []
    events: list[Event] = []
    if data.has("listAfter"):
        before, after = clean(data.text_or_none("listBefore", "name")), clean(data.text("listAfter", "name"))
        events.append(card.moved(at, before or None, after, actor))
        status = status or after
    for field, resolution in _CLOSING.items():
        if field in changed and shown.flag(field):
            events.append(card.closed(at, resolution))
        elif field in changed and resolution_of(shown) is None:
            # Only a snapshot reopens. It holds what the action tells, less than the card; the next poll has all.
            events.append(card.looks(at, shown, status))
    return events or kinds.left_out_update(changed)
