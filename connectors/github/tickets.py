"""Issues as tickets: `acme/shop#12`, with the native statuses `open` and `closed`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from connectors.github.fields import label_names, person
from connectors.github.repository import from_url, number_in, of_object
from connectors.github.settings import read_settings
from pipeline.events.coordination import TicketTransferred
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.forges import MAX_TITLE, Repository, matches
from pipeline.events.incidents import REOPENED, REPORTED, RESOLVED, clean, place, tags_of
from pipeline.events.reading import Node
from pipeline.events.types import (
    IncidentEvent,
    TicketClosed,
    TicketCreated,
    TicketDeleted,
    TicketMoved,
    TicketUpdated,
)

(CREATED,) = TicketCreated.TYPES
(UPDATED,) = TicketUpdated.TYPES
(MOVED,) = TicketMoved.TYPES
(CLOSED,) = TicketClosed.TYPES
(DELETED,) = TicketDeleted.TYPES
(TRANSFERRED,) = TicketTransferred.TYPES

#: The native type of a key that stands for another one.
ALIAS = "alias"

#: The history notes a close up to a second after the issue does.
_SAME_CLOSE = timedelta(seconds=1)


def issues(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook `issues`: whatever the action, the body holds the issue as it now stands."""
    issue, action = root.child("issue"), root.text_or_none("action")
    if action in {"deleted", "transferred"}:
        # A transferred issue goes on under another key, in a delivery of the repository that received it.
        ticket, at = repo.numbered(issue.integer("number")), issue.moment("updated_at")
        gone = TicketDeleted(tracker=repo.host, ticket=ticket)
        return [*_went_to(root.at("changes"), ticket, repo, at), repo.event(DELETED, at, ticket, gone)]
    events = snapshot(issue, repo, context)
    if action == "reopened" and issue.text_or_none("state") == "open":
        events += _reopened(issue, repo, issue.moment("updated_at"), context)
    came_from = of_object(root.child_or_none("changes", "old_repository")) if action == "opened" else None
    if came_from is not None:
        ticket = repo.numbered(issue.integer("number"))
        moved = TicketTransferred(tracker=repo.host, ticket=ticket, from_team=came_from.name, to_team=repo.name)
        events.append(repo.event(TRANSFERRED, issue.moment("updated_at"), ticket, moved))
    return events


def _went_to(changes: Node, ticket: str, repo: Repository, at: datetime) -> list[Event]:
    """The former key of a transferred issue leads to the new one, as it does on GitHub: commits go on naming it."""
    target, number = of_object(changes.child_or_none("new_repository")), changes.integer_or_none("new_issue", "number")
    if target is None or number is None:
        return []
    points = TicketUpdated(
        tracker=repo.host, ticket=ticket, project=repo.name, kind=ALIAS, parent=target.numbered(number), closed=True
    )
    return [repo.event(UPDATED, at, ticket, points)]


def snapshot(issue: Node, repo: Repository, context: Context) -> list[Event]:
    """Return all that an issue tells of itself. A webhook and a page of the REST API tell it alike."""
    parent = issue.text_or_none("parent_issue_url")
    above, number = from_url(parent), number_in(parent)
    key = above.numbered(number) if above and number else None
    return told(issue, repo, context, issue.moment("updated_at"), key)


def told(issue: Node, repo: Repository, context: Context, at: datetime, parent: str | None) -> list[Event]:
    """Return all that an issue tells of itself as of `at`, with the ticket above it."""
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
    closed_at = issue.moment_or_none("closed_at") if updated.closed else None
    if closed_at is not None:
        events += _closed(issue, repo, closed_at, updated.resolution)
    return [*events, *_incident(issue, repo, context, ((REPORTED, created_at), (REPORTED, at), (RESOLVED, closed_at)))]


def _incident(
    issue: Node, repo: Repository, context: Context, marks: Iterable[tuple[str, datetime | None]]
) -> list[Event]:
    """Return the incident that an issue is by its type or a label, if it is one, at each time that is known."""
    settings, labels = read_settings(context.settings), label_names(issue)
    named = matches(issue.text_or_none("type", "name") or "", settings.incident_types)
    if not named and not any(matches(label, settings.incident_labels) for label in labels):
        return []
    where = place(tags_of(labels), context.settings)
    data = IncidentEvent(
        incident=repo.numbered(issue.integer("number")),
        service=where.service,
        repo=repo.name,
        environment=where.environment,
        severity=where.severity,
        title=clean(issue.text_or_none("title")) or "",
        deployment=where.deployment,
        url=issue.text_or_none("html_url"),
    )
    return [
        repo.event(event_type, at, data.incident, data) for event_type, at in dict.fromkeys(marks) if at is not None
    ]


def _closed(issue: Node, repo: Repository, at: datetime, resolution: str | None) -> list[Event]:
    ticket = repo.numbered(issue.integer("number"))
    closed = TicketClosed(tracker=repo.host, ticket=ticket, resolution=resolution)
    return [_moved(issue, repo, at, "open", "closed", resolution), repo.event(CLOSED, at, ticket, closed)]


def _reopened(issue: Node, repo: Repository, at: datetime, context: Context) -> list[Event]:
    return [_moved(issue, repo, at, "closed", "open"), *_incident(issue, repo, context, [(REOPENED, at)])]


def _moved(issue: Node, repo: Repository, at: datetime, before: str, after: str, reason: str | None = None) -> Event:
    """A move. Who moved it stays out: the issue does not tell, so that two copies of one move would differ."""
    ticket = repo.numbered(issue.integer("number"))
    moved = TicketMoved(tracker=repo.host, ticket=ticket, to_status=after, from_status=before, reason=reason)
    return repo.event(MOVED, at, ticket, moved)


def happened(item: Node, issue: Node, repo: Repository, context: Context) -> list[Event]:
    """An entry of the history of an issue, with the issue as it stood when the page was read beside it."""
    events, at = snapshot(issue, repo, context), item.moment("created_at")
    what, closed_at = item.text("event"), issue.moment_or_none("closed_at")
    if what == "reopened":
        events += _reopened(issue, repo, at, context)
    elif what == "closed" and (closed_at is None or abs(at - closed_at) > _SAME_CLOSE):
        events += _closed(issue, repo, at, item.text_or_none("state_reason"))
    return events
