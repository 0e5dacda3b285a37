"""What the recorded cases do not show: addresses of projects, mentions in nested groups, automations."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.gitlab import CONNECTOR
from connectors.gitlab.fields import is_automation
from connectors.gitlab.project import Project, from_url, from_url_below
from pipeline.events.coordination import DecisionEvent
from pipeline.events.delivery import Context, Delivery
from pipeline.events.envelope import Event
from pipeline.events.types import BranchUpdated, TicketMoved
from tests.connectors.casebook import ROOT

CASES = ROOT / "gitlab" / "cases"


def body_of(case: str) -> Any:
    return json.loads((CASES / case / "delivery.json").read_text(encoding="utf-8"))["body"]


def events_of(kind: str, body: object, **settings: str) -> list[Event]:
    delivery = Delivery(
        connector="gitlab",
        id="d",
        kind=kind,
        received_at=datetime(2026, 11, 23, tzinfo=UTC),
        body=json.dumps(body).encode(),
    )
    return list(CONNECTOR.translate(delivery, Context(actor_key=b"key", settings=settings)).events)


@pytest.mark.parametrize(
    ("url", "path", "project"),
    [
        ("https://gitlab.com/a/b/c/-/issues/7", None, Project("https://gitlab.com", "a/b/c")),
        ("https://gitlab.com/a/b/merge_requests/7", None, Project("https://gitlab.com", "a/b")),
        ("https://gitlab.com/a/issues/-/issues/7", None, Project("https://gitlab.com", "a/issues")),
        ("http://host:8080/git/a/b/-/jobs/1", "a/b", Project("http://host:8080/git", "a/b")),
        ("https://gitlab.com/groups/a/b/-/epics/5", None, Project("https://gitlab.com", "a/b", group=True)),
        ("git@gitlab.com:a/b.git", None, None),
        (None, None, None),
    ],
)
def test_a_project_is_found_in_its_addresses(url: str | None, path: str | None, project: Project | None) -> None:
    assert from_url_below(url, path) == project


def test_a_group_may_be_called_like_a_thing() -> None:
    assert from_url("https://gitlab.com/acme/jobs/runner") == Project("https://gitlab.com", "acme/jobs/runner")


def test_the_page_of_a_project() -> None:
    assert Project("http://host:8080/git", "a/b").source == "http://host:8080/git/a/b"
    assert Project("https://gitlab.com", "a/b", group=True).source == "https://gitlab.com/groups/a/b"


def test_mentions_reach_projects_of_nested_groups() -> None:
    project = Project("https://gitlab.com", "a/b/c")
    text = "Closes #1, a/b/other#2 and https://gitlab.com/x/y/z/-/issues/3; see GROW-12 and a/b/c!4"
    keys = {ref.value for ref in project.mentions(text, "body")}
    assert keys == {"a/b/c#1", "a/b/other#2", "x/y/z#3", "GROW-12"}


@pytest.mark.parametrize("name", ["project_4_bot", "group_12_bot_a1b2c3", "renovate-bot", "service_account_group_1_x"])
def test_access_tokens_and_bots_are_automations(name: str) -> None:
    assert is_automation(name)


@pytest.mark.parametrize("name", ["abbot", "root", None, ""])
def test_people_are_not(name: str | None) -> None:
    assert not is_automation(name)


def branch_of(body: object) -> BranchUpdated:
    (data,) = [event.data for event in events_of("push", body) if isinstance(event.data, BranchUpdated)]
    return data


def test_only_where_a_push_cannot_be_forced_does_it_contain_what_was_before() -> None:
    body = body_of("push")
    assert (branch_of(body).forced, len(branch_of(body).distinct)) == (False, 2)
    feature = {**body, "ref": "refs/heads/feature", "ref_protected": False}
    assert (branch_of(feature).forced, branch_of(feature).distinct) == (True, [])
    release = {**body, "ref": "refs/heads/release", "ref_protected": True}
    assert (branch_of(release).forced, branch_of(release).distinct) == (False, [])


def test_without_a_status_label_a_change_of_labels_is_no_move() -> None:
    body = body_of("issue-status-label")
    assert not [event for event in events_of("issue", body) if isinstance(event.data, TicketMoved)]
    moved = [event.data for event in events_of("issue", body, status_label="workflow::")]
    assert [(data.from_status, data.to_status) for data in moved if isinstance(data, TicketMoved)] == [
        ("doing", "review")
    ]


def test_an_incident_is_reopened() -> None:
    body = body_of("issue-reopened")
    body["object_attributes"]["type"] = "Incident"
    kinds = [
        event.type for event in events_of("issue", body) if ".incident." in event.type or "-incident." in event.type
    ]
    assert [kind.rsplit(".", 3)[0].rpartition("incident.")[2] for kind in kinds] == ["reported", "reported", "reopened"]


@pytest.mark.parametrize(
    ("approvals", "status", "pending", "told"),
    [
        ([], "created", 0, []),
        ([], "blocked", 1, ["requested"]),
        (["approved"], "blocked", 1, ["requested"]),
        (["approved"], "running", 1, ["requested"]),
        (["approved", "approved"], "running", 0, ["requested", "decided accepted"]),
        (["approved"], "created", None, ["requested", "decided accepted"]),
        (["approved", "rejected"], "blocked", 1, ["requested", "decided rejected"]),
    ],
)
def test_a_deployment_is_decided_by_one_refusal_or_by_the_last_approval(
    approvals: list[str], status: str, pending: int | None, told: list[str]
) -> None:
    (item,) = body_of("polled-deployment-waits")
    given = [{"status": each, "created_at": f"2026-02-03T0{hour}:00:00Z"} for hour, each in enumerate(approvals)]
    item.update(status=status, pending_approval_count=pending, approvals=given)
    decisions = [
        f"{event.type.split('.')[-4]} {event.data.outcome or ''}".strip()
        for event in events_of("rest.deployments", [item])
        if isinstance(event.data, DecisionEvent)
    ]
    assert decisions == told


def test_no_person_is_told_as_an_approver() -> None:
    data = [event.data for event in events_of("rest.deployments", body_of("polled-deployment-waits"))]
    assert [each.approvers for each in data if isinstance(each, DecisionEvent)] == [["release-managers"]]


def test_a_reviewer_whose_state_stayed_says_nothing() -> None:
    body = body_of("reviewer-requests-changes")
    before = len(events_of("merge_request", body))
    body["changes"]["reviewers"]["previous"][0]["state"] = "requested_changes"
    assert len(events_of("merge_request", body)) == before - 1
