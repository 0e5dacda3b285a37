"""Trello's webhooks and REST answers -> canonical events."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.trello import kinds
from connectors.trello.actions import happened
from connectors.trello.card import clean, whole_card
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json, parse_object


def describe(body: bytes) -> tuple[str, str | None]:
    """Return the type of the action and an id that a redelivery shares, None if there is none. Never raises.

    A board and a card of it may both be watched; then both tell the action, and the second one shows the whole card.
    """
    try:
        root = parse_object(body)
        action = root.child("action")
        kind, identity = action.text("type"), action.text_or_none("id")
        model = root.text_or_none("model", "id")
    except Quarantined:
        return kinds.UNKNOWN, None
    return kind, f"{identity}/{model}" if identity and model else identity


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a webhook, whose kind is the type of its action, or one of the kinds `rest.*`."""
    root, kind = Node(parse_json(delivery.body)), delivery.kind
    if kind in kinds.REST_LEFT_OUT:
        return Translation(ignored=kinds.REST_LEFT_OUT[kind])
    if kind in kinds.REST_CARDS:
        return _translation(_cards(root, context))
    if kind in kinds.REST_ACTIONS:
        return _joined(happened(action, context) for action in _listed(root))
    if kind.startswith("rest."):
        raise Quarantined("unknown_kind", f"{kind[:80]!r} is no answer of Trello that is read")
    return _webhook(root.child(), context)


def _webhook(root: Node, context: Context) -> Translation:
    action = root.child("action")
    outcome = happened(action, context)
    model = root.at("model")
    if action.has("data", "card", "id") and model.has("id") and model.has("idList"):
        # The card itself is watched, so the message holds all of it.
        status = action.text_or_none("data", "listAfter", "name") or action.text_or_none("data", "list", "name")
        whole = whole_card(model, {model.text("idList"): clean(status)} if status else {}, context)
        return _translation([*whole, *(outcome if isinstance(outcome, list) else [])])
    return Translation(ignored=outcome) if isinstance(outcome, str) else _translation(outcome)


def _cards(root: Node, context: Context) -> list[Event]:
    """Read a board with its cards and lists, a list of cards, or one card."""
    if isinstance(root.value, list):
        return [event for card in root.items() for event in whole_card(card.child(), {}, context)]
    page = root.child()
    if not page.has("cards"):
        return whole_card(page, {}, context)
    lists = {each.text("id"): clean(each.text("name")) for each in page.items("lists")}
    return [event for card in page.items("cards") for event in whole_card(card.child(), lists, context)]


def _listed(root: Node) -> list[Node]:
    return [item.child() for item in root.items()] if isinstance(root.value, list) else [root.child()]


def _joined(outcomes: Iterable[list[Event] | str]) -> Translation:
    """Join the outcomes of several actions. They count as left out only if none tells anything."""
    events: list[Event] = []
    codes: list[str] = []
    for outcome in outcomes:
        if isinstance(outcome, str):
            codes.append(outcome)
        else:
            events += outcome
    return Translation(ignored=codes[0]) if codes and not events else _translation(events)


def _translation(events: list[Event]) -> Translation:
    return Translation(events=list({event.id: event for event in events}.values()))
