"""The link graph: which initiative a ticket serves, through its parents, however late a link comes."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.facts.fans import Fans
from pipeline.facts.rows import TicketFact
from pipeline.facts.state import State


class Link(msgspec.Struct, array_like=True):
    """What a ticket says of its place: the ticket above it, its labels, and the initiative it was linked to by hand."""

    parent: str | None = None
    labels: list[str] = []
    linked: str | None = None


class Resolution(msgspec.Struct, frozen=True):
    """The initiatives that a ticket serves (none, one, or several that contradict), and the way to them."""

    initiatives: tuple[str, ...] = ()
    path: tuple[str, ...] = ()


class LinkGraph:
    """Tickets, their parents, and the changes that mention them."""

    def __init__(self, state: State, contract: Contract) -> None:
        self._links = state.table("link", Link)
        self._children = Fans(state, "children")
        self._mentions = Fans(state, "mentions")
        self._contract = contract

    def prefetch(self, tickets: Collection[str]) -> None:
        """Load what is known of tickets in one go."""
        self._links.prefetch(tickets)
        self._children.prefetch(tickets)
        self._mentions.prefetch(tickets)

    def place(self, ticket: TicketFact) -> bool:
        """Take in where a ticket stands; returns whether that may change what it or anything below it resolves to."""
        link = self._links.get(ticket.id)
        placed = Link(parent=ticket.parent, labels=ticket.labels, linked=ticket.link)
        if link == placed:
            return False
        if ticket.parent is not None and (link is None or link.parent != ticket.parent):
            self._children.add(ticket.parent, ticket.id)
        self._links.put(ticket.id, placed)
        return True

    def mention(self, ticket: str, change: str) -> None:
        """Note that a change mentions a ticket, known or not yet."""
        self._mentions.add(ticket, change)

    def mentions(self, ticket: str) -> set[str]:
        """Return the changes that mention a ticket, or once did."""
        return set(self._mentions.members(ticket))

    def below(self, ticket: str) -> set[str]:
        """Return a ticket and all its descendants; ends on circles."""
        found, stack = {ticket}, [ticket]
        while stack:
            above = stack.pop()
            for child in self._children.members(above):
                link = self._links.get(child)
                if child not in found and link is not None and link.parent == above:
                    found.add(child)
                    stack.append(child)
        return found

    def resolve(self, ticket: str) -> Resolution:
        """Return the initiatives named by the ticket, or else by the nearest ticket above it that names any."""
        path: dict[str, None] = {}
        key: str | None = ticket
        while key is not None and key not in path:
            path[key] = None
            link = self._links.get(key)
            named = set(self._contract.initiatives_by_ticket(key))
            if link is not None:
                named.update(*(self._contract.initiatives_by_label(label) for label in link.labels))
                named |= self._contract.initiatives_named(link.linked) if link.linked else frozenset()
            if named:
                return Resolution(tuple(sorted(named)), tuple(path))
            key = link.parent if link is not None else None
        return Resolution()
