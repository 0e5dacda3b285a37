"""What Linear tells of work between teams: why an issue was given up, and which team it went to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.linear import CONNECTOR
from pipeline.events.coordination import TicketTransferred
from pipeline.events.delivery import Context, Delivery
from pipeline.events.envelope import Event
from pipeline.events.types import TicketMoved, TicketUpdated
from tests.connectors.casebook import RECEIVED_AT

AT = "2026-03-02T08:00:00.000Z"
ISSUE: dict[str, Any] = {
    "id": "u1",
    "identifier": "OPS-4",
    "title": "Retry",
    "createdAt": "2026-03-01T08:00:00.000Z",
    "updatedAt": AT,
    "state": {"name": "Todo", "type": "unstarted"},
    "team": {"key": "OPS", "name": "Operations"},
    "previousIdentifiers": ["WEB-9", "ENG-1"],
}


def translated(kind: str, body: Any) -> list[Event]:
    delivery = Delivery(connector="linear", id="d", kind=kind, received_at=RECEIVED_AT, body=json.dumps(body).encode())
    return list(CONNECTOR.translate(delivery, Context(actor_key=b"key")).events)


def pushed(former: dict[str, Any], **fields: Any) -> list[Event]:
    body = {"type": "Issue", "action": "update", "organizationId": "o1", "actor": {"id": "a"}, "updatedFrom": former}
    return translated("Issue.update", {**body, "data": {**ISSUE, **fields}})


def polled(*entries: dict[str, Any], **fields: Any) -> list[Event]:
    history = [{"createdAt": AT, "actor": {"id": "a"}, **entry} for entry in entries]
    issue = {**ISSUE, **fields, "history": {"nodes": history}}
    return translated("graphql.issues", {"data": {"organization": {"id": "o1"}, "issues": {"nodes": [issue]}}})


def of(events: list[Event], payload: type) -> list[Event]:
    return [event for event in events if isinstance(event.data, payload)]


@pytest.mark.parametrize(
    ("state", "reason"),
    [("canceled", "canceled"), ("duplicate", "duplicate"), ("completed", None), ("started", None)],
)
def test_only_work_that_is_given_up_has_a_reason(state: str, reason: str | None) -> None:
    status = {"name": "Closed", "type": state}
    told = of(pushed({"stateId": "s"}, state=status), TicketMoved)
    assert [event.data.reason for event in told if isinstance(event.data, TicketMoved)] == [reason]
    assert of(polled({"toState": status}, state=status), TicketMoved) == told


def test_another_team_is_a_transfer_between_keys() -> None:
    told = of(pushed({"teamId": "9cfb", "number": 1}), TicketTransferred)
    assert [
        (event.subject, event.data.from_team, event.data.to_team)
        for event in told
        if isinstance(event.data, TicketTransferred)
    ] == [("OPS-4", "ENG", "OPS")]
    assert of(polled({"fromTeam": {"key": "ENG"}, "toTeam": {"key": "OPS"}}), TicketTransferred) == told


def test_another_number_in_the_same_team_is_no_transfer() -> None:
    assert of(pushed({"number": 3}), TicketTransferred) == []
    assert of(pushed({"teamId": "9cfb"}, previousIdentifiers=["OPS-3"]), TicketTransferred) == []


def test_a_snapshot_names_the_team_as_a_transfer_does() -> None:
    teams = [event.data.team for event in pushed({"title": "Try"}) if isinstance(event.data, TicketUpdated)]
    assert "OPS" in teams
    bare = pushed({"title": "Try"}, team=None)
    assert {event.data.team for event in bare if isinstance(event.data, TicketUpdated)} == {"OPS", None}
