"""What the case folders cannot say: rules that hold over many values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.github import CONNECTOR
from connectors.github.kinds import LEFT_OUT, WEBHOOKS
from connectors.github.repository import from_page_url, from_url, number_in
from pipeline.events.coordination import DecisionEvent
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.errors import Quarantined
from pipeline.events.types import ChangeCreated, ChangeReviewed, ChangeUpdated, DeploymentEvent, PipelineRun
from tests.connectors.casebook import RECEIVED_AT, ROOT, read_case

CASES = ROOT / "github" / "cases"
CONTEXT = Context(actor_key=b"key")


def translate(
    kind: str, body: Any, headers: dict[str, str] | None = None, settings: dict[str, str] | None = None
) -> Translation:
    raw = json.dumps(body).encode()
    delivery = Delivery(connector="github", id="1", kind=kind, received_at=RECEIVED_AT, body=raw, headers=headers or {})
    return CONNECTOR.translate(delivery, Context(actor_key=b"key", settings=settings or {}))


def body_of(case: str) -> Any:
    return json.loads(read_case("github", CASES / case).delivery.body)


def names(translation: Translation) -> list[str]:
    prefixes = ("dev.cdevents.", "dev.cdeventsx.leadline-")
    return [
        next(event.type.removeprefix(prefix) for prefix in prefixes if event.type.startswith(prefix)).rsplit(".", 3)[0]
        for event in translation.events
    ]


@pytest.mark.parametrize("kind", sorted(LEFT_OUT))
def test_every_other_event_of_github_is_left_out_by_name(kind: str) -> None:
    assert translate(kind, {"action": "created"}) == Translation(ignored=kind)


def test_no_event_is_both_read_and_left_out() -> None:
    assert not LEFT_OUT & WEBHOOKS.keys()


@pytest.mark.parametrize("kind", [*sorted(WEBHOOKS), "ping", "star"])
@pytest.mark.parametrize("body", [[], 1, "text", None, True])
def test_a_body_that_is_no_object_is_quarantined(kind: str, body: object) -> None:
    with pytest.raises(Quarantined) as caught:
        translate(kind, body)
    assert caught.value.reason in {"bad_type", "missing_field"}


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("queued", ["deployment.started"]),
        ("pending", ["deployment.started"]),
        ("waiting", ["deployment.started"]),
        ("in_progress", ["deployment.started"]),
        ("success", ["service.deployed"]),
        ("failure", ["deployment.failed"]),
        ("error", ["deployment.failed"]),
        ("inactive", "deployment_status.inactive"),
        ("a state of 2031", "deployment_status.other"),
    ],
)
def test_deployment_states(state: str, told: list[str] | str) -> None:
    body = body_of("deployed/webhook")
    body["deployment_status"]["state"] = state
    found = translate("deployment_status", body)
    assert (found.ignored or names(found)) == told


def test_all_events_of_one_deployment_have_one_placement() -> None:
    body = body_of("deployed/webhook")
    seen = [translate("deployment", body)]
    for state in ("queued", "in_progress", "failure", "success"):
        body["deployment_status"]["state"] = state
        seen.append(translate("deployment_status", body))
    data = [event.data for found in seen for event in found.events]
    assert len(data) == 5
    placements = {(d.deployment, d.repo, d.sha, d.environment) for d in data if isinstance(d, DeploymentEvent)}
    assert placements == {
        (
            "baxterthehacker/public-repo/deployments/710692",
            "baxterthehacker/public-repo",
            "9049f1265b7d61be4a8904a9a27120d2064dab3b",
            "production",
        )
    }


def test_the_environment_is_the_one_displayed_with_the_status() -> None:
    body = body_of("deployed/webhook")
    body["deployment"].update(environment="staging", original_environment="staging")
    body["deployment_status"]["environment"] = "production"
    (event,) = translate("deployment_status", body).events
    assert isinstance(event.data, DeploymentEvent)
    assert event.data.environment == "production"


@pytest.mark.parametrize(
    ("conclusion", "outcome"),
    [
        ("success", "success"),
        ("neutral", "success"),
        ("failure", "failure"),
        ("timed_out", "error"),
        ("startup_failure", "error"),
        ("cancelled", "cancel"),
        ("stale", "cancel"),
        ("a conclusion of 2031", None),
    ],
)
def test_run_conclusions(conclusion: str, outcome: str | None) -> None:
    body = body_of("run/webhook")
    body["workflow_run"]["conclusion"] = conclusion
    found = translate("workflow_run", body)
    assert names(found) == ["pipelinerun.queued", "pipelinerun.started", "pipelinerun.finished"]
    last = found.events[-1].data
    assert isinstance(last, PipelineRun)
    assert last.outcome == outcome


def test_a_further_attempt_is_queued_when_it_is_started() -> None:
    body = body_of("run/webhook")
    body["workflow_run"].update(run_attempt=2, run_started_at="2026-03-11T09:00:00Z", updated_at="2026-03-11T09:05:00Z")
    found = translate("workflow_run", body)
    assert [event.time.isoformat() for event in found.events] == [
        "2026-03-11T09:00:00+00:00",
        "2026-03-11T09:00:00+00:00",
        "2026-03-11T09:05:00+00:00",
    ]
    first = {event.id for event in translate("workflow_run", body_of("run/webhook")).events}
    assert not first & {event.id for event in found.events}


@pytest.mark.parametrize(
    ("login", "account", "automated"),
    [("octocat", "User", False), ("renovate[bot]", None, True), ("acme-ci", "Bot", True), (None, None, False)],
)
def test_reviews_of_automations_are_marked(login: str | None, account: str | None, *, automated: bool) -> None:
    body = body_of("review/webhook")
    body["review"]["user"] = {"login": login, "type": account} if login else None
    (event,) = translate("pull_request_review", body).events
    assert isinstance(event.data, ChangeReviewed)
    assert event.data.automated is automated
    assert (event.data.reviewer is None) is (login is None)


def test_references_are_found_in_title_body_branch_and_labels() -> None:
    body = body_of("pull-request-opened")
    body["pull_request"].update(
        title="GROW-12: faster", body="Fixes #7\n\nInitiative: activation", labels=[{"name": "hotfix"}]
    )
    body["pull_request"]["head"]["ref"] = "feature/ops-3-door"
    (_, updated) = translate("pull_request", body).events
    assert isinstance(updated.data, ChangeUpdated)
    assert {(ref.kind, ref.value, ref.via) for ref in updated.data.refs} == {
        ("ticket", "GROW-12", "title"),
        ("ticket", "Codertocat/Hello-World#7", "body"),
        ("initiative", "activation", "trailer"),
        ("ticket", "OPS-3", "branch"),
        ("label", "hotfix", "label"),
    }


def test_a_later_snapshot_is_another_event_and_the_creation_is_not() -> None:
    before, after = body_of("pull-request-opened"), body_of("pull-request-opened")
    after["pull_request"]["title"] = "Another title"
    (created, first), (again, second) = (translate("pull_request", body).events for body in (before, after))
    assert created == again
    assert first.id != second.id


def test_the_order_of_labels_does_not_matter() -> None:
    body, turned = body_of("pull-request-opened"), body_of("pull-request-opened")
    body["pull_request"]["labels"] = [{"name": "b"}, {"name": "a"}]
    turned["pull_request"]["labels"] = [{"name": "a"}, {"name": "b"}]
    assert translate("pull_request", body) == translate("pull_request", turned)


def test_no_name_and_no_address_of_a_person_gets_out() -> None:
    for case in ("push", "merged/webhook", "review/webhook", "issue-closed/webhook", "polled-pull-commits"):
        delivery = read_case("github", CASES / case).delivery
        told = repr([event.data for event in CONNECTOR.translate(delivery, CONTEXT).events])
        for person in ("baxterthehacker'", "skalnik", "@", "author='Codertocat'"):
            assert person not in told, f"{case} tells {person}"


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://api.github.com/repos/acme/shop/pulls/7", "https://github.com/acme/shop"),
        ("https://api.github.com/repos/acme/shop", "https://github.com/acme/shop"),
        ("https://git.example.com/api/v3/repos/acme/shop/issues/7", "https://git.example.com/acme/shop"),
        ("https://api.acme.ghe.com/repos/acme/shop/issues/7", "https://acme.ghe.com/acme/shop"),
        ("https://api.github.com/users/acme", None),
        ("", None),
        (None, None),
    ],
)
def test_rest_urls_tell_their_repository(url: str | None, source: str | None) -> None:
    found = from_url(url)
    assert (found.source if found else None) == source


def test_urls_for_people_tell_their_repository_and_number() -> None:
    found = from_page_url("http://github.com/acme/sh.op/pull/12#issuecomment-1")
    assert found is not None
    assert found.source == "https://github.com/acme/sh.op"
    assert number_in("https://github.com/acme/shop/pull/12#issuecomment-1") == 12
    assert number_in("https://api.github.com/repos/acme/shop/issues/12/comments") == 12
    assert number_in("https://github.com/acme/shop/pull/0") is None


def test_a_page_that_repeats_an_item_tells_it_once() -> None:
    page = body_of("merged/polled")
    once, twice = translate("rest.pulls", page), translate("rest.pulls", page * 2)
    assert len(once.events) == 3
    assert once == twice


def test_an_empty_page_tells_nothing() -> None:
    for found in (
        translate("rest.pulls", []),
        translate("rest.actions_runs", {"total_count": 0, "workflow_runs": []}),
        translate("events_api", []),
    ):
        assert found == Translation(events=[])


def test_a_history_of_a_pull_request_tells_merges_and_closes_apart() -> None:
    issue = {"number": 7, "pull_request": {"merged_at": None}}
    entry = {
        "url": "https://api.github.com/repos/acme/shop/issues/events/1",
        "created_at": "2026-01-02T03:04:05Z",
        "issue": issue,
    }
    assert names(translate("rest.issue_events", [{**entry, "event": "closed"}])) == ["change.abandoned"]
    merged = translate("rest.issue_events", [{**entry, "event": "merged", "commit_id": "abc"}])
    assert names(merged) == ["change.merged"]
    issue["pull_request"] = {"merged_at": "2026-01-02T03:04:05Z"}
    assert translate("rest.issue_events", [{**entry, "event": "closed"}]).ignored == "issue_events.closed"
    issue["pull_request"] = {"url": "older answers do not tell"}
    assert translate("rest.issue_events", [{**entry, "event": "closed"}]).ignored == "issue_events.closed"


@pytest.mark.parametrize(
    ("status", "conclusion", "told"),
    [
        ("queued", None, "workflow_job.queued"),
        ("waiting", None, "workflow_job.waiting"),
        ("completed", "skipped", "workflow_job.skipped"),
        ("in_progress", None, ["deployment.started"]),
        ("completed", "success", ["deployment.started", "service.deployed"]),
        ("completed", "failure", ["deployment.started", "deployment.failed"]),
        ("completed", "cancelled", ["deployment.started", "deployment.cancelled"]),
        ("completed", "a conclusion of 2031", ["deployment.started"]),
    ],
)
def test_jobs_that_deploy(status: str, conclusion: str | None, told: list[str] | str) -> None:
    body = body_of("job-deployed/webhook")
    body["workflow_job"].update(status=status, conclusion=conclusion)
    found = translate("workflow_job", body, settings={"deploy_jobs": "Deploy / *", "deploy_jobs_environment": "live"})
    assert (found.ignored or names(found)) == told
    assert {event.data.environment for event in found.events if isinstance(event.data, DeploymentEvent)} <= {"live"}


def test_a_job_with_an_environment_is_left_to_its_deployment() -> None:
    body = {**body_of("job-deployed/webhook"), "deployment": {"id": 1}}
    found = translate("workflow_job", body, settings={"deploy_jobs": "*"})
    assert found.ignored == "workflow_job.deployment"


def test_a_rerun_asks_for_approval_anew() -> None:
    first, again = body_of("approval-asked"), body_of("approval-asked")
    again["workflow_run"]["run_attempt"] = 2
    decisions = {
        event.data.decision
        for body in (first, again)
        for event in translate("deployment_review", body).events
        if isinstance(event.data, DecisionEvent)
    }
    assert len(decisions) == 2


def test_what_was_asked_is_what_was_decided() -> None:
    asked, given, refused = (
        [event.data for event in translate("deployment_review", body_of(case)).events]
        for case in ("approval-asked", "approval-given", "approval-refused")
    )
    ids = [{data.decision for data in told if isinstance(data, DecisionEvent)} for told in (asked, given, refused)]
    assert ids[0] < ids[1], "one approval covers two environments"
    assert ids[0] == ids[2], "also of a run that is gone"


def test_an_approval_without_a_run_is_quarantined() -> None:
    body = body_of("approval-refused")
    body["workflow_job_run"]["html_url"] = "https://github.com/acme/shop"
    with pytest.raises(Quarantined, match=r"workflow_run\.id"):
        translate("deployment_review", body)


def test_an_addition_and_a_removal_of_one_moment_are_in_order() -> None:
    added, removed = (
        translate("issue_dependencies", body_of(case)) for case in ("dependency/from-the-blocker", "dependency-removed")
    )
    assert names(added) == ["dependency.added"]
    assert names(removed) == ["dependency.removed"]
    assert added.events[0].time < removed.events[0].time


@pytest.mark.parametrize(
    ("kind", "case"), [("issue_dependencies", "dependency-removed"), ("sub_issues", "sub-issue-removed")]
)
def test_an_unknown_change_of_a_link_is_left_out_by_name(kind: str, case: str) -> None:
    assert translate(kind, {**body_of(case), "action": "reordered"}).ignored == f"{kind}.reordered"


def test_labels_and_types_of_incidents_are_settings() -> None:
    body = body_of("incident/webhook")
    assert "incident.resolved" in names(translate("issues", body))
    assert "incident.resolved" not in names(translate("issues", body, settings={"incident_labels": "outage"}))
    body["issue"].update(labels=[], type={"name": "Outage"})
    assert "incident.resolved" in names(translate("issues", body, settings={"incident_types": "bug, out*"}))


def test_the_account_of_an_assistant_opened_it_and_its_text_names_another() -> None:
    created, updated, _ = (event.data for event in translate("pull_request", body_of("merged-by-queue")).events)
    assert isinstance(created, ChangeCreated)
    assert isinstance(updated, ChangeUpdated)
    assert (created.assistant, updated.assistant) == ("copilot", "claude")


def test_other_bots_are_no_assistants() -> None:
    body = body_of("pull-request-opened")
    body["pull_request"]["user"] = {"login": "dependabot[bot]", "type": "Bot"}
    created = translate("pull_request", body).events[0].data
    assert isinstance(created, ChangeCreated)
    assert created.assistant is None
