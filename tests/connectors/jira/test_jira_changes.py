from __future__ import annotations

from typing import Any

import pytest

from pipeline.events.errors import Quarantined
from pipeline.events.types import TicketDeleted, TicketMoved
from tests.connectors.jira.jira_shapes import BASE, history, issue, item, of_type, translated

STARTED = item("status", "To Do", "In Progress", fieldId="status")


def pushed(body: dict[str, Any], change: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    return {
        "webhookEvent": "jira:issue_updated",
        "timestamp": 1795168800470,
        "user": {"accountId": "5b10"},
        "issue": body,
        **({"changelog": change} if change else {}),
        **more,
    }


def test_a_change_is_one_event_in_webhook_poll_and_changelog_page() -> None:
    """The webhook says 10:00:00.456 (`updated`), the changelog 10:00:00.459."""
    told = history("7", "2026-11-20T10:00:00.459+0000", STARTED)
    ways = [
        translated(pushed(issue(), {"id": "7", "items": [STARTED]}), "jira:issue_updated"),
        translated(pushed(issue(), {"id": 7, "items": [STARTED]}), "jira:issue_updated"),
        translated(issue(histories=[told])),
        translated({"values": [told]}, "rest.changelog", {"x-leadline-issue": "GROW-12"}, settings={"base_url": BASE}),
        translated(
            {"self": f"{BASE}/rest/api/3/issue/GROW-12/changelog?startAt=0", "values": [told]}, "rest.changelog"
        ),
    ]
    moves = [of_type(way, "ticket.moved") for way in ways]
    assert len(moves[0]) == 1
    assert all(told_here == moves[0] for told_here in moves)


def test_a_push_that_shows_a_later_issue_keeps_its_own_time() -> None:
    late = issue(updated="2026-11-20T10:07:00.000+0000")
    moved = of_type(translated(pushed(late, {"id": "7", "items": [STARTED]}), "jira:issue_updated"), "ticket.moved")
    assert [event.time.isoformat() for event in moved] == ["2026-11-20T10:00:00+00:00"]


def test_moves_within_one_second_keep_their_order() -> None:
    histories = [
        history("1010", "2026-11-20T10:00:00.900+0000", item("status", "In Review", "Done")),
        history("999", "2026-11-20T10:00:00.100+0000", item("status", "To Do", "In Progress")),
        history("1009", "2026-11-20T10:00:00.500+0000", item("status", "In Progress", "In Review")),
    ]
    moved = sorted(
        of_type(translated(issue(histories=histories)), "ticket.moved"), key=lambda event: (event.time, event.id)
    )
    assert [event.data.to_status for event in moved if isinstance(event.data, TicketMoved)] == [
        "In Progress",
        "In Review",
        "Done",
    ]
    assert len({event.time for event in moved}) == 1


def test_what_a_new_issue_starts_with_is_no_move() -> None:
    initial = {"id": "7", "items": [item("Status", None, "To Do")]}
    events = translated(pushed(issue(), initial, webhookEvent="jira:issue_created"), "jira:issue_created")
    assert [event.type.split(".")[-4] for event in events] == ["created", "updated"]


@pytest.mark.parametrize(
    "other",
    [
        item("Status", "a", "b", fieldtype="custom"),
        item("status", "a", "b", fieldId="customfield_10100"),
        item("statuscategory", "a", "b"),
        item("Sprint", "a", "b"),
    ],
)
def test_other_fields_are_no_moves(other: dict[str, Any]) -> None:
    assert of_type(translated(issue(histories=[history("7", "2026-11-20T10:00:00Z", other)])), "ticket.moved") == []


def test_an_issue_that_changes_its_project_leaves_its_key() -> None:
    events = translated(
        issue("CORE-3", histories=[history("7", "2026-11-20T10:00:00.000+0000", item("Key", "GROW-12", "CORE-3"))])
    )
    gone = of_type(events, "ticket.deleted")
    assert [event.data for event in gone] == [TicketDeleted(tracker="jira", ticket="GROW-12")]
    assert gone[0].partitionkey == "GROW"


def test_a_comment_without_a_change_refreshes_the_snapshot() -> None:
    events = translated(pushed(issue(), None, comment={"id": "1"}), "jira:issue_updated")
    assert [event.type.split(".")[-4] for event in events] == ["created", "updated"]


def test_a_webhook_without_any_time_is_named() -> None:
    body = pushed(issue(updated=None), None, timestamp=None)
    with pytest.raises(Quarantined, match="missing_field: timestamp"):
        translated(body, "jira:issue_updated")


def test_the_body_decides_over_the_kind_of_a_push() -> None:
    assert of_type(translated(pushed(issue(), None), "jira:issue_updated.issue_generic"), "ticket.updated")
    with pytest.raises(Quarantined, match=r"unknown_kind: 'jira:issue_exploded'"):
        translated(pushed(issue(), None, webhookEvent="jira:issue_exploded"), "jira:issue_updated")


def test_an_issue_twice_on_a_page_is_told_once() -> None:
    assert (
        translated({"issues": [issue(), issue()]}, "rest.search")
        == translated(issue())
        == translated([issue()], "rest.issues")
    )


@pytest.mark.parametrize("key", ["10012", "../GROW-12", ""])
def test_a_changelog_needs_an_issue_key(key: str) -> None:
    with pytest.raises(Quarantined, match="x-leadline-issue"):
        translated({"values": []}, "rest.changelog", {"x-leadline-issue": key}, settings={"base_url": BASE})
