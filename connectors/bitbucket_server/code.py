"""Pushes and commits."""

from __future__ import annotations

from datetime import datetime

from connectors.bitbucket_server.repository import Repository, is_protected, of_object
from pipeline.events import references
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.forges import BRANCH_UPDATED, HEADS, RECORDED, commit_assistant, existing, first_line
from pipeline.events.reading import Node
from pipeline.events.types import BranchUpdated, CommitRecorded


def refs_changed(root: Node, context: Context) -> Outcome:
    """Webhook `repo:refs_changed`: several branches and tags may have moved. Newer releases list commits as well."""
    repo, at = of_object(root.child("repository"), context), root.moment("date")
    commits = [polled_commit(commit, repo, context) for commit in root.items("commits")]
    moved = [_moved(change, at, repo, context) for change in root.items("changes") if _ref(change).startswith(HEADS)]
    return [*commits, *moved] or "refs_changed.tag"


def _ref(change: Node) -> str:
    return change.text_or_none("refId") or change.text("ref", "id")


def _moved(change: Node, at: datetime, repo: Repository, context: Context) -> Event:
    branch = _ref(change).removeprefix(HEADS)
    data = BranchUpdated(
        repo=repo.name,
        branch=branch,
        before=existing(change.text_or_none("fromHash")),
        after=existing(change.text_or_none("toHash")),
        # A forced push is not told. Only where nobody does that does `after` surely contain `before`.
        forced=not is_protected(branch, context),
    )
    return repo.event(BRANCH_UPDATED, at, f"{repo.name}/branch/{branch}", data)


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
        title=first_line(message),
        author=context.actor(author.text_or_none("emailAddress") or author.text_or_none("name")) if author else None,
        assistant=commit_assistant(
            message, item.text_or_none("author", "name"), item.text_or_none("author", "emailAddress")
        ),
        refs=references.merge(repo.mentions(message, "commit")),
    )
    return repo.event(RECORDED, at, data.sha, data)
