"""Pull requests, reviews and comments."""

from __future__ import annotations

from datetime import datetime

from connectors.gitea.fields import is_automation, label_names, login, person
from pipeline.events import references
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.forges import (
    MAX_TITLE,
    REVIEW_ASKED,
    REVIEW_WITHDRAWN,
    REVIEWED,
    UPDATED,
    Repository,
    Verdict,
    left_out,
)
from pipeline.events.reading import Node
from pipeline.events.types import ChangeReviewed, ChangeUpdated

#: End of the type of a review in a webhook (`pull_request_review_approved`, `pull_request_comment`) -> verdict.
_TYPES: dict[str, Verdict] = {"approved": "approved", "rejected": "changes_requested", "comment": "commented"}
#: State of a review on a page -> verdict.
_STATES: dict[str, Verdict] = {
    "approved": "approved",
    "request_changes": "changes_requested",
    "comment": "commented",
}
#: Action of a webhook -> what it says of a review.
_ASKED = {"review_requested": REVIEW_ASKED, "review_request_removed": REVIEW_WITHDRAWN}
_DRAFTS = ("WIP:", "[WIP]", "Draft:")


def pull_request(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook of a pull request: whatever the action, the body holds it as it now stands. A review is beside it."""
    pull, action = root.child("pull_request"), root.text_or_none("action")
    events = snapshot(pull, repo, context, closed_now=action == "closed")
    asked = _ASKED.get(action or "")
    if asked is not None:
        change, reviewer = repo.numbered(pull.integer("number")), person(root, "requested_reviewer", context)
        events.append(repo.review_request(asked, change, pull.moment("updated_at"), reviewer=reviewer))
    told = (root.text_or_none("review", "type") or "").rpartition("_")[2]
    verdict = _TYPES.get(told) if action == "reviewed" else None
    if verdict is not None:
        # A webhook does not tell when; the review just now updated the pull request.
        data = _review(root, "sender", repo.numbered(pull.integer("number")), repo, context, verdict)
        events.append(repo.event(REVIEWED, pull.moment("updated_at"), data.change, data))
    return events


def snapshot(pull: Node, repo: Repository, context: Context, *, closed_now: bool = False) -> list[Event]:
    """Return all that a pull request tells of itself: that it was created, what it looks like, and how it ended.

    `closed_now` dates a close of older releases, which do not tell when it was.
    """
    change, created_at = repo.numbered(pull.integer("number")), pull.moment("created_at")
    merged_at, closed_at = pull.moment_or_none("merged_at"), pull.moment_or_none("closed_at")
    closed = merged_at is not None or pull.text_or_none("state") == "closed"
    assistant = references.assistant_account(login(pull, "user"))
    created = repo.created(change, created_at, person(pull, "user", context), assistant)
    events = [created, _updated(pull, change, repo, closed=closed)]
    if merged_at is not None:
        sha = pull.text_or_none("merge_commit_sha") or pull.text_or_none("merged_commit_id")
        events.append(repo.merged(change, merged_at, sha))
    elif closed and not pull.flag("merged"):
        at = closed_at or (pull.moment("updated_at") if closed_now else None)
        events += [repo.abandoned(change, at)] if at else []
    return events


def _updated(pull: Node, change: str, repo: Repository, *, closed: bool) -> Event:
    title, branch, labels = pull.text_or_none("title") or "", pull.text_or_none("head", "ref"), label_names(pull)
    data = ChangeUpdated(
        repo=repo.name,
        change=change,
        title=title[:MAX_TITLE],
        branch=branch,
        base=pull.text_or_none("base", "ref"),
        head_sha=pull.text_or_none("head", "sha"),
        labels=labels,
        refs=repo.change_refs(title, pull.text_or_none("body"), branch, labels),
        assistant=references.assistant_in(pull.text_or_none("body")),
        draft=pull.flag("draft") or title.startswith(_DRAFTS),
        closed=closed,
    )
    return repo.event(UPDATED, pull.moment("updated_at"), change, data)


def _review(
    node: Node, field: str, change: str, repo: Repository, context: Context, verdict: Verdict
) -> ChangeReviewed:
    return ChangeReviewed(
        repo=repo.name,
        change=change,
        verdict=verdict,
        reviewer=person(node, field, context),
        automated=is_automation(node, field),
    )


def polled_review(item: Node, number: int, repo: Repository, context: Context) -> Outcome:
    """An item of a page of reviews: of a team or a person who is asked for one, or what was said."""
    state = item.text("state").lower()
    if state == "request_review":
        asked_at, team = item.moment("submitted_at"), item.text_or_none("team", "name")
        reviewer = person(item, "user", context)
        return [repo.review_request(REVIEW_ASKED, repo.numbered(number), asked_at, team=team, reviewer=reviewer)]
    verdict = _STATES.get(state)
    if verdict is None:
        return left_out("pull_review", state)
    told: Verdict = "dismissed" if item.flag("dismissed") else verdict
    data = _review(item, "user", repo.numbered(number), repo, context, told)
    return [repo.event(REVIEWED, item.moment("submitted_at"), data.change, data)]


def comment(node: Node, at: datetime, number: int, repo: Repository, context: Context) -> list[Event]:
    """Return the event of a comment on a pull request."""
    data = _review(node, "user", repo.numbered(number), repo, context, "commented")
    return [repo.event(REVIEWED, at, data.change, data, "comment", node.key("id"))]


def commented(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook of a comment. Only on a pull request does it tell something about a change."""
    if root.text_or_none("action") == "deleted":
        return "comment.deleted"
    issue, node = root.child("issue"), root.child("comment")
    url = (issue.text_or_none("html_url") or "") + (node.text_or_none("html_url") or "")
    if root.flag("is_pull") or issue.has("pull_request") or "/pulls/" in url:
        # Early releases do not date a comment; one that was just made updated the pull request.
        just_now = issue.moment_or_none("updated_at") if root.text_or_none("action") == "created" else None
        at = node.moment_or_none("created_at") or just_now or node.moment("created_at")
        return comment(node, at, issue.integer("number"), repo, context)
    return "comment.on_issue"
