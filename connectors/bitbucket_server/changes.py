"""Pull requests, reviews and comments. Dates are milliseconds since 1970, or ISO 8601, by event and release."""

from __future__ import annotations

from datetime import datetime

from connectors.bitbucket_server.repository import Repository, is_automation, of_object, person
from pipeline.events import references
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.forges import MAX_TITLE, REVIEWED, UPDATED, Verdict
from pipeline.events.reading import Node
from pipeline.events.types import ChangeReviewed, ChangeUpdated

_REVIEWS: dict[str, Verdict] = {
    "pr:reviewer:approved": "approved",
    "pr:reviewer:needs_work": "changes_requested",
    "pr:reviewer:changes_requested": "changes_requested",
    "pr:reviewer:unapproved": "dismissed",
}


def webhook(kind: str, root: Node, context: Context) -> Outcome:
    """A webhook about a pull request, whose state is beside whatever happened."""
    pull = root.child("pullRequest")
    repo = of_object(pull.child("toRef", "repository"), context)
    change = repo.numbered(pull.integer("id"))
    if kind == "pr:comment:deleted":
        return "comment.deleted"
    if kind.startswith("pr:comment:"):
        node = root.child("comment")
        author = node.child_or_none("author")
        said = _reviewed(repo, change, node.moment("createdDate"), author, context, "commented", node.key("id"))
        return [*snapshot(pull, repo, context), said]
    events = snapshot(pull, repo, context)
    if kind in _REVIEWS:
        reviewer = root.child_or_none("participant", "user") or root.child_or_none("actor")
        events.append(_reviewed(repo, change, root.moment("date"), reviewer, context, _REVIEWS[kind]))
    if kind == "pr:deleted" and pull.text_or_none("state") == "OPEN":
        events.append(repo.abandoned(change, root.moment("date")))
    return events


def polled(item: Node, context: Context) -> list[Event]:
    """An item of a page of pull requests."""
    return snapshot(item, of_object(item.child("toRef", "repository"), context), context)


def snapshot(pull: Node, repo: Repository, context: Context) -> list[Event]:
    """Return all that a pull request tells of itself: that it was created, what it looks like, and how it ended."""
    change, created_at = repo.numbered(pull.integer("id")), pull.moment("createdDate")
    author, state = person(pull.child_or_none("author", "user"), context), pull.text_or_none("state")
    assistant = references.assistant_account(pull.text_or_none("author", "user", "name"))
    events = [repo.created(change, created_at, author, assistant), _updated(pull, change, repo, state)]
    closed_at = pull.moment_or_none("closedDate")
    if state == "MERGED":
        sha = pull.text_or_none("properties", "mergeCommit", "id")
        events.append(repo.merged(change, closed_at or pull.moment("updatedDate"), sha))
    elif state == "DECLINED":
        events.append(repo.abandoned(change, closed_at or pull.moment("updatedDate")))
    return events


def _updated(pull: Node, change: str, repo: Repository, state: str | None) -> Event:
    title, branch = pull.text_or_none("title"), pull.text_or_none("fromRef", "displayId")
    data = ChangeUpdated(
        repo=repo.name,
        change=change,
        title=(title or "")[:MAX_TITLE],
        branch=branch,
        base=pull.text_or_none("toRef", "displayId"),
        head_sha=pull.text_or_none("fromRef", "latestCommit"),
        refs=repo.change_refs(title, pull.text_or_none("description"), branch),
        assistant=references.assistant_in(pull.text_or_none("description")),
        draft=pull.flag("draft"),
        closed=state in {"MERGED", "DECLINED"},
    )
    return repo.event(UPDATED, pull.moment("updatedDate"), change, data)


def _reviewed(
    repo: Repository, change: str, at: datetime, user: Node | None, context: Context, verdict: Verdict, *told: str
) -> Event:
    data = ChangeReviewed(
        repo=repo.name,
        change=change,
        verdict=verdict,
        reviewer=person(user, context),
        automated=is_automation(user),
    )
    return repo.event(REVIEWED, at, change, data, *told)
