from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.events.deploying import CANCELLED, DEPLOYED, FAILED, ROLLED_BACK, STARTED, Ending, Source, read_naming
from pipeline.events.errors import ConfigError
from pipeline.events.types import DeploymentEvent, PipelineRun

START = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
END = datetime(2026, 1, 2, 3, 9, tzinfo=UTC)
SOURCE = Source("https://ci.example.com", "shop")
DEPLOYMENT = DeploymentEvent(deployment="jobs/7", environment="prod", started_at=START)


@pytest.mark.parametrize(
    "name", ["deploy", "Deploy to prod", "deploy_prod", "promote-to-live", "rollout", "Release production", "rollback"]
)
def test_names_of_deployments(name: str) -> None:
    assert read_naming({}).deploys(name)


@pytest.mark.parametrize("name", ["build", "release", "release-notes", "undeploy", "test", "", None])
def test_other_names(name: str | None) -> None:
    assert not read_naming({}).deploys(name)


@pytest.mark.parametrize(("name", "whole"), [("deploy-shop", True), ("build-test-deploy", False), ("ci-deploy", False)])
def test_a_run_that_does_more_than_deploying_is_none_as_a_whole(name: str, *, whole: bool) -> None:
    assert read_naming({}).run_deploys(name) is whole


@pytest.mark.parametrize(
    ("names", "environment"),
    [
        (["deploy_to_prod"], "prod"),
        (["deployProduction"], "Production"),
        (["deploy", "shop-staging"], "staging"),
        (["deploy-nonprod"], "nonprod"),
        (["deploy-pre-prod-eu"], "pre-prod"),
        (["products"], None),
        ([None, "live2"], "live"),
    ],
)
def test_environment_is_the_first_word_that_names_one(names: list[str | None], environment: str | None) -> None:
    assert read_naming({}).environment(*names) == environment


def test_what_names_no_environment_goes_to_the_default_one_or_is_left_out() -> None:
    assert read_naming({}).target("deploy") == "production"
    assert read_naming({"default_environment": "live-eu"}).target("deploy") == "live-eu"
    assert read_naming({"default_environment": "none"}).target("deploy") is None
    assert read_naming({"default_environment": "none"}).target("deploy-qa") == "qa"


def test_a_pattern_may_be_without_a_group() -> None:
    assert read_naming({"environment_pattern": "eu-[a-z]+"}).environment("deploy eu-west") == "eu-west"


def test_a_bad_pattern_is_named() -> None:
    with pytest.raises(ConfigError, match=r"deployment_pattern is '\('"):
        read_naming({"deployment_pattern": "("})


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("success", [STARTED, DEPLOYED]),
        ("failure", [STARTED, FAILED]),
        ("cancelled", [STARTED, CANCELLED]),
        ("rolled_back", [ROLLED_BACK]),
    ],
)
def test_endings_are_told_apart(ending: Ending, told: list[str]) -> None:
    events = SOURCE.deployment(DEPLOYMENT, finished_at=END, ending=ending)
    assert [event.type for event in events] == told
    assert events[-1].time == END


def test_a_deployment_that_goes_on_is_only_started() -> None:
    assert [event.type for event in SOURCE.deployment(DEPLOYMENT)] == [STARTED]


def test_only_the_end_of_a_run_carries_its_outcome() -> None:
    run = PipelineRun(run="7", pipeline="shop", outcome="failure")
    events = SOURCE.run(run, queued_at=START, finished_at=END)
    assert [(event.time, event.data) for event in events] == [
        (START, PipelineRun(run="7", pipeline="shop")),
        (END, run),
    ]
    assert len({event.id for event in events}) == 2
