"""Pushes, commits and releases."""

from __future__ import annotations

from datetime import datetime

from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.forges import (
    BRANCH_UPDATED,
    HEADS,
    TAGS,
    Repository,
    commit_times,
    existing,
    listed_commit,
    moved_at,
    pushed_commit,
    release_published,
)
from pipeline.events.reading import Node
from pipeline.events.types import BranchUpdated


def push(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook `push`. It does not say when: a branch moved when the commit that it now ends in was made.

    Without a commit there is no time. Then nothing new came to the repository, so that nothing is missed.
    """
    ref = root.text("ref")
    if not ref.startswith(HEADS):
        return "push.tag" if ref.startswith(TAGS) else "push.other_ref"
    listed, after = root.items("commits"), existing(root.text_or_none("after"))
    if after is None:
        return "push.branch_deleted"
    if not listed:
        return "push.no_commits"
    times = commit_times(listed)
    events = [pushed_commit(commit, repo, _author(commit, context)) for commit in listed]
    return [*events, _moved(root, repo, moved_at(times, after), after, list(times))]


def _moved(root: Node, repo: Repository, at: datetime, after: str, shas: list[str]) -> Event:
    branch = root.text("ref").removeprefix(HEADS)
    default = branch == root.text_or_none("repository", "default_branch")
    data = BranchUpdated(
        repo=repo.name,
        branch=branch,
        before=existing(root.text_or_none("before")),
        after=after,
        # A forced push is not told. The default branch is where nobody does that; elsewhere it is common.
        forced=not default,
        commits=shas,
        # What is new to the default branch belongs to what was merged; on others it may come from elsewhere.
        distinct=shas if default else [],
    )
    return repo.event(BRANCH_UPDATED, at, f"{repo.name}/tree/{branch}", data)


def _author(commit: Node, context: Context) -> str | None:
    return context.actor(commit.text_or_none("author", "username") or commit.text_or_none("author", "email"))


def polled_commit(item: Node, repo: Repository, context: Context) -> list[Event]:
    """An item of a page of commits."""
    author = item.text_or_none("author", "login") or item.text_or_none("commit", "author", "email")
    return [listed_commit(item, repo, context.actor(author))]


def release(root: Node, repo: Repository, _context: Context) -> Outcome:
    """Webhook `release`: published once, whichever of the actions tells it."""
    if root.text_or_none("action") == "deleted":
        return "release.deleted"
    return published(root.child("release"), repo)


def published(item: Node, repo: Repository) -> Outcome:
    """Return the event of a release; a draft is none yet."""
    if item.flag("draft"):
        return "release.draft"
    at = item.moment_or_none("published_at") or item.moment("created_at")
    return [release_published(item, repo, at)]
