"""Fields that several of Gitea's objects share: people, labels."""

from __future__ import annotations

from pipeline.events.delivery import Context
from pipeline.events.reading import Node


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
