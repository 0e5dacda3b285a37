"""Issues and work items as tickets: `group/project#12`, epics `group&12`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

from connectors.gitlab.changes import numbered
from connectors.gitlab.fields import label_names, person, second, second_or_none
from connectors.gitlab.project import Project, of_item
from connectors.gitlab.settings import Settings, read_settings
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.forges import MAX_TITLE, left_out, matches
from pipeline.events.reading import Node
from pipeline.events.types import (
    DependencyEvent,
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
ADDED, _ = DependencyEvent.TYPES
_, REPORTED, RESOLVED, REOPENED = IncidentEvent.TYPES

_EPIC = re.compile(r"/groups/([A-Za-z0-9_./-]+?)/-/(?:epics|work_items)/([1-9]\d{0,17})")


class _Ticket(msgspec.Struct, kw_only=True):
    """What webhook and page tell alike of one issue."""

    project: Project
    key: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    author: str | None
    assignee: str | None
    labels: list[str]
    title: str
    kind: str
    state: str
    severity: str | None
    #: When it went away: deleted, or moved to another project, where it goes on under another key.
    gone_at: datetime | None
    parent: str | None = None

    @property
    def is_closed(self) -> bool:
        return self.state == "closed"


def issue(root: Node, project: Project, context: Context) -> Outcome:
    """Webhooks `issue` and `work_item`: whatever the action, the body holds the issue as it now stands."""
    item, settings = root.child("object_attributes"), read_settings(context.settings)
    action, updated_at = item.text_or_none("action"), second(item, "updated_at")
    closed_at = second_or_none(item, "closed_at") or (updated_at if action == "close" else None)
    labels = root.items("labels") or item.items("labels")
    assigned = item.integer_or_none("assignee_id")
    assignees = [assigned] if assigned is not None else [each.integer() for each in item.items("assignee_ids")]
    ticket = _ticket(item, project, label_names(labels), closed_at)
    ticket.author = person(project, item.integer_or_none("author_id"), context)
    ticket.assignee = person(project, assignees[0], context) if assignees else None
    events = _told(ticket, settings)
    if action == "reopen" and not ticket.is_closed:
        events.append(_moved(ticket, updated_at, "closed", _status(ticket.labels, ticket.state, settings)))
        if _is_incident(ticket, settings):
            events.append(_incident(ticket, REOPENED, updated_at))
    return [*events, *_relabelled(root, ticket, settings)]


def polled(item: Node, project: Project, context: Context) -> Outcome:
    """An item of a page of issues."""
    ticket = _ticket(item, project, label_names(item.items("labels")), second_or_none(item, "closed_at"))
    ticket.author = person(project, item.integer_or_none("author", "id"), context)
    assignees = [item.integer_or_none("assignee", "id"), *(a.integer_or_none("id") for a in item.items("assignees"))]
    ticket.assignee = person(project, next((found for found in assignees if found is not None), None), context)
    epic = _EPIC.search(item.text_or_none("epic", "url") or "")
    if epic:
        # A webhook does not tell the epic. The exact time lets this snapshot win over the webhook's of the same second.
        ticket.parent, ticket.updated_at = f"{epic[1]}&{epic[2]}", item.moment("updated_at")
    return _told(ticket, read_settings(context.settings))


def _ticket(item: Node, project: Project, labels: list[str], closed_at: datetime | None) -> _Ticket:
    kind = item.text_or_none("issue_type") or item.text_or_none("type") or "issue"
    severity = (item.text_or_none("severity") or "").lower()
    return _Ticket(
        project=project,
        key=project.issue(item.integer("iid")),
        created_at=second(item, "created_at"),
        updated_at=second(item, "updated_at"),
        closed_at=closed_at,
        author=None,
        assignee=None,
        labels=labels,
        title=(item.text_or_none("title") or "")[:MAX_TITLE],
        kind=kind.strip().lower().replace(" ", "_"),
        state=item.text_or_none("state") or "",
        severity=severity if severity and severity != "unknown" else None,
        gone_at=second_or_none(item, "deleted_at") or (closed_at if item.has("moved_to_id") else None),
    )


def _status(labels: list[str], state: str, settings: Settings) -> str:
    """The status: the scoped label that the settings name (`workflow::review` tells `review`), else the state."""
    prefix = f"{settings.status_label}::"
    if settings.status_label and state != "closed":
        return next((label.removeprefix(prefix) for label in labels if label.startswith(prefix)), state)
    return state


def _told(ticket: _Ticket, settings: Settings) -> list[Event]:
    project, tracker = ticket.project, ticket.project.host
    created = TicketCreated(tracker=tracker, ticket=ticket.key, project=project.name, creator=ticket.author)
    updated = TicketUpdated(
        tracker=tracker,
        ticket=ticket.key,
        project=project.name,
        title=ticket.title,
        kind=ticket.kind,
        status=_status(ticket.labels, ticket.state, settings),
        parent=ticket.parent,
        labels=ticket.labels,
        assignee=ticket.assignee,
        priority=ticket.severity,
        closed=ticket.is_closed,
    )
    events = [
        project.event(CREATED, ticket.created_at, ticket.key, created),
        project.event(UPDATED, ticket.updated_at, ticket.key, updated),
    ]
    closed_at = ticket.closed_at if ticket.is_closed else None
    if closed_at is not None:
        # Which status label it had then is not told.
        events.append(_moved(ticket, closed_at, None if settings.status_label else "opened", "closed"))
        closed = TicketClosed(tracker=tracker, ticket=ticket.key)
        events.append(project.event(CLOSED, closed_at, ticket.key, closed))
    if _is_incident(ticket, settings):
        events.append(_incident(ticket, REPORTED, ticket.created_at))
        events.append(_incident(ticket, REPORTED, ticket.updated_at))
        events += [_incident(ticket, RESOLVED, closed_at)] if closed_at is not None else []
    if ticket.gone_at is not None:
        gone = TicketDeleted(tracker=tracker, ticket=ticket.key)
        events.append(project.event(DELETED, ticket.gone_at, ticket.key, gone))
    return events


def _moved(ticket: _Ticket, at: datetime, before: str | None, after: str) -> Event:
    moved = TicketMoved(tracker=ticket.project.host, ticket=ticket.key, to_status=after, from_status=before)
    return ticket.project.event(MOVED, at, ticket.key, moved)


def _relabelled(root: Node, ticket: _Ticket, settings: Settings) -> list[Event]:
    """A change of the label that stands for the status is a move. Only a webhook tells it."""
    changed = root.child_or_none("changes", "labels")
    if not settings.status_label or changed is None or ticket.is_closed:
        return []
    before = _status(label_names(changed.items("previous")), ticket.state, settings)
    after = _status(label_names(changed.items("current")), ticket.state, settings)
    return [_moved(ticket, ticket.updated_at, before, after)] if before != after else []


def _is_incident(ticket: _Ticket, settings: Settings) -> bool:
    return matches(ticket.kind, settings.incident_types) or any(
        matches(label, settings.incident_labels) for label in ticket.labels
    )


def _incident(ticket: _Ticket, event_type: str, at: datetime) -> Event:
    data = IncidentEvent(incident=ticket.key, repo=ticket.project.name, severity=ticket.severity, title=ticket.title)
    return ticket.project.event(event_type, at, ticket.key, data)


def polled_link(item: Node, headers: Mapping[str, str]) -> Outcome:
    """An item of the list of an issue's links, in the words of that issue; or one link with both of its ends."""
    kind = item.text("link_type")
    if kind not in {"blocks", "is_blocked_by"}:
        return left_out("issue_link", kind)
    if item.has("source_issue"):
        source, target = item.child("source_issue"), item.child("target_issue")
        ends = [(of_item(end, headers), end.integer("iid")) for end in (source, target)]
        at = second_or_none(item, "link_created_at") or max(second(source, "updated_at"), second(target, "updated_at"))
    else:
        near = of_item(Node(None, item.path), headers)
        ends = [(near, numbered(item, headers)), (of_item(item, headers), item.integer("iid"))]
        at = second(item, "link_created_at")
    (project, waiting), (other, blocker) = ends if kind == "is_blocked_by" else ends[::-1]
    edge = DependencyEvent(tracker=project.host, ticket=project.issue(waiting), blocked_by=other.issue(blocker))
    return [project.event(ADDED, at, edge.ticket, edge)]
