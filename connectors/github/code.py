"""Pushes, commits and releases."""

from __future__ import annotations

from datetime import datetime

from connectors.github.fields import person
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.forges import (
    BRANCH_UPDATED,
    HEADS,
    TAGS,
    Repository,
    existing,
    listed_commit,
    pushed_commit,
    release_published,
)
from pipeline.events.reading import Node
from pipeline.events.types import BranchUpdated


def push(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook `push`. A branch moved when the repository says that it was pushed to; commits are older than that."""
    ref = root.text("ref")
    if not ref.startswith(HEADS):
        return "push.tag" if ref.startswith(TAGS) else "push.other_ref"
    at = root.moment_or_none("repository", "pushed_at") or root.moment("head_commit", "timestamp")
    listed = root.items("commits")
    events = [pushed_commit(commit, repo, _author(commit, context)) for commit in listed]
    return [*events, _moved(root, repo, at, root.text("after"), [(commit, "id") for commit in listed])]


def public_push(payload: Node, at: datetime, repo: Repository) -> Outcome:
    """A `PushEvent` of the Events API. Its commits carry no times, so that only the move of the branch is told."""
    if not payload.text("ref").startswith(HEADS):
        return "push.tag" if payload.text("ref").startswith(TAGS) else "push.other_ref"
    listed = [(commit, "sha") for commit in payload.items("commits")]
    return [_moved(payload, repo, at, payload.text("head"), listed)]


def _moved(root: Node, repo: Repository, at: datetime, after: str, commits: list[tuple[Node, str]]) -> Event:
    branch = root.text("ref").removeprefix(HEADS)
    data = BranchUpdated(
        repo=repo.name,
        branch=branch,
        before=existing(root.text_or_none("before")),
        after=existing(after),
        forced=root.flag("forced"),
        commits=[commit.text(field) for commit, field in commits],
        distinct=[commit.text(field) for commit, field in commits if commit.flag("distinct")],
    )
    return repo.event(BRANCH_UPDATED, at, f"{repo.name}/tree/{branch}", data)


def _author(commit: Node, context: Context) -> str | None:
    return context.actor(commit.text_or_none("author", "username") or commit.text_or_none("author", "email"))


def polled_commit(item: Node, repo: Repository, context: Context) -> list[Event]:
    """An item of a page of commits."""
    author = person(item, "author", context) or context.actor(item.text_or_none("commit", "author", "email"))
    return [listed_commit(item, repo, author)]


def release(root: Node, repo: Repository, _context: Context) -> Outcome:
    """Webhook `release`: published once, whichever of the actions tells it."""
    action = root.text_or_none("action")
    if action in {"deleted", "unpublished"}:
        return f"release.{action}"
    return published(root.child("release"), repo)


def published(item: Node, repo: Repository) -> Outcome:
    """Return the event of a release; a draft is none yet."""
    if item.flag("draft"):
        return "release.draft"
    return [release_published(item, repo, item.moment("published_at"))]
