"""Links between issues: what is a part of what, and what waits for what.

GitHub does not say when such a link was made or taken away, and neither counts as an update of an issue. Of the last
updates of the two ends the later one is taken: the link is at least that recent. What was taken away follows, by a
microsecond, what was made since the same update.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.github import tickets
from connectors.github.repository import from_url, of_object
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.forges import Repository, left_out
from pipeline.events.reading import Node
from pipeline.events.types import DependencyEvent

ADDED, REMOVED = DependencyEvent.TYPES

_AFTER = timedelta(microseconds=1)


def sub_issues(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook `sub_issues`: an issue got a parent or lost it. Either end may tell; both give the same events."""
    child, parent = root.child("sub_issue"), root.child("parent_issue")
    child_repo = _repository(root, "sub_issue", repo)
    at = _latest(child, parent)
    match root.text("action"):
        case "sub_issue_added" | "parent_issue_added":
            key = _repository(root, "parent_issue", repo).numbered(parent.integer("number"))
            return tickets.told(child, child_repo, context, at, key)
        case "sub_issue_removed" | "parent_issue_removed":
            return tickets.told(child, child_repo, context, at + _AFTER, None)
        case action:
            return left_out("sub_issues", action)


def issue_dependencies(root: Node, repo: Repository, _context: Context) -> Outcome:
    """Webhook `issue_dependencies`: an issue waits for another, or no longer. Both ends give the same event."""
    waiting, blocker = root.child("blocked_issue"), root.child("blocking_issue")
    near, far = _repository(root, "blocked_issue", repo), _repository(root, "blocking_issue", repo)
    edge = DependencyEvent(
        tracker=near.host,
        ticket=near.numbered(waiting.integer("number")),
        blocked_by=far.numbered(blocker.integer("number")),
    )
    at = _latest(waiting, blocker)
    match root.text("action"):
        case "blocked_by_added" | "blocking_added":
            return [near.event(ADDED, at, edge.ticket, edge)]
        case "blocked_by_removed" | "blocking_removed":
            return [near.event(REMOVED, at + _AFTER, edge.ticket, edge)]
        case action:
            return left_out("issue_dependencies", action)


def _latest(*ends: Node) -> datetime:
    return max(end.moment("updated_at") for end in ends)


def _repository(root: Node, end: str, repo: Repository) -> Repository:
    """An issue's own URL tells its repository; `..._repo` is beside it only where it is another than the delivery's."""
    return from_url(root.text_or_none(end, "repository_url")) or of_object(root.child_or_none(f"{end}_repo")) or repo
