"""Issues as tickets: `acme/shop#12`, with the native statuses `open` and `closed`."""

from __future__ import annotations

from datetime import datetime

from connectors.gitea.fields import label_names, person
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.forges import MAX_TITLE, Repository
from pipeline.events.reading import Node
from pipeline.events.types import TicketClosed, TicketCreated, TicketDeleted, TicketMoved, TicketUpdated

(CREATED,) = TicketCreated.TYPES
(UPDATED,) = TicketUpdated.TYPES
(MOVED,) = TicketMoved.TYPES
(CLOSED,) = TicketClosed.TYPES
(DELETED,) = TicketDeleted.TYPES


def issues(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook `issues`: whatever the action, the body holds the issue as it now stands."""
    issue, action = root.child("issue"), root.text_or_none("action")
    ticket = repo.numbered(issue.integer("number"))
    if action == "deleted":
        gone = TicketDeleted(tracker=repo.host, ticket=ticket)
        return [repo.event(DELETED, issue.moment("updated_at"), ticket, gone)]
    events = snapshot(issue, repo, context, closed_now=action == "closed")
    if action == "reopened" and issue.text_or_none("state") == "open":
        events.append(_moved(ticket, repo, issue.moment("updated_at"), "closed", "open"))
    return events


def snapshot(issue: Node, repo: Repository, context: Context, *, closed_now: bool = False) -> list[Event]:
    """Return all that an issue tells of itself. `closed_now` dates a close of older releases, which tell no time."""
    ticket, created_at = repo.numbered(issue.integer("number")), issue.moment("created_at")
    closed, updated_at = issue.text_or_none("state") == "closed", issue.moment("updated_at")
    created = TicketCreated(tracker=repo.host, ticket=ticket, project=repo.name, creator=person(issue, "user", context))
    assigned = (context.actor(account.text_or_none("login")) for account in issue.items("assignees"))
    updated = TicketUpdated(
        tracker=repo.host,
        ticket=ticket,
        project=repo.name,
        title=(issue.text_or_none("title") or "")[:MAX_TITLE],
        kind="issue",
        status=issue.text_or_none("state") or "",
        labels=label_names(issue),
        assignee=person(issue, "assignee", context) or next(assigned, None),
        closed=closed,
    )
    events = [repo.event(CREATED, created_at, ticket, created), repo.event(UPDATED, updated_at, ticket, updated)]
    closed_at = issue.moment_or_none("closed_at") or (updated_at if closed_now else None)
    if closed and closed_at is not None:
        events.append(_moved(ticket, repo, closed_at, "open", "closed"))
        events.append(repo.event(CLOSED, closed_at, ticket, TicketClosed(tracker=repo.host, ticket=ticket)))
    return events


def _moved(ticket: str, repo: Repository, at: datetime, before: str, after: str) -> Event:
    moved = TicketMoved(tracker=repo.host, ticket=ticket, to_status=after, from_status=before)
    return repo.event(MOVED, at, ticket, moved)
