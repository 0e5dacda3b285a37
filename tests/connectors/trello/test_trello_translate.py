"""What the cases do not show: variants of cards and actions."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.trello import CONNECTOR
from connectors.trello.kinds import CREATE, LEFT_OUT
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.types import TicketClosed, TicketCreated, TicketUpdated
from tests.connectors.casebook import RECEIVED_AT

CARD: dict[str, Any] = {
    "id": "6402f643d23aa9af56b29007",
    "shortLink": "vJSLgs2O",
    "name": "A card",
    "idBoard": "b1",
    "idList": "l1",
    "dateLastActivity": "2023-03-05T11:15:43.109Z",
}
MADE = datetime(2023, 3, 4, 7, 41, 55, tzinfo=UTC)


def translated(kind: str, body: Any) -> Translation:
    raw = json.dumps(body).encode()
    delivery = Delivery(connector="trello", id="d", kind=kind, received_at=RECEIVED_AT, body=raw)
    return CONNECTOR.translate(delivery, Context(actor_key=b"key"))


def polled(**fields: Any) -> list[Any]:
    return list(translated("rest.card", {**CARD, **fields}).events)


def action(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    known = {"board": {"id": "b1"}, "card": {"id": CARD["id"], "shortLink": "vJSLgs2O", "name": "A card"}}
    return {"id": "a1", "type": kind, "date": "2023-03-06T08:00:00.000Z", "data": {**known, **data}}


def test_a_card_was_made_when_its_id_says() -> None:
    created, updated = polled()
    assert (created.time, type(created.data)) == (MADE, TicketCreated)
    assert updated.time == datetime(2023, 3, 5, 11, 15, 43, 109000, tzinfo=UTC)
    (only,) = polled(id="not-an-object-id")
    assert isinstance(only.data, TicketUpdated)


def test_nothing_is_told_of_a_card_before_it_was_made() -> None:
    assert [event.time for event in polled(dateLastActivity="2019-10-25T18:55:03.514Z")] == [MADE, MADE]
    assert [event.time for event in polled(dateLastActivity=None)] == [MADE, MADE]


@pytest.mark.parametrize(
    ("fields", "resolution", "at"),
    [
        ({"closed": True}, "archived", "2023-03-05T11:15:43.109000+00:00"),
        ({"dueComplete": True}, "complete", "2023-03-05T11:15:43.109000+00:00"),
        (
            {"closed": True, "dueComplete": True, "dateCompleted": "2023-03-05T08:00:00Z"},
            "complete",
            "2023-03-05T08:00:00+00:00",
        ),
        ({"closed": True, "dateClosed": "2023-03-05T09:00:00Z"}, "archived", "2023-03-05T09:00:00+00:00"),
    ],
)
def test_a_closed_card_says_how_and_when(fields: dict[str, Any], resolution: str, at: str) -> None:
    _, updated, closed = polled(**fields)
    assert isinstance(closed.data, TicketClosed)
    assert (updated.data.closed, closed.data.resolution, closed.time.isoformat()) == (True, resolution, at)


def test_a_list_has_a_name_if_the_answer_tells_it() -> None:
    board = {"id": "b1", "cards": [CARD], "lists": [{"id": "l1", "name": "Doing"}]}
    statuses = [
        event.data.status
        for body, kind in (
            (board, "rest.board"),
            ({**CARD, "list": {"name": "Done"}}, "rest.card"),
            ([CARD], "rest.cards"),
        )
        for event in translated(kind, body).events
        if isinstance(event.data, TicketUpdated)
    ]
    assert statuses == ["Doing", "Done", "l1"]


@pytest.mark.parametrize("kind", sorted(CREATE))
def test_every_way_to_make_a_card_tells_that_it_exists(kind: str) -> None:
    told = translated(kind, {"action": action(kind, {"list": {"name": "Ideas"}})}).events
    assert [type(event.data) for event in told] == [TicketCreated, TicketUpdated]


@pytest.mark.parametrize("kind", sorted(LEFT_OUT))
def test_actions_that_are_left_out_are_named(kind: str) -> None:
    assert translated(kind, {"action": {"id": "a1", "type": kind}}).ignored == kind


def test_an_update_is_left_out_under_a_code_of_a_bounded_set() -> None:
    assert (
        translated("updateCard", {"action": action("updateCard", {"old": {"desc": ""}})}).ignored == "updateCard.desc"
    )
    assert translated("updateCard", {"action": action("updateCard", {"old": {"x9": 1}})}).ignored == "updateCard.other"
    assert translated("updateCard", {"action": action("updateCard", {})}).ignored == "updateCard.other"


def test_archived_and_still_complete_is_not_open() -> None:
    card = {"id": CARD["id"], "shortLink": "vJSLgs2O", "closed": False, "dueComplete": True}
    told = translated("updateCard", {"action": action("updateCard", {"card": card, "old": {"closed": True}})})
    assert told.ignored == "updateCard.other"


def test_a_page_of_actions_counts_as_left_out_only_as_a_whole() -> None:
    comment, made = action("commentCard", {}), action("createCard", {"list": {"name": "Ideas"}})
    assert translated("rest.actions", [comment, comment]).ignored == "commentCard"
    assert len(translated("rest.actions", [comment, made]).events) == 2
    assert translated("rest.actions", []) == Translation(events=[])
