"""Telling: the canonical events of one issue, project or initiative."""

from __future__ import annotations

from datetime import datetime

from connectors.linear.item import Item
from connectors.linear.workspace import Workspace
from pipeline.events.coordination import TicketTransferred
from pipeline.events.envelope import Event
from pipeline.events.types import TicketClosed, TicketCreated, TicketDeleted, TicketMoved, TicketUpdated

(CREATED,) = TicketCreated.TYPES
(UPDATED,) = TicketUpdated.TYPES
(MOVED,) = TicketMoved.TYPES
(CLOSED,) = TicketClosed.TYPES
(DELETED,) = TicketDeleted.TYPES
(TRANSFERRED,) = TicketTransferred.TYPES

#: Types of statuses that are a reason by themselves.
_GIVEN_UP = frozenset({"canceled", "cancelled", "duplicate"})

#: The native type of a name that stands for another one.
ALIAS = "alias"


def exists(item: Item, workspace: Workspace) -> list[Event]:
    """Tell that something exists, and its uuid as another name of it."""
    if item.created is None:
        return []
    data = TicketCreated(tracker=workspace.tracker, ticket=item.key, project=item.project, creator=item.creator)
    created = workspace.event(CREATED, item.created, item.key, item.project, data)
    return [created, *(also_known_as(item.uuid, item, item.created, workspace) if item.uuid else [])]


def also_known_as(name: str, item: Item, at: datetime, workspace: Workspace) -> list[Event]:
    """Tell that `name` stands for something: a ticket that is gone and whose parent is the one that it stands for.

    Linear's objects name each other by uuid, people and commits by key. So a link to either name leads to the same
    initiative, and the name itself is counted nowhere.
    """
    points = TicketUpdated(
        tracker=workspace.tracker, ticket=name, project=item.project, kind=ALIAS, parent=item.key, closed=True
    )
    gone = TicketDeleted(tracker=workspace.tracker, ticket=name)
    return [
        workspace.event(UPDATED, at, name, item.project, points),
        workspace.event(DELETED, at, name, item.project, gone),
    ]


def looks(item: Item, at: datetime, workspace: Workspace) -> list[Event]:
    """Tell what something looks like as of `at`."""
    data = TicketUpdated(
        tracker=workspace.tracker,
        ticket=item.key,
        project=item.project,
        title=item.title,
        kind=item.kind,
        status=item.status,
        parent=item.parent,
        labels=item.labels,
        team=item.team,
        assignee=item.assignee,
        priority=item.priority,
        resolution=item.state if item.closed and item.state else None,
        closed=item.closed,
    )
    return [workspace.event(UPDATED, at, item.key, item.project, data)]


def moved(item: Item, at: datetime, actor: str | None, workspace: Workspace) -> list[Event]:
    """Tell a move to the present status. A webhook names the former status by a uuid only, so it is not told."""
    return [move(item, item.status, item.state, at, actor, workspace)] if item.status else []


def move(item: Item, status: str, state: str, at: datetime, actor: str | None, workspace: Workspace) -> Event:
    """Tell a move to a status of the type `state`, which says why where work was given up."""
    data = TicketMoved(
        tracker=workspace.tracker,
        ticket=item.key,
        to_status=status,
        actor=actor,
        reason=state if state in _GIVEN_UP else None,
    )
    return workspace.event(MOVED, at, item.key, item.project, data)


def transferred(
    item: Item, before: str | None, after: str, at: datetime, actor: str | None, workspace: Workspace
) -> list[Event]:
    """Tell that an issue went from one team to another, both by their keys."""
    if not after or before == after:
        return []
    data = TicketTransferred(
        tracker=workspace.tracker, ticket=item.key, to_team=after, from_team=before or None, actor=actor
    )
    return [workspace.event(TRANSFERRED, at, item.key, item.project, data)]


def closed(item: Item, moved_at: datetime | None, workspace: Workspace) -> list[Event]:
    """Tell that something was closed: when it says so itself, else with the move that closed it."""
    at = item.finished or moved_at
    if not item.closed or at is None:
        return []
    data = TicketClosed(tracker=workspace.tracker, ticket=item.key, resolution=item.state or None)
    return [workspace.event(CLOSED, at, item.key, item.project, data)]


def deleted(item: Item, at: datetime, workspace: Workspace) -> list[Event]:
    """Tell that something was deleted."""
    data = TicketDeleted(tracker=workspace.tracker, ticket=item.key)
    return [workspace.event(DELETED, at, item.key, item.project, data)]
