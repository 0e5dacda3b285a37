"""Progress: how much of an initiative's work is done. What people write, push or comment does not enter it."""

from __future__ import annotations

import msgspec

from pipeline.facts.rows import TicketFact
from pipeline.governance.known import Known


class Progress(msgspec.Struct, frozen=True):
    """Done tickets of all that count."""

    done: int = 0
    tickets: int = 0

    @property
    def share(self) -> float | None:
        """Done / all; None without any."""
        return self.done / self.tickets if self.tickets else None


def progress(known: Known) -> dict[str, Progress]:
    """Return the progress of every initiative that has tickets.

    Deleted and cancelled tickets do not count, and one with tickets below it is not counted beside them.
    """
    found: dict[str, Progress] = {}
    for ticket in known.of(TicketFact):
        if ticket.initiative is None or ticket.deleted or ticket.finish == "cancelled" or known.has_parts(ticket):
            continue
        held = found.get(ticket.initiative, Progress())
        found[ticket.initiative] = Progress(held.done + (ticket.finish == "done"), held.tickets + 1)
    return found
