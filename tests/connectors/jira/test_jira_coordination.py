"""What a Jira tells of work between teams: why an issue moved, who had it when, and since when it waits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.events.coordination import TicketTransferred
from pipeline.events.envelope import Event
from pipeline.events.times import from_us
from pipeline.events.types import DependencyEvent, TicketMoved, TicketUpdated
from pipeline.facts.rows import WaitFact
from tests.connectors.jira.jira_shapes import BASE, configured, history, issue, item, link, of_type, translated
from tests.simulation.folding import facts_of, fold

AT = "2026-11-20T10:00:00.459+0000"
TEAM = "customfield_10001"
RESOLVED = item("resolution", None, "Won't Do", fieldId="resolution")
DONE = item("status", "In Progress", "Done", fieldId="status")


def told(*items: dict[str, Any], **settings: str) -> list[Event]:
    return configured(issue(histories=[history("7", AT, *items)]), **settings)


def reasons(events: list[Event]) -> list[str | None]:
    return [event.data.reason for event in of_type(events, "ticket.moved") if isinstance(event.data, TicketMoved)]


def transfers(events: list[Event]) -> list[tuple[str | None, str]]:
    return [(event.data.from_team, event.data.to_team) for event in events if isinstance(event.data, TicketTransferred)]


def test_a_move_has_the_resolution_that_was_set_with_it_as_its_reason() -> None:
    assert reasons(told(RESOLVED, DONE)) == ["Won't Do"]
    assert reasons(told(DONE)) == [None]


def test_a_resolution_that_is_taken_away_is_no_reason() -> None:
    reopened = item("status", "Done", "To Do", fieldId="status")
    assert reasons(told(item("resolution", "Done", None, fieldId="resolution"), reopened)) == [None]


def test_a_resolution_of_another_change_is_no_reason() -> None:
    histories = [history("7", AT, DONE), history("8", "2026-11-20T10:00:00.800+0000", RESOLVED)]
    assert reasons(translated(issue(histories=histories))) == [None]


@pytest.mark.parametrize("more", [{"fieldId": "customfield_10050"}, {}])
def test_the_field_for_reasons_goes_before_the_resolution(more: dict[str, str]) -> None:
    name = "customfield_10050" if more else "Reason for the move"
    why = item("Reason for the move", None, "Out of scope", fieldtype="custom", **more)
    assert reasons(told(RESOLVED, why, DONE, reason_field=name)) == ["Out of scope"]
    assert reasons(told(RESOLVED, why, DONE)) == ["Won't Do"]


def test_a_comment_is_no_reason_since_only_a_webhook_shows_it_with_the_move() -> None:
    pushed = {
        "webhookEvent": "jira:issue_updated",
        "timestamp": 1795168800470,
        "user": {"accountId": "5b10"},
        "issue": issue(),
        "comment": {"id": "1", "body": "customers are waiting"},
        "changelog": {"id": "7", "items": [DONE]},
    }
    events = translated(pushed, "jira:issue_updated")
    assert of_type(events, "ticket.moved") == of_type(told(DONE), "ticket.moved")


@pytest.mark.parametrize("more", [{"fieldId": TEAM}, {}])
def test_a_change_of_the_team_field_is_a_transfer(more: dict[str, str]) -> None:
    """Cloud tells the id of the field, Data Center its name alone."""
    moved = item("Team", "Growth", "Identity", fieldtype="custom", **more)
    events = told(moved, team_field=TEAM)
    assert transfers(events) == [("Growth", "Identity")]
    assert [event.time for event in of_type(events, "ticket.transferred")] == [datetime(2026, 11, 20, 10, tzinfo=UTC)]
    assert transfers(told(moved)) == []


def test_the_name_of_the_team_field_is_a_setting() -> None:
    moved = item("Squad", "Growth", "Identity", fieldtype="custom")
    assert transfers(told(moved, team_field=TEAM, team_field_name="squad")) == [("Growth", "Identity")]
    assert transfers(told(moved, team_field=TEAM)) == []


def test_another_field_that_is_called_team_is_no_transfer() -> None:
    moved = item("Team", "Red", "Blue", fieldtype="custom", fieldId="customfield_10077")
    assert transfers(told(moved, team_field=TEAM)) == []


def test_a_first_team_has_no_team_before_it_and_a_cleared_one_is_not_told() -> None:
    first, cleared = (
        item("Team", *change, fieldtype="custom", fieldId=TEAM) for change in ((None, "Growth"), ("Growth", None))
    )
    assert transfers(told(first, team_field=TEAM)) == [(None, "Growth")]
    assert transfers(told(cleared, team_field=TEAM)) == []


def test_another_project_is_a_transfer_where_no_field_names_the_team() -> None:
    project = item("project", "Growth", "Identity", fieldId="project")
    key = item("Key", "GROW-3", "IDN-12")
    body = issue("IDN-12", histories=[history("7", AT, project, key)])
    assert transfers(translated(body)) == [("GROW", "IDN")]
    assert transfers(configured(body, team_field=TEAM)) == []


def test_the_team_of_a_snapshot_is_spelt_as_in_its_history() -> None:
    team = {"id": "9a7c", "name": "Identity", "title": "Identity"}
    events = configured(issue(customfield_10001=team), team_field=TEAM)
    assert [event.data.team for event in events if isinstance(event.data, TicketUpdated)] == ["Identity"]


def test_history_and_snapshots_together_give_the_true_instant_of_a_dependency() -> None:
    """A search shows the link and only the newest part of a long changelog; the rest comes on a page of its own."""
    added = item("Link", None, "This issue is blocked by IDN-4")
    blocked = [link("is blocked by", "blocks", inwardIssue="IDN-4")]
    snapshots = translated(issue(issuelinks=blocked, histories=[]))
    later = translated(issue(issuelinks=blocked, histories=[], updated="2026-11-21T08:00:00.000+0000"))
    pages = translated(
        {"values": [history("5", "2026-11-03T09:30:00.700+0000", added)]},
        "rest.changelog",
        {"x-leadline-issue": "GROW-12"},
        settings={"base_url": BASE},
    )
    asked = {event.time.day for event in snapshots + later + pages if isinstance(event.data, DependencyEvent)}
    assert asked == {3, 20, 21}
    for events in (snapshots + later + pages, pages + snapshots + later, later + pages + snapshots):
        waits = [wait for wait in facts_of(fold(events, size=1), "wait").values() if isinstance(wait, WaitFact)]
        assert [(wait.subject, wait.on, wait.stub) for wait in waits] == [("GROW-12", "IDN-4", True)]
        assert from_us(waits[0].opened_at) == datetime(2026, 11, 3, 9, 30, tzinfo=UTC)


def test_a_dependency_that_was_taken_away_and_made_again_waits_twice() -> None:
    text = "This issue is blocked by IDN-4"
    blocked = [link("is blocked by", "blocks", inwardIssue="IDN-4")]
    histories = [
        history("5", "2026-11-03T09:30:00.700+0000", item("Link", None, text)),
        history("6", "2026-11-05T09:30:00.700+0000", item("Link", text, None)),
        history("7", "2026-11-09T09:30:00.700+0000", item("Link", None, text)),
    ]
    events = translated(issue(issuelinks=blocked, histories=histories))
    waits = [wait for wait in facts_of(fold(events), "wait").values() if isinstance(wait, WaitFact)]
    spans = sorted((from_us(wait.opened_at).day, wait.ended_at and from_us(wait.ended_at).day) for wait in waits)
    assert spans == [(3, 5), (9, None)]
