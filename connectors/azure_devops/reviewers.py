"""Groups whose review was asked for. Azure lists them among the reviewers; its threads tell when one was added."""

from __future__ import annotations

import re
from datetime import datetime

from connectors.azure_devops.place import repository_of, source, urls_of
from pipeline.events.coordination import ReviewRequest
from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.forges import REVIEW_ASKED, REVIEW_WITHDRAWN
from pipeline.events.reading import Node

CREATED_HOOK = "git.pullrequest.created"

#: A group as it is displayed: its project or organization, and its own name.
_GROUP = re.compile(r"\[[^\]]+\]\\(.+)")
#: Kind of a thread -> its property that names who was asked, or is no longer asked.
_THREADS = (
    ("ReviewersUpdate", "CodeReviewReviewersUpdatedAddedIdentity", REVIEW_ASKED),
    ("ReviewersUpdate", "CodeReviewReviewersUpdatedRemovedIdentity", REVIEW_WITHDRAWN),
    ("RequiredReviewer", "CodeReviewRequiredReviewerExampleReviewerIdentities", REVIEW_ASKED),
)


def shown(pull: Node, kind: str | None, at: datetime | None, context: Context) -> list[Event]:
    """Return the requests that a hook of an open pull request shows: made with it, or else by then.

    A group that voted is left out: it was asked earlier, and when is not told.
    """
    if at is None or (pull.text_or_none("status") or "").lower() != "active":
        return []
    when = pull.moment("creationDate") if kind == CREATED_HOOK else at
    waiting = [group for group in pull.items("reviewers") if not group.integer_or_none("vote")]
    return [_told(pull, REVIEW_ASKED, team, when, context) for group in waiting if (team := _group(group))]


def asked(pull: Node, threads: list[Node], context: Context) -> list[Event]:
    """Return the requests that threads note, and those made with the pull request, of which there is no thread."""
    noted = [
        (event_type, team, thread.moment("publishedDate"))
        for thread in threads
        for kind, field, event_type in _THREADS
        if prop(thread, "CodeReviewThreadType") == kind
        for team in _named(thread, field)
    ]
    named, created = {team for _, team, _ in noted}, pull.moment("creationDate")
    first = dict.fromkeys(team for group in pull.items("reviewers") if (team := _group(group)) and team not in named)
    told = [*((REVIEW_ASKED, team, created) for team in first), *noted]
    return [_told(pull, event_type, team, at, context) for event_type, team, at in told]


def prop(thread: Node, name: str) -> str | None:
    """Return a property of a thread, which is a value together with its type."""
    found = thread.at("properties", name)
    return found.key_or_none("$value") if isinstance(found.value, dict) else found.key_or_none()


def _named(thread: Node, field: str) -> list[str]:
    """Return the groups that a property names by their places among the thread's identities."""
    places = re.findall(r"\w+", prop(thread, field) or "")
    found = (_group(thread.at("identities", place)) for place in places)
    return list(dict.fromkeys(team for team in found if team))


def _group(identity: Node) -> str | None:
    """Return the bare name of a group, None for a person."""
    name = identity.text_or_none("displayName") or ""
    found = _GROUP.fullmatch(name)
    if found:
        return found[1]
    return name if name and identity.flag("isContainer") else None


def _told(pull: Node, event_type: str, team: str, at: datetime, context: Context) -> Event:
    repo = repository_of(pull.child("repository"))
    where = source(context, repo, *urls_of(pull), *urls_of(pull.child("repository")))
    change = f"{repo}#{pull.integer('pullRequestId')}"
    return where.event(event_type, at, change, ReviewRequest(repo=repo, change=change, team=team))
