"""Reading a card: its name, when it came into being, and what it looks like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

from pipeline.events.coordination import TicketTransferred
from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.ids import event_id
from pipeline.events.reading import Node
from pipeline.events.times import SECOND_US, from_us
from pipeline.events.types import Payload, TicketClosed, TicketCreated, TicketDeleted, TicketMoved, TicketUpdated

SOURCE = "https://trello.com"
(CREATED,) = TicketCreated.TYPES
(UPDATED,) = TicketUpdated.TYPES
(MOVED,) = TicketMoved.TYPES
(CLOSED,) = TicketClosed.TYPES
(DELETED,) = TicketDeleted.TYPES
(TRANSFERRED,) = TicketTransferred.TYPES

ARCHIVED = "archived"
COMPLETE = "complete"
MAX_TEXT = 500
MAX_LABELS = 100
#: Trello's ids begin with the seconds since 1970 at which the object was made.
_OBJECT_ID = re.compile(r"[0-9a-f]{24}")


class Card(msgspec.Struct, frozen=True):
    """Which card is told of: `key` is the code in its address, `board` the id of the board that it is on."""

    key: str
    board: str
    tracker: str
    made: datetime | None

    def created(self) -> list[Event]:
        """Tell that the card exists. Who made it stays out: a card of the REST API does not tell."""
        if self.made is None:
            return []
        return [
            self._event(CREATED, self.made, TicketCreated(tracker=self.tracker, ticket=self.key, project=self.board))
        ]

    def moved(self, at: datetime, before: str | None, after: str, actor: str | None) -> Event:
        """Tell a move to the list `after`."""
        data = TicketMoved(tracker=self.tracker, ticket=self.key, to_status=after, from_status=before, actor=actor)
        return self._event(MOVED, at, data)

    def transferred(self, at: datetime, before: str, actor: str | None) -> Event:
        """Tell that the card came from the board `before`. Boards stand for teams, by their ids as in `project`."""
        data = TicketTransferred(
            tracker=self.tracker, ticket=self.key, to_team=self.board, from_team=before, actor=actor
        )
        return self._event(TRANSFERRED, at, data)

    def closed(self, at: datetime, resolution: str) -> Event:
        """Tell that the card was archived, or marked as complete."""
        return self._event(CLOSED, at, TicketClosed(tracker=self.tracker, ticket=self.key, resolution=resolution))

    def deleted(self, at: datetime) -> Event:
        """Tell that the card was deleted."""
        return self._event(DELETED, at, TicketDeleted(tracker=self.tracker, ticket=self.key))

    def looks(
        self, at: datetime, shown: Node, status: str, assignee: str | None = None, resolution: str | None = None
    ) -> Event:
        """Tell what the card looks like as of `at`; `resolution` None: it is open."""
        data = TicketUpdated(
            tracker=self.tracker,
            ticket=self.key,
            project=self.board,
            title=clean(shown.text_or_none("name")),
            kind="card",
            status=status,
            labels=_labels(shown),
            assignee=assignee,
            resolution=resolution,
            closed=resolution is not None,
        )
        return self._event(UPDATED, at, data)

    def _event(self, event_type: str, at: datetime, data: Payload) -> Event:
        content = msgspec.json.encode(data).decode()
        return Event(
            id=event_id(event_type, self.key, at.isoformat(), self.board, content),
            source=SOURCE,
            type=event_type,
            time=at,
            subject=self.key,
            partitionkey=self.board,
            data=data,
        )


def read_card(card: Node, board: str, context: Context) -> Card:
    """Read which card it is. One without the code of its address, as old actions have it, is known by its id."""
    identity = card.text("id")
    return Card(
        key=card.text_or_none("shortLink") or identity,
        board=board,
        tracker=context.settings.get("tracker", "").strip() or "trello",
        made=from_us(int(identity[:8], 16) * SECOND_US) if _OBJECT_ID.fullmatch(identity) else None,
    )


def whole_card(card: Node, lists: Mapping[str, str], context: Context) -> list[Event]:
    """Return all that a card of the REST API tells of itself. `lists` are the names of lists by their ids."""
    told = read_card(card, card.text("idBoard"), context)
    # A board copied from a template keeps the times of the template's cards, which were before the card itself.
    times = [moment for moment in (card.moment_or_none("dateLastActivity"), told.made) if moment is not None]
    at = max(times) if times else card.moment("dateLastActivity")
    in_list = card.text("idList")
    status = card.text_or_none("list", "name") or lists.get(in_list) or in_list
    members = card.texts("idMembers")
    resolution = resolution_of(card)
    events = [
        *told.created(),
        told.looks(at, card, clean(status), context.actor(next(iter(members), None)), resolution),
    ]
    if resolution is not None:
        done = card.moment_or_none("dateCompleted") if resolution == COMPLETE else card.moment_or_none("dateClosed")
        events.append(told.closed(done or at, resolution))
    return events


def resolution_of(card: Node) -> str | None:
    """Return how a card is closed: marked as complete, which says more, or archived; None: it is open."""
    if card.flag("dueComplete"):
        return COMPLETE
    return ARCHIVED if card.flag("closed") else None


def clean(text: str | None) -> str:
    """Return a text, cut, and without the NUL that databases refuse."""
    return (text or "").replace("\x00", "")[:MAX_TEXT]


def _labels(card: Node) -> list[str]:
    """Return the names of the labels, sorted; one without a name is known by its colour."""
    named = (clean(label.text_or_none("name") or label.text_or_none("color")) for label in card.items("labels"))
    return sorted({name for name in named if name})[:MAX_LABELS]
