"""Telling tickets: what the connectors of trackers must do alike.

Connectors say where a payload holds what. Every event of a ticket is ordered by the ticket, which each of them knows,
and not by its project, which a thin notification does not tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from pipeline.events.deploying import Source
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError, Quarantined
from pipeline.events.reading import parse_time
from pipeline.events.types import (
    DependencyEvent,
    Payload,
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
ADDED, REMOVED = DependencyEvent.TYPES

#: The native type of a name that stands for another one.
ALIAS = "alias"
MAX_TEXT = 500
MAX_NAMES = 100


class Ticket(msgspec.Struct, frozen=True):
    """A ticket of a tracker: `source` is where the tracker is, `tracker` what the contract calls it, `key` the id."""

    source: str
    tracker: str
    key: str

    def created(self, at: datetime, project: str, creator: str | None = None) -> Event:
        """Return that the ticket exists since `at`; `creator` is a pseudonym."""
        data = TicketCreated(tracker=self.tracker, ticket=self.key, project=project, creator=creator)
        return self._event(CREATED, at, data)

    def looks(self, at: datetime, data: TicketUpdated) -> Event:
        """Return what the ticket looks like as of `at`."""
        return self._event(UPDATED, at, data)

    def moved(
        self,
        at: datetime,
        to_status: str,
        from_status: str | None = None,
        *,
        actor: str | None = None,
        reason: str | None = None,
    ) -> Event:
        """Return that the ticket went to a status."""
        data = TicketMoved(
            tracker=self.tracker,
            ticket=self.key,
            to_status=to_status,
            from_status=from_status,
            actor=actor,
            reason=reason,
        )
        return self._event(MOVED, at, data)

    def closed(self, at: datetime, resolution: str | None = None) -> Event:
        """Return that the ticket was closed."""
        return self._event(CLOSED, at, TicketClosed(tracker=self.tracker, ticket=self.key, resolution=resolution))

    def deleted(self, at: datetime) -> Event:
        """Return that the ticket is gone."""
        return self._event(DELETED, at, TicketDeleted(tracker=self.tracker, ticket=self.key))

    def alias(self, name: str, at: datetime, project: str) -> list[Event]:
        """Return that `name` stands for the ticket: a ticket that is gone, and whose parent is the one meant.

        So a link to either leads to the same initiative, and the name itself is counted nowhere.
        """
        points = TicketUpdated(
            tracker=self.tracker, ticket=name, project=project, kind=ALIAS, parent=self.key, closed=True
        )
        other = Ticket(self.source, self.tracker, name)
        return [other.looks(at, points), other.deleted(at)]

    def waits(self, at: datetime, blocked_by: str, *, added: bool = True) -> Event:
        """Return that the ticket waits for another one, or no longer does."""
        data = DependencyEvent(tracker=self.tracker, ticket=self.key, blocked_by=blocked_by)
        return self._event(ADDED if added else REMOVED, at, data)

    def _event(self, event_type: str, at: datetime, data: Payload) -> Event:
        return Source(self.source, self.key).event(event_type, at, self.key, data)


def text(value: str | None) -> str:
    """Return a text, cut, and without the NUL that databases refuse; "" for None."""
    return (value or "").replace("\x00", "")[:MAX_TEXT]


def names(found: Iterable[str | None]) -> list[str]:
    """Return names, sorted and each once: their order means nothing."""
    return sorted({name for each in found if (name := text(each))})[:MAX_NAMES]


def local_time(value: object, path: str, offset: str) -> datetime | None:
    """Return the instant of a time that may carry no zone, in which case it is that of a clock at `offset`.

    `offset` is the setting `utc_offset`, such as `+08:00`; raises `ConfigError` if it is none, `Quarantined` if the
    value is no time.
    """
    moment = parse_time(value, path, zoneless_utc=True)
    if moment is None or not isinstance(value, str) or parse_offset(offset) == timedelta():
        return moment
    try:
        parse_time(value, path)
    except Quarantined:
        return moment - parse_offset(offset)
    return moment


def parse_offset(offset: str) -> timedelta:
    """Return the distance from UTC that `+08:00` means. Raises `ConfigError`."""
    sign, clock = offset[:1], offset[1:].split(":")
    if sign in {"+", "-"} and len(clock) == 2 and all(part.isascii() and part.isdigit() for part in clock):
        hours, minutes = (int(part) for part in clock)
        if hours < 15 and minutes < 60:
            return timedelta(hours=hours, minutes=minutes) * (1 if sign == "+" else -1)
    raise ConfigError(f"utc_offset is {offset!r}; write the distance from UTC, such as +08:00")
