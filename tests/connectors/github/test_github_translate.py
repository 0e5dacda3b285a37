"""What the case folders cannot say: rules that hold over many values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.github import CONNECTOR
from connectors.github.kinds import LEFT_OUT, WEBHOOKS
from connectors.github.repository import from_page_url, from_url, number_in
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.errors import Quarantined
from pipeline.events.types import ChangeReviewed, ChangeUpdated, DeploymentEvent, PipelineRun
from tests.connectors.casebook import RECEIVED_AT, ROOT, read_case

CASES = ROOT / "github" / "cases"
CONTEXT = Context(actor_key=b"key")


def translate(kind: str, body: Any, headers: dict[str, str] | None = None) -> Translation:
    raw = json.dumps(body).encode()
    delivery = Delivery(connector="github", id="1", kind=kind, received_at=RECEIVED_AT, body=raw, headers=headers or {})
    return CONNECTOR.translate(delivery, CONTEXT)


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
