"""Work items: what a ticket is, where it stands and what it belongs to, as of everything told so far."""

from __future__ import annotations

import msgspec

from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.events.types import TicketClosed, TicketCreated, TicketDeleted, TicketMoved, TicketUpdated
from pipeline.facts.rows import TicketFact
from pipeline.facts.state import State


class Ticket(msgspec.Struct, array_like=True):
    """What was told of one ticket."""

    #: The latest word of any event, and that of the latest snapshot, which goes before it.
    tracker: str = ""
    tracker_stamp: tuple[int, str] | None = None
    project: str = ""
    project_stamp: tuple[int, str] | None = None
    seen: tuple[str, str] | None = None
    created: int | None = None
    stamp: tuple[int, str] | None = None
    kind: str = ""
    title: str = ""
    status: str = ""
    status_stamp: tuple[int, int, str] | None = None
    parent: str | None = None
    labels: list[str] = []
    closed: int | None = None
    seen_open: int | None = None
    deleted: bool = False


class Work:
    """Keeps the latest state of every ticket. `touched` are those to settle."""

    def __init__(self, state: State) -> None:
        self._tickets = state.table("ticket", Ticket)
        self.touched: set[str] = set()

    def created(self, event: Event, data: TicketCreated) -> None:
        ticket = self._open(event, data.ticket, data.tracker)
        at = to_us(event.time)
        ticket.created = at if ticket.created is None else min(ticket.created, at)
        self._in_project(ticket, (at, event.id), data.project)
        self._put(data.ticket, ticket)

    def updated(self, event: Event, data: TicketUpdated) -> None:
        ticket = self._open(event, data.ticket, data.tracker)
        at = to_us(event.time)
        if ticket.stamp is None or (at, event.id) > ticket.stamp:
            ticket.stamp = (at, event.id)
            ticket.seen = (data.tracker, data.project)
            ticket.kind, ticket.title, ticket.parent, ticket.labels = data.kind, data.title, data.parent, data.labels
        if data.closed is False:
            ticket.seen_open = max(ticket.seen_open or at, at)
        self._in_project(ticket, (at, event.id), data.project)
        self._status(ticket, (at, 1, event.id), data.status)
        self._put(data.ticket, ticket)

    def moved(self, event: Event, data: TicketMoved) -> None:
        ticket = self._open(event, data.ticket, data.tracker)
        at = to_us(event.time)
        self._status(ticket, (at, 0, event.id), data.to_status)
        self._put(data.ticket, ticket)

    def closed(self, event: Event, data: TicketClosed) -> None:
        ticket = self._open(event, data.ticket, data.tracker)
        at = to_us(event.time)
        ticket.closed = max(ticket.closed or at, at)
        self._put(data.ticket, ticket)

    def deleted(self, event: Event, data: TicketDeleted) -> None:
        ticket = self._open(event, data.ticket, data.tracker)
        ticket.deleted = True
        self._put(data.ticket, ticket)

    def settle(self, key: str) -> TicketFact | None:
        """Return the fact of a ticket as it now stands, without its initiative."""
        ticket = self._tickets.get(key)
        if ticket is None:
            return None
        reopened = ticket.closed is not None and ticket.seen_open is not None and ticket.seen_open > ticket.closed
        return TicketFact(
            id=key,
            tracker=ticket.tracker if ticket.seen is None else ticket.seen[0],
            project=ticket.project if ticket.seen is None else ticket.seen[1],
            kind=ticket.kind,
            title=ticket.title,
            status=ticket.status,
            parent=ticket.parent,
            labels=ticket.labels,
            created_at=ticket.created,
            updated_at=None if ticket.stamp is None else ticket.stamp[0],
            closed_at=None if reopened else ticket.closed,
            deleted=ticket.deleted,
        )

    def _open(self, event: Event, key: str, tracker: str) -> Ticket:
        ticket = self._tickets.get(key)
        if ticket is None:
            ticket = Ticket()
        stamp = (to_us(event.time), event.id)
        if ticket.tracker_stamp is None or stamp > ticket.tracker_stamp:
            ticket.tracker, ticket.tracker_stamp = tracker, stamp
        return ticket

    def _in_project(self, ticket: Ticket, stamp: tuple[int, str], project: str) -> None:
        if ticket.project_stamp is None or stamp > ticket.project_stamp:
            ticket.project, ticket.project_stamp = project, stamp

    def _put(self, key: str, ticket: Ticket) -> None:
        self._tickets.put(key, ticket)
        self.touched.add(key)

    def _status(self, ticket: Ticket, stamp: tuple[int, int, str], status: str) -> None:
        """Of a move and a snapshot at one instant the snapshot wins: it was taken after the move."""
        if ticket.status_stamp is None or stamp > ticket.status_stamp:
            ticket.status_stamp, ticket.status = stamp, status
