"""Pushes and commits."""

from __future__ import annotations

from datetime import datetime

from connectors.bitbucket_server.repository import MAX_TITLE, Outcome, Repository, is_protected, of_object
from pipeline.events import references
from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.reading import Node
from pipeline.events.types import BranchUpdated, CommitRecorded

(RECORDED,) = CommitRecorded.TYPES
(BRANCH_UPDATED,) = BranchUpdated.TYPES

_HEADS = "refs/heads/"


def refs_changed(root: Node, context: Context) -> Outcome:
    """Webhook `repo:refs_changed`: several branches and tags may have moved. Newer releases list commits as well."""
    repo, at = of_object(root.child("repository"), context), root.moment("date")
    commits = [polled_commit(commit, repo, context) for commit in root.items("commits")]
    moved = [_moved(change, at, repo, context) for change in root.items("changes") if _ref(change).startswith(_HEADS)]
    return [*commits, *moved] or "refs_changed.tag"


def _ref(change: Node) -> str:
    return change.text_or_none("refId") or change.text("ref", "id")


def _moved(change: Node, at: datetime, repo: Repository, context: Context) -> Event:
    branch = _ref(change).removeprefix(_HEADS)
    data = BranchUpdated(
        repo=repo.name,
        branch=branch,
        before=_existing(change.text_or_none("fromHash")),
        after=_existing(change.text_or_none("toHash")),
        # A forced push is not told. Only where nobody does that does `after` surely contain `before`.
        forced=not is_protected(branch, context),
    )
    return repo.event(BRANCH_UPDATED, at, f"{repo.name}/branch/{branch}", data)


def _existing(sha: str | None) -> str | None:
    """Git writes zeros for a branch that is not there."""
    return sha if sha and sha.strip("0") else None


def polled_commit(item: Node, repo: Repository, context: Context) -> Event:
    """An item of a page of commits, or of a push."""
    authored_at = item.moment("authorTimestamp")
    message, at = item.text_or_none("message"), item.moment_or_none("committerTimestamp") or authored_at
    told = isinstance(item.at("parents").value, list)
    author = item.child_or_none("author")
    data = CommitRecorded(
        repo=repo.name,
        sha=item.text("id"),
        authored_at=authored_at,
        committed_at=at,
        parents=[parent.text("id") for parent in item.items("parents")] if told else None,
        title=next(iter((message or "").strip().splitlines()), "")[:MAX_TITLE],
        author=context.actor(author.text_or_none("emailAddress") or author.text_or_none("name")) if author else None,
        refs=references.merge(references.in_text(message, "commit")),
    )
    return repo.event(RECORDED, at, data.sha, data)
