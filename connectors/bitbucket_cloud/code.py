"""Pushes and commits."""

from __future__ import annotations

import re
from datetime import datetime

from connectors.bitbucket_cloud.repository import Repository, author, full_sha, signature
from pipeline.events import references
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome, joined
from pipeline.events.envelope import Event
from pipeline.events.forges import BRANCH_UPDATED, RECORDED, commit_assistant, first_line
from pipeline.events.reading import Node
from pipeline.events.types import BranchUpdated, CommitRecorded

#: What Bitbucket writes first in the message of a merge or squash.
_MERGED_IN = re.compile(r"Merged in .{1,300}? \(pull request #([1-9]\d{0,17})\)")


def push(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook `repo:push`: several branches and tags may have moved."""
    forked = root.has("repository", "parent")
    return joined(_change(change, repo, context, forked=forked) for change in root.items("push", "changes"))


def _change(change: Node, repo: Repository, context: Context, *, forked: bool) -> Outcome:
    new, old = change.child_or_none("new"), change.child_or_none("old")
    if new is None:
        return "push.deleted"
    if new.text_or_none("type") not in {"branch", "named_branch"}:
        return "push.tag"
    target = new.child("target")
    # The push itself is not dated: the branch moved when the commit that it now ends in was made.
    after, at = target.text("hash"), target.moment("date")
    listed = {commit.text("hash"): commit for commit in change.items("commits")}
    events = [event for commit in listed.values() for event in _commit(commit, after, at, repo, context, forked=forked)]
    branch = new.text("name")
    data = BranchUpdated(
        repo=repo.name,
        branch=branch,
        before=old.text_or_none("target", "hash") if old is not None else None,
        after=after,
        forced=change.flag("forced"),
        commits=list(listed),
        distinct=list(listed),
    )
    return [*events, repo.event(BRANCH_UPDATED, at, f"{repo.name}/branch/{branch}", data)]


def _commit(commit: Node, after: str, at: datetime, repo: Repository, context: Context, *, forked: bool) -> list[Event]:
    """A commit of a push. One that merged a pull request tells its full name, which the pull request abbreviates."""
    sha = commit.text("hash")
    made_at = commit.moment_or_none("date") or (at if sha == after else None)
    if made_at is None:
        return []  # A commit without a date cannot be recorded; that it is in the branch is told.
    events = [_recorded(commit, made_at, repo, context)]
    merged = _MERGED_IN.match(commit.text_or_none("message") or "")
    # The history of a fork tells of pull requests of the repository that it came from.
    if merged and not forked and full_sha(sha):
        change = repo.numbered(int(merged[1]))
        events.append(repo.merged(change, made_at, sha))
    return events


def polled_commit(item: Node, repo: Repository, context: Context) -> Event:
    """An item of a page of commits."""
    return _recorded(item, item.moment("date"), repo, context)


def _recorded(commit: Node, at: datetime, repo: Repository, context: Context) -> Event:
    message = commit.text_or_none("message")
    told = isinstance(commit.at("parents").value, list)
    data = CommitRecorded(
        repo=repo.name,
        sha=commit.text("hash"),
        authored_at=at,
        committed_at=at,
        parents=[parent.text("hash") for parent in commit.items("parents")] if told else None,
        title=first_line(message),
        author=author(commit, context),
        assistant=commit_assistant(message, *signature(commit)),
        refs=references.merge(repo.mentions(message, "commit")),
    )
    return repo.event(RECORDED, at, data.sha, data)
