"""Fields that several of GitLab's objects share: times, people, labels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from connectors.gitlab.project import Project
from pipeline.events.delivery import Context
from pipeline.events.reading import Node

_BOT = re.compile(r"(?:project|group)_\d+_bot(?:_\w+)?|service_account_\w+|(?:.*[-_])?bot", re.IGNORECASE)


def second(node: Node, *names: str) -> datetime:
    """Return an instant that must be there, cut to its second: webhooks tell no more, and the copies must agree."""
    return node.moment(*names).replace(microsecond=0)


def second_or_none(node: Node, *names: str) -> datetime | None:
    """Return an instant cut to its second, or None."""
    found = node.moment_or_none(*names)
    return found.replace(microsecond=0) if found else None


def person(project: Project, user_id: int | None, context: Context) -> str | None:
    """Return the pseudonym of an account. Its number is the one name that webhooks and pages both tell."""
    return context.actor(f"{project.host}/-/u/{user_id}") if user_id is not None else None


def is_automation(username: str | None) -> bool:
    """Return whether an account is an access token's, a service account or a bot, as far as its name tells."""
    return username is not None and _BOT.fullmatch(username) is not None


def label_names(labels: Iterable[Node]) -> list[str]:
    """Return the labels, sorted: texts on pages, objects with a title in webhooks."""
    return sorted({found for item in labels if (found := _label(item))})


def _label(item: Node) -> str | None:
    return item.text_or_none() if isinstance(item.value, str) else item.text_or_none("title")
