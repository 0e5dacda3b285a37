"""Fields that several of GitLab's objects share: times, people, labels, mentions, names of what is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from connectors.gitlab.project import Project
from pipeline.events import references
from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.reading import Node
from pipeline.events.types import Ref, RefVia

#: What became of a payload: events, or the name under which it was left out on purpose.
Outcome = list[Event] | str

MAX_TITLE = 500

_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_BOT = re.compile(r"(?:project|group)_\d+_bot(?:_\w+)?|service_account_\w+|(?:.*[-_])?bot", re.IGNORECASE)
#: `group/subgroup/project#7`: deeper than the owner and repository that `references` knows.
_NESTED = re.compile(r"(?<![\w./&#-])((?:\w[\w.-]*/){2,}\w[\w.-]*)#([1-9]\d{0,8})\b")
_ISSUE_URL = re.compile(r"https?://[\w.:-]+/((?:\w[\w.-]*/)+\w[\w.-]*)/(?:-/)?(?:issues|work_items)/([1-9]\d{0,8})\b")
_MAX_TEXT = 20_000


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


def mentions(text: str | None, via: RefVia, project: Project) -> list[Ref]:
    """Return what a text mentions, also issues in projects of nested groups."""
    if not text:
        return []
    head = text[:_MAX_TEXT]
    nested = [f"{path}#{iid}" for path, iid in [*_NESTED.findall(head), *_ISSUE_URL.findall(head)]]
    found = [Ref("ticket", key, via) for key in nested[: references.MAX_REFS]]
    return references.merge(references.in_text(text, via, project.path), found)


def first_line(message: str | None) -> str:
    """Return the title of a commit message."""
    return next(iter((message or "").strip().splitlines()), "")[:MAX_TITLE]


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
