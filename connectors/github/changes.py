"""Pull requests, reviews and comments."""

from __future__ import annotations

from datetime import datetime

from connectors.github.fields import assistant, is_automation, label_names, person
from connectors.github.repository import number_in
from pipeline.events import references
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.forges import MAX_TITLE, REVIEW_ASKED, REVIEW_WITHDRAWN, REVIEWED, UPDATED, Repository, left_out
from pipeline.events.reading import Node
from pipeline.events.types import ChangeReviewed, ChangeUpdated

#: Action of a webhook, and entry of a history -> what it says of a review.
_ASKED = {"review_requested": REVIEW_ASKED, "review_request_removed": REVIEW_WITHDRAWN}

#: Entries of a history that only a pull request has.
OF_PULL_REQUESTS = frozenset({"merged", *_ASKED})


def pull_request(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook `pull_request`: whatever the action, the body holds the pull request as it now stands."""
    pull, asked = root.child("pull_request"), _ASKED.get(root.text_or_none("action") or "")
    events = snapshot(pull, repo, context)
    if asked is not None:
        change = repo.numbered(pull.integer("number"))
        events.append(_review_request(root, asked, change, pull.moment("updated_at"), repo, context))
    return events


def _review_request(
    node: Node, event_type: str, change: str, at: datetime, repo: Repository, context: Context
) -> Event:
    """Who was asked is beside the pull request: a team, by its slug, or a person."""
    team, reviewer = node.text_or_none("requested_team", "slug"), person(node, "requested_reviewer", context)
    return repo.review_request(event_type, change, at, team=team, reviewer=reviewer)


def snapshot(pull: Node, repo: Repository, context: Context, commits: list[str] | None = None) -> list[Event]:
    """Return all that a pull request tells of itself: that it was created, what it looks like, and how it ended.

    A webhook and a page of the REST API tell it alike, so both give the same events.
    """
    change = repo.numbered(pull.integer("number"))
    merged_at, closed_at = pull.moment_or_none("merged_at"), pull.moment_or_none("closed_at")
    ended = merged_at is not None or pull.text_or_none("state") == "closed"
    events = [
        repo.created(change, pull.moment("created_at"), person(pull, "user", context), assistant(pull, "user")),
        _updated(pull, change, repo, commits, closed=ended),
    ]
    if merged_at is not None:
        events.append(repo.merged(change, merged_at, pull.text_or_none("merge_commit_sha")))
    elif ended and closed_at is not None:
        events.append(repo.abandoned(change, closed_at))
    return events


def _updated(pull: Node, change: str, repo: Repository, commits: list[str] | None, *, closed: bool) -> Event:
    title, branch = pull.text_or_none("title"), pull.text_or_none("head", "ref")
    labels = label_names(pull)
    data = ChangeUpdated(
        repo=repo.name,
        change=change,
        title=(title or "")[:MAX_TITLE],
        branch=branch,
        base=pull.text_or_none("base", "ref"),
        head_sha=pull.text_or_none("head", "sha"),
        labels=labels,
        refs=repo.change_refs(title, pull.text_or_none("body"), branch, labels),
        commits=commits,
        assistant=references.assistant_in(pull.text_or_none("body")),
        draft=pull.flag("draft"),
        closed=closed,
    )
    return repo.event(UPDATED, pull.moment("updated_at"), change, data)


def pull_request_review(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook `pull_request_review`. An edit or a dismissal tells the review again, at the time it was submitted."""
    return review(root.child("review"), repo.numbered(root.integer("pull_request", "number")), repo, context)


def review(node: Node, change: str, repo: Repository, context: Context) -> Outcome:
    """Return the event of a review; one that is not submitted yet is left out."""
    state = node.text("state").lower()
    match state:
        case "approved" | "changes_requested" | "commented" | "dismissed":
            at, told = node.moment("submitted_at"), ("review", node.key("id"))
            data = ChangeReviewed(
                repo=repo.name,
                change=change,
                verdict=state,
                reviewer=person(node, "user", context),
                automated=is_automation(node, "user"),
            )
            return [repo.event(REVIEWED, at, change, data, *told)]
        case _:
            return left_out("pull_request_review", state)


def pull_request_review_comment(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook `pull_request_review_comment`: a remark on a line."""
    if root.text_or_none("action") == "deleted":
        return "pull_request_review_comment.deleted"
    change = repo.numbered(root.integer("pull_request", "number"))
    return [comment(root.child("comment"), change, repo, context, "line")]


def issue_comment(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook `issue_comment`. Only on a pull request does a comment tell something about a change."""
    if root.text_or_none("action") == "deleted":
        return "issue_comment.deleted"
    if not root.has("issue", "pull_request"):
        return "issue_comment.on_issue"
    change = repo.numbered(root.integer("issue", "number"))
    return [comment(root.child("comment"), change, repo, context, "talk")]


def comment(node: Node, change: str, repo: Repository, context: Context, where: str) -> Event:
    """Return the event of a comment. `where`: `line` or `talk`; the two kinds of comments number their ids apart."""
    data = ChangeReviewed(
        repo=repo.name,
        change=change,
        verdict="commented",
        reviewer=person(node, "user", context),
        automated=is_automation(node, "user"),
    )
    return repo.event(REVIEWED, node.moment("created_at"), change, data, where, node.key("id"))


def polled_comment(node: Node, repo: Repository, context: Context) -> Outcome:
    """An item of a page of comments, on lines of a pull request or below an issue or pull request."""
    if node.has("pull_request_url"):
        number = number_in(node.text("pull_request_url"))
        return [comment(node, repo.numbered(_known(number, node, "pull_request_url")), repo, context, "line")]
    if "/pull/" not in node.text("html_url"):
        return "issue_comment.on_issue"
    number = number_in(node.text("html_url"))
    return [comment(node, repo.numbered(_known(number, node, "html_url")), repo, context, "talk")]


def _known(number: int | None, node: Node, field: str) -> int:
    if number is None:
        raise Quarantined("bad_value", f"{node.at(field).path} names no pull request")
    return number


def happened(item: Node, issue: Node, repo: Repository, context: Context) -> Outcome:
    """An entry of the history of a pull request, with the pull request as an issue beside it."""
    what, change = item.text("event"), repo.numbered(issue.integer("number"))
    if what in _ASKED:
        return [_review_request(item, _ASKED[what], change, item.moment("created_at"), repo, context)]
    if what == "merged":
        return [repo.merged(change, item.moment("created_at"), item.text_or_none("commit_id"))]
    about = issue.child("pull_request").value
    # Closed is not merged; older releases do not say which of the two it was.
    if what == "closed" and isinstance(about, dict) and "merged_at" in about and about["merged_at"] is None:
        return [repo.abandoned(change, item.moment("created_at"))]
    return left_out("issue_events", what)


def trimmed(payload: Node, item: Node, repo: Repository, context: Context) -> Outcome:
    """A `PullRequestEvent` of the Events API since 2025: the pull request is little more than its number.

    It was opened or merged when the event was created, by its actor. A close does not tell whether it was a merge.
    """
    what, at = payload.text_or_none("action"), item.moment("created_at")
    number = payload.integer_or_none("number") or payload.integer("pull_request", "number")
    change = repo.numbered(number)
    if what == "opened":
        return [repo.created(change, at, person(item, "actor", context), assistant(item, "actor"))]
    if what == "merged":
        return [repo.merged(change, at, payload.text_or_none("pull_request", "merge_commit_sha"))]
    return left_out("pull_request", what)
