"""Coordination debt: work of one team that waits for work of another, longer than the two agreed."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain

from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.events.types import DependencyEvent, TicketMoved, TicketUpdated
from pipeline.simulate.telling import TRACKER, tell

#: So many dependencies wait for so long. The simulated teams expect each other to take three days.
WAITS, WAITED = 4, timedelta(days=10)
CONSUMER, PROVIDER = "growth", "checkout"
PAIR = f"{CONSUMER} > {PROVIDER}"


def planted(as_of: datetime) -> list[Event]:
    """Tell of dependencies that are long overdue at an instant."""
    return list(chain.from_iterable(_blocked(number, as_of - WAITED) for number in range(WAITS)))


def paid(as_of: datetime) -> list[Event]:
    """Tell that half of the tickets waited for were done, and that the other half is no longer needed."""
    at = to_us(as_of)
    return [
        tell(TicketMoved.TYPES[0], at, TicketMoved(tracker=TRACKER, ticket=_blocker(number), to_status="Done"))
        if number % 2
        else tell(DependencyEvent.TYPES[1], at, _dependency(number))
        for number in range(WAITS)
    ]


def _blocker(number: int) -> str:
    return f"{PROVIDER.upper()}-{900 + number}"


def _dependency(number: int) -> DependencyEvent:
    return DependencyEvent(tracker=TRACKER, ticket=f"{CONSUMER.upper()}-{900 + number}", blocked_by=_blocker(number))


def _blocked(number: int, at: datetime) -> list[Event]:
    dependency = _dependency(number)
    tickets = ((dependency.ticket, CONSUMER, "In Progress"), (dependency.blocked_by, PROVIDER, "To Do"))
    seen = [
        TicketUpdated(tracker=TRACKER, ticket=key, project=team, team=team, status=status, kind="Story")
        for key, team, status in tickets
    ]
    return [
        *(tell(TicketUpdated.TYPES[0], to_us(at), each) for each in seen),
        tell(DependencyEvent.TYPES[0], to_us(at + timedelta(hours=1)), dependency),
    ]
