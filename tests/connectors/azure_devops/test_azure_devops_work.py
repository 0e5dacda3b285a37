"""What Azure DevOps tells of work between teams: why an item moved, whose area it is in, and which group is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from connectors.azure_devops import CONNECTOR
from pipeline.events.coordination import ReviewRequest, TicketTransferred
from pipeline.events.delivery import Context, Delivery
from pipeline.events.envelope import Event
from pipeline.events.types import TicketMoved

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def translated(kind: str, body: Any) -> list[Event]:
    delivery = Delivery(connector="azure_devops", id="d", kind=kind, received_at=NOON, body=msgspec.json.encode(body))
    return list(CONNECTOR.translate(delivery, Context(actor_key=b"key")).events)


def updated(**fields: tuple[str | None, str | None]) -> list[Event]:
    """An update of work item 5; a field is named without `System.`, and has a value before and after."""
    told = {f"System.{name}": {"oldValue": before, "newValue": after} for name, (before, after) in fields.items()}
    told["System.ChangedDate"] = {"oldValue": None, "newValue": "2026-11-20T10:00:00.5Z"}
    update = {"id": 2, "workItemId": 5, "rev": 2, "fields": told, "url": "https://dev.azure.com/acme/_apis/wit/x"}
    return translated("rest.updates", {"value": [update]})


def transfers(events: list[Event]) -> list[tuple[str | None, str]]:
    return [(event.data.from_team, event.data.to_team) for event in events if isinstance(event.data, TicketTransferred)]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("Deferred", "Deferred"),
        ("Moved to state Closed", None),
        ("Moved out of state New", None),
        (None, None),
    ],
)
def test_a_reason_is_told_unless_azure_filled_it_in(told: str | None, reason: str | None) -> None:
    moves = [event.data for event in updated(State=("New", "Closed"), Reason=("New", told))]
    assert [move.reason for move in moves if isinstance(move, TicketMoved)] == [reason]


def test_another_area_is_another_team_and_another_project_is_told_once() -> None:
    moved = updated(AreaPath=("Shop\\Growth", "Pay\\Identity"), TeamProject=("Shop", "Pay"))
    assert transfers(moved) == [("Shop\\Growth", "Pay\\Identity")]
    assert transfers(updated(TeamProject=("Shop", "Pay"))) == [("Shop", "Pay")]


def test_the_area_that_an_item_begins_in_is_no_transfer() -> None:
    assert transfers(updated(AreaPath=(None, "Shop\\Growth"), State=("New", "Active"))) == []


def pull(*reviewers: dict[str, Any], status: str = "active") -> dict[str, Any]:
    return {
        "pullRequestId": 7,
        "status": status,
        "creationDate": "2026-11-18T09:00:00Z",
        "closedDate": None if status == "active" else "2026-11-19T09:00:00Z",
        "createdBy": {"displayName": "Ada", "uniqueName": "ada"},
        "title": "One step",
        "sourceRefName": "refs/heads/one",
        "targetRefName": "refs/heads/main",
        "repository": {"name": "web", "project": {"name": "Shop"}, "url": "https://dev.azure.com/acme/Shop/_apis/x"},
        "reviewers": list(reviewers),
    }


def group(name: str, vote: int = 0) -> dict[str, Any]:
    return {"displayName": name, "vote": vote, "isContainer": True}


def hook(kind: str, resource: dict[str, Any]) -> list[tuple[str | None, int]]:
    body = {"eventType": kind, "createdDate": "2026-11-20T10:00:00Z", "resource": resource}
    return asked(translated(kind, body))


def asked(events: list[Event]) -> list[tuple[str | None, int]]:
    """Return the teams that are asked, and the day on which they are."""
    return [(event.data.team, event.time.day) for event in events if isinstance(event.data, ReviewRequest)]


def test_a_group_is_asked_with_the_pull_request_or_by_the_hook_that_shows_it() -> None:
    shown = pull(group("[Shop]\\Identity"), {"displayName": "Grace", "vote": 0})
    assert hook("git.pullrequest.created", shown) == [("Identity", 18)]
    assert hook("git.pullrequest.updated", shown) == [("Identity", 20)]


def test_a_group_that_voted_or_whose_pull_request_is_closed_is_not_asked_anew() -> None:
    assert hook("git.pullrequest.updated", pull(group("[Shop]\\Identity", 10))) == []
    assert hook("git.pullrequest.merged", pull(group("[Shop]\\Identity"), status="completed")) == []


def test_threads_tell_when_a_group_was_added_by_a_person_or_by_a_policy() -> None:
    threads = [
        {
            "id": number,
            "publishedDate": f"2026-11-{day}T09:00:00Z",
            "properties": {"CodeReviewThreadType": {"$value": kind}, field: {"$value": places}},
            "identities": {"1": {"displayName": name}, "2": {"displayName": "Grace"}},
        }
        for number, (day, kind, field, places, name) in enumerate(
            [
                (19, "ReviewersUpdate", "CodeReviewReviewersUpdatedAddedIdentity", "1", "[Shop]\\Identity"),
                (
                    21,
                    "RequiredReviewer",
                    "CodeReviewRequiredReviewerExampleReviewerIdentities",
                    "[1, 2]",
                    "[Shop]\\Data",
                ),
            ]
        )
    ]
    listed = pull(group("[Shop]\\Identity"), group("[Shop]\\Data"), group("[Shop]\\Growth"))
    events = translated("rest.pullrequest_threads", {"pullRequest": listed, "threads": threads})
    assert asked(events) == [("Growth", 18), ("Identity", 19), ("Data", 21)]
