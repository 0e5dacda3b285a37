"""Fields that several of Gitea's objects share: people, labels, names of what is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.reading import Node

#: What became of a payload: events, or the name under which it was left out on purpose.
Outcome = list[Event] | str

MAX_TITLE = 500

_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


def login(node: Node, field: str) -> str | None:
    """Return the name of the account in `field`; Gogs writes it as `username`. None for a deleted account."""
    return node.text_or_none(field, "login") or node.text_or_none(field, "username")


def person(node: Node, field: str, context: Context) -> str | None:
    """Return the pseudonym of the account in `field`."""
    return context.actor(login(node, field))


def is_automation(node: Node, field: str) -> bool:
    """Return whether the account in `field` is the one of Actions, or calls itself a bot."""
    return (login(node, field) or "").lower().endswith(("[bot]", "-bot", "-actions"))


def label_names(node: Node) -> list[str]:
    """Return the labels, sorted."""
    return sorted({item.text("name") for item in node.items("labels")})


def joined(outcomes: Iterable[Outcome]) -> Outcome:
    """Join the outcomes of several items, each event once. They count as left out only if none tells anything."""
    events: dict[str, Event] = {}
    reasons: list[str] = []
    for outcome in outcomes:
        if isinstance(outcome, str):
            reasons.append(outcome)
        else:
            events.update((event.id, event) for event in outcome)
    return reasons[0] if reasons and not events else list(events.values())


def left_out(kind: str, what: str | None) -> str:
    """Return the name of something that is left out; what is not written like a name counts as `other`."""
    return f"{kind}.{what if what and _CODE.fullmatch(what) else 'other'}"
