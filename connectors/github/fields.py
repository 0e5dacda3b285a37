"""Fields that several of GitHub's objects share: people, labels."""

from __future__ import annotations

from pipeline.events.delivery import Context
from pipeline.events.reading import Node
from pipeline.events.references import assistant_account


def person(node: Node, field: str, context: Context) -> str | None:
    """Return the pseudonym of the account in `field`; None for a deleted account."""
    return context.actor(node.text_or_none(field, "login"))


def assistant(node: Node, field: str) -> str | None:
    """Return the coding assistant whose account is in `field`, by its product's name."""
    return assistant_account(node.text_or_none(field, "login"))


def is_automation(node: Node, field: str) -> bool:
    """Return whether the account in `field` is an app or a bot."""
    login = node.text_or_none(field, "login") or ""
    return login.endswith("[bot]") or node.text_or_none(field, "type") == "Bot"


def label_names(node: Node) -> list[str]:
    """Return the labels, sorted: pages and webhooks list them in different orders."""
    found = [item.text_or_none() if isinstance(item.value, str) else item.text("name") for item in node.items("labels")]
    return sorted({name for name in found if name})
