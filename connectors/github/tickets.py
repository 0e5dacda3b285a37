"""Issues as tickets: `acme/shop#12`, with the native statuses `open` and `closed`."""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.github.fields import label_names, person
from connectors.github.repository import from_url, number_in, of_object
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.forges import MAX_TITLE, Repository, left_out
from pipeline.events.reading import Node
from pipeline.events.types import TicketClosed, TicketCreated, TicketDeleted, TicketMoved, TicketUpdated

(CREATED,) = TicketCreated.TYPES
(UPDATED,) = TicketUpdated.TYPES
(MOVED,) = TicketMoved.TYPES
(CLOSED,) = TicketClosed.TYPES
(DELETED,) = TicketDeleted.TYPES

#: The history notes a close up to a second after the issue does.
_SAME_CLOSE = timedelta(seconds=1)


def issues(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook `issues`: whatever the action, the body holds the issue as it now stands."""
    issue, action = root.child("issue"), root.text_or_none("action")
    if action in {"deleted", "transferred"}:
        # A transferred issue goes on under another key, in a delivery of the repository that received it.
        ticket = repo.numbered(issue.integer("number"))
        gone = TicketDeleted(tracker=repo.host, ticket=ticket)
        return [repo.event(DELETED, issue.moment("updated_at"), ticket, gone)]
    events = snapshot(issue, repo, context)
    if action == "reopened" and issue.text_or_none("state") == "open":
        events.append(_moved(issue, repo, issue.moment("updated_at"), "closed", "open"))
    return events


def snapshot(issue: Node, repo: Repository, context: Context) -> list[Event]:
    """Return all that an issue tells of itself. A webhook and a page of the REST API tell it alike."""
    parent = issue.text_or_none("parent_issue_url")
    above, number = from_url(parent), number_in(parent)
    key = above.numbered(number) if above and number else None
    return _told(issue, repo, context, issue.moment("updated_at"), key)


def sub_issues(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook `sub_issues`: an issue got a parent or lost it. Either end may tell; both give the same events."""
    child, parent = root.child("sub_issue"), root.child("parent_issue")
    child_repo = _repository(root, "sub_issue", repo)
    # The link may not count as an update of the child, so the younger of the two times is taken.
    at = max(child.moment("updated_at"), parent.moment("updated_at"))
    match root.text("action"):
        case "sub_issue_added" | "parent_issue_added":
            key = _repository(root, "parent_issue", repo).numbered(parent.integer("number"))
            return _told(child, child_repo, context, at, key)
        case "sub_issue_removed" | "parent_issue_removed":
            return _told(child, child_repo, context, at, None)
        case action:
            return left_out("sub_issues", action)


def _repository(root: Node, end: str, repo: Repository) -> Repository:
    """An issue's own URL tells its repository; `..._repo` is beside it only where it is another than the delivery's."""
    return from_url(root.text_or_none(end, "repository_url")) or of_object(root.child_or_none(f"{end}_repo")) or repo


def _told(issue: Node, repo: Repository, context: Context, at: datetime, parent: str | None) -> list[Event]:
    ticket, created_at = repo.numbered(issue.integer("number")), issue.moment("created_at")
    creator = person(issue, "user", context)
    created = TicketCreated(tracker=repo.host, ticket=ticket, project=repo.name, creator=creator)
    assigned = (context.actor(account.text_or_none("login")) for account in issue.items("assignees"))
    updated = TicketUpdated(
        tracker=repo.host,
        ticket=ticket,
        project=repo.name,
        title=(issue.text_or_none("title") or "")[:MAX_TITLE],
        kind=issue.text_or_none("type", "name") or "issue",
        status=issue.text_or_none("state") or "",
        parent=parent,
        labels=label_names(issue),
        assignee=person(issue, "assignee", context) or next(assigned, None),
        resolution=issue.text_or_none("state_reason"),
        closed=issue.text_or_none("state") == "closed",
    )
    events = [repo.event(CREATED, created_at, ticket, created), repo.event(UPDATED, at, ticket, updated)]
    closed_at = issue.moment_or_none("closed_at")
    if issue.text_or_none("state") == "closed" and closed_at is not None:
        events += _closed(issue, repo, closed_at, updated.resolution)
    return events


def _closed(issue: Node, repo: Repository, at: datetime, resolution: str | None) -> list[Event]:
    ticket = repo.numbered(issue.integer("number"))
    closed = TicketClosed(tracker=repo.host, ticket=ticket, resolution=resolution)
    return [_moved(issue, repo, at, "open", "closed"), repo.event(CLOSED, at, ticket, closed)]


def _moved(issue: Node, repo: Repository, at: datetime, before: str, after: str) -> Event:
    """A move. Who moved it stays out: the issue does not tell, so that two copies of one move would differ."""
    ticket = repo.numbered(issue.integer("number"))
    moved = TicketMoved(tracker=repo.host, ticket=ticket, to_status=after, from_status=before)
    return repo.event(MOVED, at, ticket, moved)


def happened(item: Node, issue: Node, repo: Repository, context: Context) -> list[Event]:
    """An entry of the history of an issue, with the issue as it stood when the page was read beside it."""
    events, at = snapshot(issue, repo, context), item.moment("created_at")
    what, closed_at = item.text("event"), issue.moment_or_none("closed_at")
    if what == "reopened":
        events.append(_moved(issue, repo, at, "closed", "open"))
    elif what == "closed" and (closed_at is None or abs(at - closed_at) > _SAME_CLOSE):
        events += _closed(issue, repo, at, item.text_or_none("state_reason"))
    return events
