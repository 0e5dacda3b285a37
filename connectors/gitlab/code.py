"""Pushes, commits and releases."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from connectors.gitlab.fields import second_or_none
from connectors.gitlab.project import Project
from pipeline.events import references
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.forges import (
    BRANCH_UPDATED,
    HEADS,
    PUBLISHED,
    RECORDED,
    commit_assistant,
    commit_times,
    existing,
    first_line,
    moved_at,
    pushed_commit,
    version_of,
)
from pipeline.events.reading import Node
from pipeline.events.types import ArtifactPublished, BranchUpdated, CommitRecorded


def push(root: Node, project: Project, context: Context) -> Outcome:
    """Webhook `push`. It does not say when: a branch moved when the youngest of its listed commits was made.

    Without a commit there is no time. Then nothing new came to the repository, so that nothing is missed.
    """
    ref = root.text("ref")
    if not ref.startswith(HEADS):
        return "push.other_ref"
    listed, after = root.items("commits"), existing(root.text_or_none("after"))
    if after is None:
        return "push.branch_deleted"
    if not listed:
        return "push.no_commits"
    times = commit_times(listed)
    events = [
        pushed_commit(commit, project, context.actor(commit.text_or_none("author", "email"))) for commit in listed
    ]
    return [*events, _moved(root, project, moved_at(times, after), after, list(times))]


def _moved(root: Node, project: Project, at: datetime, after: str, shas: list[str]) -> Event:
    branch = root.text("ref").removeprefix(HEADS)
    default = branch == root.text_or_none("project", "default_branch")
    data = BranchUpdated(
        repo=project.name,
        branch=branch,
        before=existing(root.text_or_none("before")),
        after=after,
        # GitLab does not tell a forced push. Only where it forbids one does `after` surely contain `before`.
        forced=not (default or root.flag("ref_protected")),
        commits=shas,
        # What is new to the default branch belongs to what was merged; on others it may come from elsewhere.
        distinct=shas if default else [],
    )
    return project.event(BRANCH_UPDATED, at, f"{project.name}/tree/{branch}", data)


def polled_commit(item: Node, project: Project, context: Context, *, of_merge_request: bool = False) -> list[Event]:
    """An item of a page of commits, with both dates. The list of a merge request leaves `parent_ids` empty."""
    message, at = item.text_or_none("message") or item.text_or_none("title"), item.moment("committed_date")
    parents = item.texts("parent_ids") or None
    if parents is None and not of_merge_request and isinstance(item.at("parent_ids").value, list):
        parents = []
    data = CommitRecorded(
        repo=project.name,
        sha=item.text("id"),
        authored_at=item.moment_or_none("authored_date") or at,
        committed_at=at,
        parents=parents,
        title=first_line(message),
        author=context.actor(item.text_or_none("author_email")),
        assistant=commit_assistant(message, item.text_or_none("author_name"), item.text_or_none("author_email")),
        refs=references.merge(project.mentions(message, "commit")),
    )
    return [project.event(RECORDED, at, data.sha, data)]


def release(root: Node, project: Project, _context: Context) -> Outcome:
    """Webhook `release`: published once, whichever of the actions tells it."""
    if root.text_or_none("action") == "delete":
        return "release.delete"
    return published(root, project, root.text("tag"))


def published(item: Node, project: Project, tag: str) -> Outcome:
    """Return the event of a release; one that is announced for later is none yet."""
    if item.flag("upcoming_release"):
        return "release.upcoming"
    data = ArtifactPublished(
        repo=project.name,
        tag=tag,
        sha=item.text_or_none("commit", "id"),
        version=version_of(tag),
        url=f"{project.source}/-/releases/{quote(tag, safe='')}",
    )
    at = second_or_none(item, "released_at") or item.moment("created_at").replace(microsecond=0)
    return [project.event(PUBLISHED, at, f"{project.name}@{tag}", data)]
