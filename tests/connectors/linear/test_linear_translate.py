"""What the cases do not show: variants of fields, and that links by uuid lead somewhere in the fold."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest

from connectors.linear import CONNECTOR
from connectors.linear.kinds import LEFT_OUT
from pipeline.events.delivery import Context, Delivery
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.types import ContractDeclared, DependencyEvent, TicketClosed, TicketMoved, TicketUpdated
from pipeline.facts.rows import TicketFact
from tests.connectors.casebook import RECEIVED_AT, cases, events_of
from tests.simulation.folding import fold

ISSUE: dict[str, Any] = {
    "id": "u1",
    "identifier": "ENG-1",
    "title": "Retry",
    "createdAt": "2026-03-01T08:00:00.000Z",
    "updatedAt": "2026-03-02T08:00:00.000Z",
    "state": {"name": "Todo", "type": "unstarted"},
    "team": {"key": "ENG", "name": "Engineering"},
}


def pushed(data: dict[str, Any], what: str = "Issue", action: str = "update", **more: Any) -> list[Event]:
    body = {"type": what, "action": action, "organizationId": "o1", "data": data, **more}
    return list(translated(json.dumps(body).encode(), "unknown").events)


def translated(body: bytes, kind: str, settings: dict[str, str] | None = None) -> Any:
    delivery = Delivery(connector="linear", id="d", kind=kind, received_at=RECEIVED_AT, body=body)
    return CONNECTOR.translate(delivery, Context(actor_key=b"key", settings=settings or {}))


def snapshot(events: list[Event], ticket: str = "ENG-1") -> TicketUpdated:
    (found,) = [each.data for each in events if isinstance(each.data, TicketUpdated) and each.data.ticket == ticket]
    return found


def of(events: list[Event], payload: type) -> list[Any]:
    return [event.data for event in events if isinstance(event.data, payload)]


@pytest.mark.parametrize(
    ("state", "closed"),
    [
        ("triage", False),
        ("backlog", False),
        ("started", False),
        ("completed", True),
        ("canceled", True),
        ("duplicate", True),
    ],
)
def test_the_type_of_the_state_closes(state: str, closed: bool) -> None:
    told = pushed({**ISSUE, "state": {"name": "X", "type": state}}, updatedFrom={"stateId": "before"})
    assert snapshot(told).closed is closed
    assert [data.resolution for data in of(told, TicketClosed)] == ([state] if closed else [])
    assert [data.to_status for data in of(told, TicketMoved)] == ["X"]


def test_no_state_is_not_open() -> None:
    assert snapshot(pushed({**ISSUE, "state": None})).closed is None


def test_an_update_of_something_else_is_no_move() -> None:
    assert of(pushed(ISSUE, updatedFrom={"title": "Retries"}), TicketMoved) == []
    assert of(pushed(ISSUE, action="create"), TicketMoved) == []


def test_the_parent_issue_comes_before_the_project() -> None:
    assert snapshot(pushed({**ISSUE, "projectId": "p"})).parent == "p"
    assert snapshot(pushed({**ISSUE, "projectId": "p", "parentId": "u0"})).parent == "u0"
    assert snapshot(pushed({**ISSUE, "project": {"id": "p"}, "parent": {"id": "u1"}})).parent is None


def test_a_project_of_several_initiatives_has_no_parent() -> None:
    project = {
        "id": "p",
        "name": "P",
        "slugId": "abc",
        "createdAt": ISSUE["createdAt"],
        "updatedAt": ISSUE["updatedAt"],
    }
    one, two = {"id": "i1"}, {"id": "i2"}
    assert snapshot(pushed({**project, "initiatives": [one]}, "Project"), "abc").parent == "i1"
    assert snapshot(pushed({**project, "initiatives": [one, two]}, "Project"), "abc").parent is None
    older = snapshot(pushed({**project, "state": "completed", "priority": 1}, "Project"), "abc")
    assert (older.status, older.closed, older.priority) == ("completed", True, "Urgent")


def test_a_relation_that_turns_round_moves_the_edge() -> None:
    data = {"type": "blocks", "issueId": "u1", "relatedIssueId": "u2", "updatedAt": ISSUE["updatedAt"]}
    told = pushed(data, "IssueRelation", updatedFrom={"issueId": "u2", "relatedIssueId": "u1"})
    edges = [(event.type.split("-")[1].split(".1")[0], event.data) for event in told]
    assert edges == [
        ("dependency.removed", DependencyEvent(tracker="linear", ticket="u1", blocked_by="u2")),
        ("dependency.added", DependencyEvent(tracker="linear", ticket="u2", blocked_by="u1")),
    ]


@pytest.mark.parametrize("what", sorted(LEFT_OUT))
def test_types_that_are_left_out_are_named(what: str) -> None:
    body = json.dumps({"type": what, "action": "create", "data": {}}).encode()
    assert translated(body, f"{what}.create").ignored == LEFT_OUT[what]


@pytest.mark.parametrize("wrap", [lambda issue: [issue], lambda issue: issue, lambda issue: {"nodes": [issue]}])
def test_issues_of_the_api_come_in_several_wrappings(wrap: Any) -> None:
    events = translated(json.dumps(wrap(ISSUE)).encode(), "graphql.issues", {"organization": "o1"}).events
    assert {event.id for event in events} == {event.id for event in pushed(ISSUE, action="create")}
    assert {event.source for event in events} == {"https://linear.app/organizations/o1"}


def test_an_answer_without_issues_is_an_error_and_an_empty_page_is_none() -> None:
    assert translated(b'{"data": {"issues": {"nodes": []}}}', "graphql.issues").events == []
    with pytest.raises(Quarantined, match=r"missing_field: data holds neither"):
        translated(b'{"data": {"viewer": {}}}', "graphql.issues")


@pytest.mark.parametrize("epic", ["i", "abc", "p", "ENG-1", "u1"])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_sub_issue_serves_the_initiative_of_whatever_is_above_it(epic: str, backwards: bool) -> None:
    """Sub-issue -> uuid -> issue -> uuid -> project -> initiative: any name on the way will do, in any order."""
    times = {name: ISSUE[name] for name in ("createdAt", "updatedAt")}
    told = [
        *pushed({**ISSUE, "id": "u2", "identifier": "ENG-2", "parentId": "u1"}),
        *pushed({**times, "id": "p", "name": "P", "slugId": "abc", "initiatives": [{"id": "i"}]}, "Project"),
        *pushed({**ISSUE, "projectId": "p"}),
    ]
    spec = {"owner": "growth", "tracks": {"linear": [{"epic": epic}]}}
    tickets = fold([declared("Initiative", "faster", spec), *(told[::-1] if backwards else told)])
    found = dict(tickets.table("fact_ticket", TicketFact).items())
    assert found["ENG-2"].initiative == "faster"
    assert {key for key, fact in found.items() if not fact.deleted} == {"ENG-1", "ENG-2", "abc"}


def declared(kind: Literal["Initiative"], name: str, spec: dict[str, Any]) -> Event:
    """Return the declaration of an object of the contract that holds since ever."""
    return Event(
        id=f"declared-{name}",
        source="contract",
        type=ContractDeclared.TYPES[0],
        time=RECEIVED_AT,
        subject=name,
        partitionkey="contract",
        data=ContractDeclared(kind=kind, name=name, spec=spec),
    )


def test_no_name_of_a_person_leaves() -> None:
    for case in cases("linear"):
        assert not [event for event in events_of(case) if b"John Doe" in json.dumps(repr(event)).encode()]
