from __future__ import annotations

from typing import Any

import pytest

from pipeline.events.delivery import Context
from pipeline.events.errors import Quarantined
from pipeline.events.types import IncidentEvent, TicketUpdated
from tests.connectors.jira.jira_shapes import configured, history, issue, item, of_type, translated

CONTEXT = Context(actor_key=b"key")


def snapshot(body: Any, **settings: str) -> TicketUpdated:
    data = of_type(configured(body, **settings), "ticket.updated")[0].data
    assert isinstance(data, TicketUpdated)
    return data


@pytest.mark.parametrize(
    ("fields", "parent"),
    [
        ({"parent": {"key": "GROW-3"}, "customfield_10014": "GROW-4"}, "GROW-3"),
        ({"epic": {"id": 3, "key": "GROW-3"}}, "GROW-3"),
        ({"customfield_10014": "GROW-3", "customfield_10200": "CORE-1"}, "GROW-3"),
        ({"customfield_10008": "GROW-3"}, "GROW-3"),
        ({"customfield_10200": "GROW-3"}, "GROW-3"),
        ({"customfield_10200": "GROW-3", "customfield_10201": "CORE-1"}, None),
        ({"customfield_10200": "see GROW-3", "customfield_10201": ["GROW-3"], "customfield_10202": "covid-19"}, None),
        ({}, None),
    ],
)
def test_parent_is_found_without_settings(fields: dict[str, Any], parent: str | None) -> None:
    assert snapshot(issue(**fields)).parent == parent


def test_the_epic_field_can_be_set() -> None:
    body = issue(customfield_10014="GROW-1", customfield_10200="GROW-3")
    assert snapshot(body, epic_field="customfield_10200").parent == "GROW-3"


@pytest.mark.parametrize(
    "hints",
    [
        {"names": {"customfield_10014": "Budget", "customfield_10200": "Epic Link"}},
        {"schema": {"customfield_10200": {"type": "any", "custom": "com.pyxis.greenhopper.jira:gh-epic-link"}}},
    ],
)
def test_the_answer_names_the_epic_field(hints: dict[str, Any]) -> None:
    body = issue(customfield_10014="GROW-1", customfield_10200="GROW-3")
    assert snapshot({**body, **hints}).parent == "GROW-3"
    page = of_type(translated({**hints, "issues": [body]}, "rest.search"), "ticket.updated")[0].data
    assert isinstance(page, TicketUpdated)
    assert page.parent == "GROW-3"


@pytest.mark.parametrize(
    ("value", "team"),
    [
        ("growth", "growth"),
        ({"id": "1", "value": "growth"}, "growth"),
        ({"id": "1", "title": "growth"}, "growth"),
        ([{"value": "growth"}, {"value": "core"}], "growth"),
        ({"accountId": "5b10", "name": "mia"}, None),
        (7, None),
        (None, None),
    ],
)
def test_team_is_read_from_any_kind_of_field_but_a_person(value: object, team: str | None) -> None:
    assert snapshot(issue(customfield_10001=value), team_field="customfield_10001").team == team


@pytest.mark.parametrize(
    ("fields", "settings", "flagged"),
    [
        ({"customfield_10021": [{"id": "10019", "value": "Impediment"}]}, {}, True),
        ({"customfield_10021": [{"id": "10019", "value": "Hindernis"}]}, {}, False),
        ({"customfield_10021": [{"value": "Hindernis"}]}, {"flagged_field": "customfield_10021"}, True),
        ({"customfield_10021": None, "flagged": True}, {"flagged_field": "customfield_10021"}, False),
        ({"flagged": True}, {}, True),
        ({"flagged": False, "customfield_10021": None}, {}, False),
    ],
)
def test_flag(fields: dict[str, Any], settings: dict[str, str], flagged: bool) -> None:
    assert snapshot(issue(**fields), **settings).flagged is flagged


def test_texts_lose_what_databases_refuse() -> None:
    seen = snapshot(
        issue(summary="Sign-up\x00", labels=["growth\x00", "\x00"], customfield_1="\x00"), team_field="customfield_1"
    )
    assert (seen.title, seen.labels, seen.team) == ("Sign-up", ["growth"], None)


def test_people_are_pseudonyms_by_account_then_address_then_name() -> None:
    mia = {"accountId": "5b10", "emailAddress": "mia@example.com", "name": "mia", "displayName": "Mia"}
    assert snapshot(issue(assignee=mia)).assignee == CONTEXT.actor("5b10")
    assert snapshot(issue(assignee={**mia, "accountId": ""})).assignee == CONTEXT.actor("mia@example.com")
    assert snapshot(issue(assignee={"name": "mia"})).assignee == CONTEXT.actor("mia")
    assert snapshot(issue(assignee={"displayName": "Mia"})).assignee is None


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("https://ACME.atlassian.net/rest/agile/1.0/issue/1", "https://acme.atlassian.net"),
        ("http://jira.acme.test:8080/jira/rest/api/2/issue/1", "http://jira.acme.test:8080/jira"),
        ("https://bot:secret@jira.acme.test/rest/api/2/issue/1", "https://jira.acme.test"),
    ],
)
def test_source_is_the_address_of_the_jira(address: str, source: str) -> None:
    assert {event.source for event in translated({**issue(), "self": address})} == {source}


def test_base_url_makes_one_source_of_two_addresses() -> None:
    gateway = {**issue(), "self": "https://api.atlassian.com/ex/jira/11223344/rest/api/3/issue/10012"}
    own = configured(issue(), base_url="https://acme.atlassian.net/")
    assert own == configured(gateway, base_url="https://acme.atlassian.net/") == translated(issue())


@pytest.mark.parametrize(
    "address", ["ftp://acme.test/rest/api/2/issue/1", "http://[::1/rest/api", "/rest/api/2/issue/1", "https:///rest/"]
)
def test_an_address_that_is_none_is_named(address: str) -> None:
    with pytest.raises(Quarantined, match=r"bad_value: body\.self is"):
        translated({**issue(), "self": address})


DONE = {"status": {"name": "Done", "statusCategory": {"key": "done"}}}
CATEGORY = {"statuscategorychangedate": "2026-11-18T08:00:00.000+0000"}
RESOLVED = {"resolutiondate": "2026-11-19T08:00:00.250+0100"}


@pytest.mark.parametrize(
    ("fields", "closed"),
    [
        ({**DONE, **CATEGORY, **RESOLVED}, "2026-11-19T07:00:00.250000+00:00"),
        ({**CATEGORY, **RESOLVED}, "2026-11-19T07:00:00.250000+00:00"),
        ({**DONE, **CATEGORY}, "2026-11-18T08:00:00+00:00"),
        (DONE, "2026-11-17T08:00:00+00:00"),
        (CATEGORY, None),
    ],
)
def test_time_of_closing(fields: dict[str, Any], closed: str | None) -> None:
    done = history("9", "2026-11-17T08:00:00.777+0000", item("status", "In Progress", "Done"))
    events = of_type(translated(issue(histories=[done], **fields)), "ticket.closed")
    assert [event.time.isoformat() for event in events] == ([closed] if closed else [])


@pytest.mark.parametrize(
    ("fields", "settings", "expected"),
    [
        ({"issuetype": {"name": "[System] Incident"}}, {}, True),
        ({"issuetype": {"name": "sev1"}}, {}, True),
        ({"issuetype": {"name": "Incident follow-up"}}, {}, False),
        ({"labels": ["Incident"]}, {}, True),
        ({"labels": ["pager"]}, {"incident_labels": "pager*"}, True),
        ({"labels": ["incident"]}, {"incident_labels": "pager*"}, False),
    ],
)
def test_which_tickets_are_incidents(fields: dict[str, Any], settings: dict[str, str], expected: bool) -> None:
    assert bool(of_type(configured(issue(**fields), **settings), "incident.detected")) is expected


def test_an_incident_from_detection_to_the_second_resolution() -> None:
    reopened = history(
        "8", "2026-11-05T08:00:00.100+0000", item("resolution", "Done", None), item("status", "Done", "Open")
    )
    body = issue(
        histories=[reopened],
        issuetype={"name": "Incident"},
        components=[{"name": "checkout"}],
        priority={"name": "High"},
        resolutiondate="2026-11-06T08:00:00.000+0000",
    )
    events = of_type(translated(body), "incident")
    story = {event.type.split("incident.")[1].partition(".")[0]: event.time.isoformat() for event in events}
    assert story == {
        "detected": "2026-11-01T09:00:00.123000+00:00",
        "reported": "2026-11-20T10:00:00.456000+00:00",
        "resolved": "2026-11-06T08:00:00+00:00",
        "reopened": "2026-11-05T08:00:00+00:00",
    }
    expected = IncidentEvent(
        incident="GROW-12",
        service="checkout",
        severity="High",
        title="Sign-up in one step",
        url="https://acme.atlassian.net/browse/GROW-12",
    )
    assert all(event.data == expected for event in events)


def test_service_of_an_incident() -> None:
    def service(**more: Any) -> str | None:
        settings = more.pop("settings", {})
        data = of_type(configured(issue(issuetype={"name": "Incident"}, **more), **settings), "incident")[0].data
        assert isinstance(data, IncidentEvent)
        return data.service

    two = [{"name": "checkout"}, {"name": "search"}]
    assert service(components=two) is None
    assert (
        service(components=two, customfield_1={"value": "search"}, settings={"service_field": "customfield_1"})
        == "search"
    )
