"""Pushes, commits and releases."""

from __future__ import annotations

import re
from datetime import datetime

from connectors.gitea.fields import MAX_TITLE, Outcome
from connectors.gitea.repository import Repository
from pipeline.events import references
from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.reading import Node
from pipeline.events.types import ArtifactPublished, BranchUpdated, CommitRecorded

(RECORDED,) = CommitRecorded.TYPES
(BRANCH_UPDATED,) = BranchUpdated.TYPES
(PUBLISHED,) = ArtifactPublished.TYPES

MAX_PATHS = 300
_HEADS = "refs/heads/"
_TAGS = "refs/tags/"
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def push(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook `push`. It does not say when: a branch moved when the commit that it now ends in was made.

    Without a commit there is no time. Then nothing new came to the repository, so that nothing is missed.
    """
    ref = root.text("ref")
    if not ref.startswith(_HEADS):
        return "push.tag" if ref.startswith(_TAGS) else "push.other_ref"
    listed, after = root.items("commits"), _existing(root.text_or_none("after"))
    if after is None:
        return "push.branch_deleted"
    if not listed:
        return "push.no_commits"
    times = {commit.text("id"): commit.moment("timestamp") for commit in listed}
    events = [_pushed_commit(commit, repo, context) for commit in listed]
    return [*events, _moved(root, repo, times.get(after) or max(times.values()), after, list(times))]


def _moved(root: Node, repo: Repository, at: datetime, after: str, shas: list[str]) -> Event:
    branch = root.text("ref").removeprefix(_HEADS)
    default = branch == root.text_or_none("repository", "default_branch")
    data = BranchUpdated(
        repo=repo.name,
        branch=branch,
        before=_existing(root.text_or_none("before")),
        after=after,
        # A forced push is not told. The default branch is where nobody does that; elsewhere it is common.
        forced=not default,
        commits=shas,
        # What is new to the default branch belongs to what was merged; on others it may come from elsewhere.
        distinct=shas if default else [],
    )
    return repo.event(BRANCH_UPDATED, at, f"{repo.name}/tree/{branch}", data)


def _existing(sha: str | None) -> str | None:
    """Git writes zeros for a branch that is not there."""
    return sha if sha and sha.strip("0") else None


def _pushed_commit(commit: Node, repo: Repository, context: Context) -> Event:
    at, message = commit.moment("timestamp"), commit.text_or_none("message")
    changed = {path for field in ("added", "removed", "modified") for path in commit.texts(field)}
    author = commit.text_or_none("author", "username") or commit.text_or_none("author", "email")
    data = CommitRecorded(
        repo=repo.name,
        sha=commit.text("id"),
        authored_at=at,
        committed_at=at,
        title=_title(message),
        author=context.actor(author),
        refs=references.merge(references.in_text(message, "commit", repo.name)),
        paths=sorted(changed)[:MAX_PATHS] if changed else None,
    )
    return repo.event(RECORDED, at, data.sha, data)


def polled_commit(item: Node, repo: Repository, context: Context) -> list[Event]:
    """An item of a page of commits, which tells the parents and both dates."""
    message, at = item.text_or_none("commit", "message"), item.moment("commit", "committer", "date")
    author = item.text_or_none("author", "login") or item.text_or_none("commit", "author", "email")
    paths = sorted({file.text("filename") for file in item.items("files")})
    data = CommitRecorded(
        repo=repo.name,
        sha=item.text("sha"),
        authored_at=item.moment_or_none("commit", "author", "date") or at,
        committed_at=at,
        parents=[parent.text("sha") for parent in item.items("parents")],
        title=_title(message),
        author=context.actor(author),
        refs=references.merge(references.in_text(message, "commit", repo.name)),
        paths=paths[:MAX_PATHS] or None,
    )
    return [repo.event(RECORDED, at, data.sha, data)]


def _title(message: str | None) -> str:
    return next(iter((message or "").strip().splitlines()), "")[:MAX_TITLE]


def release(root: Node, repo: Repository, _context: Context) -> Outcome:
    """Webhook `release`: published once, whichever of the actions tells it."""
    if root.text_or_none("action") == "deleted":
        return "release.deleted"
    return published(root.child("release"), repo)


def published(item: Node, repo: Repository) -> Outcome:
    """Return the event of a release; a draft is none yet."""
    if item.flag("draft"):
        return "release.draft"
    tag, target = item.text("tag_name"), item.text_or_none("target_commitish") or ""
    data = ArtifactPublished(
        repo=repo.name,
        tag=tag,
        # Mostly a branch, which has moved on since.
        sha=target if _SHA.fullmatch(target) else None,
        version=re.sub(r"^v(?=\d)", "", tag),
        prerelease=item.flag("prerelease"),
        url=item.text_or_none("html_url"),
    )
    at = item.moment_or_none("published_at") or item.moment("created_at")
    return [repo.event(PUBLISHED, at, f"{repo.name}@{tag}", data)]
