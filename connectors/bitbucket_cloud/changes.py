"""Pull requests, approvals and comments."""

from __future__ import annotations

from connectors.bitbucket_cloud.repository import Repository, full_sha, is_automation, person
from pipeline.events import references
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.forges import MAX_TITLE, REVIEWED, UPDATED, Verdict
from pipeline.events.reading import Node
from pipeline.events.types import ChangeReviewed, ChangeUpdated

#: Event key -> verdict, and the object that tells who and when.
_REVIEWS: dict[str, tuple[Verdict, str]] = {
    "pullrequest:approved": ("approved", "approval"),
    "pullrequest:unapproved": ("dismissed", "approval"),
    "pullrequest:changes_request_created": ("changes_requested", "changes_request"),
    "pullrequest:changes_request_removed": ("dismissed", "changes_request"),
}
#: What an entry of the activity holds -> verdict.
_ACTIVITY: dict[str, Verdict] = {
    "approval": "approved",
    "changes_requested": "changes_requested",
    "changes_request": "changes_requested",
}
_ABANDONED = {"DECLINED", "SUPERSEDED"}


def webhook(kind: str, root: Node, repo: Repository, context: Context) -> Outcome:
    """A webhook about a pull request, whose state is beside whatever happened."""
    pull, review = root.child("pullrequest"), _REVIEWS.get(kind)
    if root.has("comment"):
        if kind.endswith("comment_deleted") or root.flag("comment", "deleted"):
            return "comment.deleted"
        return [comment(root.child("comment"), pull.integer("id"), repo, context)]
    if review is not None:
        verdict, field = review
        node, change = root.child(field), repo.numbered(pull.integer("id"))
        told = repo.event(REVIEWED, node.moment("date"), change, _review(node, change, repo, context, verdict))
        return [*_looks(pull, repo, context), told]
    if root.has("approval") or root.has("changes_request"):
        return _looks(pull, repo, context)  # Without its event key one cannot tell a review from its withdrawal.
    return snapshot(pull, repo, context)


def snapshot(pull: Node, repo: Repository, context: Context, commits: list[str] | None = None) -> list[Event]:
    """Return all that a pull request tells of itself. It ended when it was last updated: nothing else is told."""
    change, state = repo.numbered(pull.integer("id")), pull.text_or_none("state")
    events = _looks(pull, repo, context, commits)
    if state == "MERGED":
        sha = full_sha(pull.text_or_none("merge_commit", "hash"))
        events.append(repo.merged(change, pull.moment("updated_on"), sha))
    elif state in _ABANDONED:
        events.append(repo.abandoned(change, pull.moment("updated_on")))
    return events


def _looks(pull: Node, repo: Repository, context: Context, commits: list[str] | None = None) -> list[Event]:
    change, created_at = repo.numbered(pull.integer("id")), pull.moment("created_on")
    author = person(pull, "author", context)
    # Bitbucket has no logins any more; an app goes by its displayed name.
    assistant = references.assistant_signature(pull.text_or_none("author", "display_name"))
    title, branch = pull.text_or_none("title"), pull.text_or_none("source", "branch", "name")
    body = pull.text_or_none("description") or pull.text_or_none("summary", "raw")
    head = pull.text_or_none("source", "commit", "hash")
    updated = ChangeUpdated(
        repo=repo.name,
        change=change,
        title=(title or "")[:MAX_TITLE],
        branch=branch,
        base=pull.text_or_none("destination", "branch", "name"),
        head_sha=full_sha(head) or next((sha for sha in commits or [] if head and sha.startswith(head)), None),
        refs=repo.change_refs(title, body, branch),
        assistant=references.assistant_in(body),
        commits=commits,
        draft=pull.flag("draft"),
        closed=pull.text_or_none("state") in {"MERGED", *_ABANDONED},
    )
    return [
        repo.created(change, created_at, author, assistant if is_automation(pull, "author") else None),
        repo.event(UPDATED, pull.moment("updated_on"), change, updated),
    ]


def activity(item: Node, repo: Repository, context: Context) -> Outcome:
    """An entry of the activity of pull requests: an update, an approval, a request for changes, or a comment."""
    number = item.at("pull_request") if item.has("pull_request") else item.at("pullrequest")
    change = repo.numbered(number.integer("id"))
    for field, verdict in _ACTIVITY.items():
        node = item.child_or_none(field)
        if node is not None:
            return [repo.event(REVIEWED, node.moment("date"), change, _review(node, change, repo, context, verdict))]
    said = item.child_or_none("comment")
    if said is not None:
        return "comment.deleted" if said.flag("deleted") else [comment(said, number.integer("id"), repo, context)]
    update = item.child("update")
    state, at = update.text_or_none("state"), update.moment("date")
    if state == "MERGED":
        return [repo.merged(change, at, None)]
    return [repo.abandoned(change, at)] if state in _ABANDONED else "activity.update"


def comment(node: Node, number: int, repo: Repository, context: Context) -> Event:
    """Return the event of a comment on a pull request."""
    change = repo.numbered(number)
    data = _review(node, change, repo, context, "commented")
    return repo.event(REVIEWED, node.moment("created_on"), change, data, "comment", node.key("id"))


def _review(node: Node, change: str, repo: Repository, context: Context, verdict: Verdict) -> ChangeReviewed:
    return ChangeReviewed(
        repo=repo.name,
        change=change,
        verdict=verdict,
        reviewer=person(node, "user", context),
        automated=is_automation(node, "user"),
    )
