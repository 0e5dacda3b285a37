"""Telling: the canonical events of one ticket, with ids that every copy of a change shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from connectors.jira.changes import (
    Change,
    change_id,
    clears_resolution,
    former_key,
    link_changes,
    moves,
    present_key,
    transfers,
    whole_second,
)
from connectors.jira.issue import Snapshot, project_of
from connectors.jira.links import Edge, Phrases
from connectors.jira.settings import Settings
from pipeline.events.coordination import TicketTransferred
from pipeline.events.envelope import Event
from pipeline.events.ids import event_id
from pipeline.events.types import (
    DependencyEvent,
    IncidentEvent,
    Payload,
    TicketClosed,
    TicketCreated,
    TicketDeleted,
    TicketMoved,
    TicketUpdated,
)

CREATED = "dev.cdevents.ticket.created.0.2.0"
UPDATED = "dev.cdevents.ticket.updated.0.2.0"
CLOSED = "dev.cdevents.ticket.closed.0.2.0"
MOVED = "dev.cdeventsx.leadline-ticket.moved.1.0.0"
DELETED = "dev.cdeventsx.leadline-ticket.deleted.1.0.0"
(TRANSFERRED,) = TicketTransferred.TYPES
ADDED = "dev.cdeventsx.leadline-dependency.added.1.0.0"
REMOVED = "dev.cdeventsx.leadline-dependency.removed.1.0.0"
DETECTED = "dev.cdevents.incident.detected.0.3.0"
REPORTED = "dev.cdevents.incident.reported.0.3.0"
RESOLVED = "dev.cdevents.incident.resolved.0.3.0"
REOPENED = "dev.cdeventsx.leadline-incident.reopened.1.0.0"

#: The native type of a key that stands for another one.
ALIAS = "alias"


class Ticket(NamedTuple):
    """Which ticket is told of. `source`: the base URL of its Jira; `tracker`: the name that the contract gives it."""

    source: str
    tracker: str
    key: str


class Teller:
    """Collects the events of one ticket, each once, in the order of telling."""

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket
        self._events: dict[str, Event] = {}
        self._edges: dict[Edge, bool] = {}
        self._last_move: datetime | None = None

    def events(self) -> list[Event]:
        """Return what was told so far."""
        return list(self._events.values())

    def created(self, at: datetime, creator: str | None) -> None:
        """The ticket exists since `at`."""
        data = TicketCreated(
            tracker=self._ticket.tracker, ticket=self._ticket.key, project=project_of(self._ticket.key), creator=creator
        )
        self._tell(CREATED, at, data, self._id("created", at, creator))

    def deleted(self, at: datetime) -> None:
        """The ticket is gone."""
        self._bury(self._ticket.key, at)

    def snapshot(self, seen: Snapshot, updated: datetime) -> None:
        """The ticket looks like this as of `updated`."""
        data = TicketUpdated(
            tracker=self._ticket.tracker,
            ticket=self._ticket.key,
            project=project_of(self._ticket.key),
            title=seen.title,
            kind=seen.kind,
            status=seen.status,
            parent=seen.parent,
            labels=seen.labels,
            components=seen.components,
            team=seen.team,
            assignee=seen.assignee,
            priority=seen.priority,
            resolution=seen.resolution,
            flagged=seen.flagged,
            closed=seen.done or seen.resolution is not None,
        )
        self._tell(UPDATED, updated, data, self._id("updated", updated, _content(data)))

    def changes(self, changes: Iterable[Change], phrases: Phrases, settings: Settings) -> None:
        """Tell moves, transfers, links and a new key. `changes` are in the order in which they happened."""
        for change in changes:
            self._moves(change, settings)
            self._transfers(change, settings)
            for link in link_changes(self._ticket.key, change, phrases):
                self._edges[link.edge] = link.added
                self._edge(link.edge, change.at, added=link.added)
            former = former_key(change)
            if former is not None and former != self._ticket.key:
                self._renamed(former, present_key(change), change.at)
                self._bury(former, change.at)

    def seen_links(self, edges: Iterable[Edge], updated: datetime) -> None:
        """Tell the dependencies that the ticket shows and of whose adding nothing was told: there by `updated`.

        Each newer snapshot says so again. That is true each time and changes nothing, since the earliest telling
        counts; one instant for all of them would depend on which delivery came first.
        """
        for edge in edges:
            if not self._edges.get(edge, False):
                self._edge(edge, whole_second(updated), added=True)

    def closed(self, at: datetime | None, seen: Snapshot) -> datetime | None:
        """Tell that the ticket was closed; a done ticket of unknown time closed with its last move that was told.

        Returns the time that was told, None if it is open.
        """
        at = at or (self._last_move if seen.done else None)
        if at is not None:
            data = TicketClosed(tracker=self._ticket.tracker, ticket=self._ticket.key, resolution=seen.resolution)
            self._tell(CLOSED, at, data, self._id("closed", at, seen.resolution))
        return at

    def incident(
        self,
        seen: Snapshot,
        changes: Sequence[Change],
        *,
        created: datetime | None,
        updated: datetime,
        closed: datetime | None,
    ) -> None:
        """Tell the ticket as an incident: detected when created, resolved when closed.

        What can change (title, service, severity) holds as of the latest event, so a later snapshot reports it anew.
        """
        data = IncidentEvent(
            incident=self._ticket.key,
            service=seen.service,
            severity=seen.priority,
            title=seen.title,
            url=f"{self._ticket.source}/browse/{self._ticket.key}",
        )
        if created is not None:
            self._incident(DETECTED, created, data)
        if updated != created:
            self._incident(REPORTED, updated, data)
        if closed is not None:
            self._incident(RESOLVED, closed, data)
        for change in changes:
            if clears_resolution(change):
                self._incident(REOPENED, change.at, data)

    def _moves(self, change: Change, settings: Settings) -> None:
        for move in moves(change, settings):
            data = TicketMoved(
                tracker=self._ticket.tracker,
                ticket=self._ticket.key,
                to_status=move.to_status,
                from_status=move.from_status,
                actor=change.actor,
                reason=move.reason,
            )
            ordered = change_id(change, self._ticket.key, "moved", move.from_status, move.to_status)
            self._tell(MOVED, change.at, data, ordered)
            self._last_move = change.at

    def _transfers(self, change: Change, settings: Settings) -> None:
        for transfer in transfers(change, settings):
            data = TicketTransferred(
                tracker=self._ticket.tracker,
                ticket=self._ticket.key,
                to_team=transfer.to_team,
                from_team=transfer.from_team,
                actor=change.actor,
            )
            ordered = change_id(change, self._ticket.key, "transferred", transfer.from_team, transfer.to_team)
            self._tell(TRANSFERRED, change.at, data, ordered)

    def _edge(self, edge: Edge, at: datetime, *, added: bool) -> None:
        """The id holds the edge and the second, not the change: both issues have a change of their own for one link."""
        data = DependencyEvent(tracker=self._ticket.tracker, ticket=edge.ticket, blocked_by=edge.blocked_by)
        identity = event_id(edge.ticket, "blocked by", edge.blocked_by, "added" if added else "removed", at)
        self._tell(ADDED if added else REMOVED, at, data, identity, subject=edge.ticket)

    def _renamed(self, former: str, present: str | None, at: datetime) -> None:
        """The former key leads to the present one, as it does in Jira: commits and branches go on naming it."""
        if present is None or present == former:
            return
        data = TicketUpdated(
            tracker=self._ticket.tracker,
            ticket=former,
            project=project_of(former),
            kind=ALIAS,
            parent=present,
            closed=True,
        )
        self._tell(UPDATED, at, data, event_id(former, "updated", at, _content(data)), subject=former)

    def _bury(self, key: str, at: datetime) -> None:
        data = TicketDeleted(tracker=self._ticket.tracker, ticket=key)
        self._tell(DELETED, at, data, event_id(key, "deleted", at), subject=key)

    def _incident(self, event_type: str, at: datetime, data: IncidentEvent) -> None:
        self._tell(event_type, at, data, self._id(event_type, at, _content(data)))

    def _id(self, *parts: object) -> str:
        return event_id(self._ticket.key, *parts)

    def _tell(self, event_type: str, at: datetime, data: Payload, identity: str, subject: str | None = None) -> None:
        subject = subject or self._ticket.key
        self._events[identity] = Event(
            id=identity,
            source=self._ticket.source,
            type=event_type,
            time=at,
            subject=subject,
            partitionkey=project_of(subject),
            data=data,
        )


def _content(data: Payload) -> str:
    return msgspec.json.encode(data).decode()
