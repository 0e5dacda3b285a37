"""Work items: everything that was told of a ticket, and what it says of its status, its team and its time."""

from __future__ import annotations

from bisect import bisect_left

import msgspec

from pipeline.events.coordination import LinkDeclared, TicketTransferred
from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.events.types import TicketClosed, TicketCreated, TicketDeleted, TicketMoved, TicketUpdated
from pipeline.facts.state import State

Stamp = tuple[int, str]
#: (time, 0 move or 1 snapshot, event id, native status, status before or "", whether a reason was told)
StatusEntry = tuple[int, int, str, str, str, bool]
#: (time, event id, word for the team, word before or "")
OwnerEntry = tuple[int, str, str, str]
#: (time, event id, whether it is flagged)
FlagEntry = tuple[int, str, bool]


class Ticket(msgspec.Struct, array_like=True):
    """What was told of one ticket. The lists are sorted and hold each entry once.

    `settled` is what others depend on, as of the last time it was settled; `waits` are the ids of the waits that the
    ticket then had.
    """

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
    parent: str | None = None
    labels: list[str] = []
    closed: int | None = None
    seen_open: int | None = None
    deleted: int | None = None
    statuses: list[tuple[int, int, str, str, str, bool]] = []
    owners: list[tuple[int, str, str, str]] = []
    flags: list[tuple[int, str, bool]] = []
    link: str | None = None
    link_stamp: tuple[int, str] | None = None
    blocked_by: list[str] = []
    waits: list[str] = []
    settled: tuple[int | None, str | None, str, str, int, bool] | None = None
    #: Whether it is, or once was, a decision by its type or labels.
    decides: bool = False

    @property
    def is_known(self) -> bool:
        """Whether the ticket itself was ever told of, rather than only linked to."""
        return self.tracker_stamp is not None

    @property
    def told_tracker(self) -> str:
        """The tracker that it belongs to."""
        return self.tracker if self.seen is None else self.seen[0]

    @property
    def told_project(self) -> str:
        """The project that it belongs to."""
        return self.project if self.seen is None else self.seen[1]


class Work:
    """Keeps what is told of every ticket. `touched` are those to settle."""

    def __init__(self, state: State) -> None:
        self._tickets = state.table("ticket", Ticket)
        self.touched: set[str] = set()

    def get(self, key: str) -> Ticket | None:
        """Return what is known of a ticket."""
        return self._tickets.get(key)

    def created(self, event: Event, data: TicketCreated) -> None:
        ticket = self._open(event, data.ticket, data.tracker)
        at = to_us(event.time)
        ticket.created = at if ticket.created is None else min(ticket.created, at)
        self._in_project(ticket, (at, event.id), data.project)
        self.put(data.ticket, ticket)

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
        if data.status:
            _insert(ticket.statuses, (at, 1, event.id, data.status, "", False))
        if data.team:
            _insert(ticket.owners, (at, event.id, data.team, ""))
        _insert(ticket.flags, (at, event.id, data.flagged))
        self.put(data.ticket, ticket)

    def moved(self, event: Event, data: TicketMoved) -> None:
        ticket = self._open(event, data.ticket, data.tracker)
        entry = (to_us(event.time), 0, event.id, data.to_status, data.from_status or "", bool(data.reason))
        _insert(ticket.statuses, entry)
        self.put(data.ticket, ticket)

    def transferred(self, event: Event, data: TicketTransferred) -> None:
        ticket = self._open(event, data.ticket, data.tracker)
        _insert(ticket.owners, (to_us(event.time), event.id, data.to_team, data.from_team or ""))
        self.put(data.ticket, ticket)

    def closed(self, event: Event, data: TicketClosed) -> None:
        ticket = self._open(event, data.ticket, data.tracker)
        at = to_us(event.time)
        ticket.closed = max(ticket.closed or at, at)
        self.put(data.ticket, ticket)

    def deleted(self, event: Event, data: TicketDeleted) -> None:
        ticket = self._open(event, data.ticket, data.tracker)
        at = to_us(event.time)
        ticket.deleted = at if ticket.deleted is None else min(ticket.deleted, at)
        self.put(data.ticket, ticket)

    def linked(self, event: Event, data: LinkDeclared) -> None:
        """Take in that a person linked a ticket to an initiative; the latest link holds."""
        ticket = self._tickets.get(data.subject_id) or Ticket()
        stamp = (to_us(event.time), event.id)
        if ticket.link_stamp is None or stamp > ticket.link_stamp:
            ticket.link, ticket.link_stamp = data.initiative, stamp
        self.put(data.subject_id, ticket)

    def waits_for(self, key: str, blocker: str) -> None:
        """Note that a ticket depends, or once did, on another; neither need be known."""
        ticket = self._tickets.get(key) or Ticket()
        if blocker not in ticket.blocked_by:
            _insert(ticket.blocked_by, blocker)
        self.put(key, ticket)

    def put(self, key: str, ticket: Ticket) -> None:
        """Keep a ticket, and have it settled."""
        self._tickets.put(key, ticket)
        self.touched.add(key)

    def keep(self, key: str, ticket: Ticket) -> None:
        """Keep a ticket that was just settled."""
        self._tickets.put(key, ticket)

    def _open(self, event: Event, key: str, tracker: str) -> Ticket:
        ticket = self._tickets.get(key) or Ticket()
        stamp = (to_us(event.time), event.id)
        if ticket.tracker_stamp is None or stamp > ticket.tracker_stamp:
            ticket.tracker, ticket.tracker_stamp = tracker, stamp
        return ticket

    def _in_project(self, ticket: Ticket, stamp: Stamp, project: str) -> None:
        if ticket.project_stamp is None or stamp > ticket.project_stamp:
            ticket.project, ticket.project_stamp = project, stamp


def _insert(entries: list, entry: object) -> None:  # type: ignore[type-arg]
    """Insert into a sorted list unless it is there."""
    where = bisect_left(entries, entry)
    if where == len(entries) or entries[where] != entry:
        entries.insert(where, entry)
