"""Build and deployment tools that sign nothing, and what they call a body that carries no name of its kind."""

from __future__ import annotations

import base64

import pytest

from pipeline.events.errors import Rejected
from tests.connectors.casebook import cases, connector

UNSIGNED = ["argo_cd", "argo_rollouts", "azure_devops", "flagger", "jenkins", "spinnaker", "tekton"]
BASIC = "Basic " + base64.b64encode(b"leadline:s3cret").decode()


@pytest.mark.parametrize("name", UNSIGNED)
@pytest.mark.parametrize(
    "headers", [{"X-Leadline-Token": "s3cret"}, {"authorization": "Bearer s3cret"}, {"Authorization": BASIC}]
)
def test_the_secret_is_shown(name: str, headers: dict[str, str]) -> None:
    connector(name).verify(headers, b"{}", [b"old", b"s3cret"])
    with pytest.raises(Rejected):
        connector(name).verify(headers, b"{}", [b"old"])


@pytest.mark.parametrize("name", [*UNSIGNED, "buildkite", "circleci", "flux"])
def test_a_pushed_body_has_the_kind_of_its_case(name: str) -> None:
    """Whatever is pushed is described as what it is translated as; pages are named by who asked for them."""
    pushed = [case for case in cases(name) if "bad_" not in case.name and not case.delivery.kind.startswith("rest.")]
    assert pushed
    for case in pushed:
        assert connector(name).describe({}, case.delivery.body)[0] == case.delivery.kind, case.name
