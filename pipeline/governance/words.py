"""Words of trackers that the contract does not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

from pipeline.contract.coordination import UNMAPPED, Coordination
from pipeline.facts.rows import TicketFact


class UnknownWord(msgspec.Struct, frozen=True, order=True):
    """A native status or type that no StatusMap knows, and how many tickets have it."""

    tracker: str
    kind: Literal["status", "type"]
    word: str
    tickets: int


def unknown_words(tickets: Iterable[TicketFact], contract: Coordination) -> list[UnknownWord]:
    """Return the statuses and types of tickets, deleted ones aside, that a contract does not translate; sorted."""
    used = Counter((ticket.tracker, ticket.status, ticket.kind) for ticket in tickets if not ticket.deleted)
    found: Counter[tuple[str, Literal["status", "type"], str]] = Counter()
    for (tracker, status, kind), tickets_with in used.items():
        if contract.canonical_status(tracker, status) == UNMAPPED:
            found[tracker, "status", status] += tickets_with
        if contract.canonical_type(tracker, kind) == UNMAPPED:
            found[tracker, "type", kind] += tickets_with
    return sorted(UnknownWord(*key, tickets_with) for key, tickets_with in found.items())
