"""What is Argo CD's own in polling; `test_pollers.py` tries the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.connectors.argo_cd.recorded import RECORDED, Argo
from tests.connectors.polled import bodies, read
from tests.ingest.sources import NOW, Answer, serving

HOUR = timedelta(hours=1)


@pytest.fixture
def argo() -> Iterator[Argo]:
    with serving(Argo()) as source:
        yield source


def test_only_what_was_synced_since_is_asked_for(argo: Argo) -> None:
    argo.change(NOW - HOUR / 2)
    (told,) = bodies(read(RECORDED, argo, since=NOW - HOUR))
    assert told["app"]["metadata"]["name"] == "velero-test-13"
    assert argo.paths() == ["/api/v1/applications", "/api/v1/applications/velero-test-13"]
    one = parse_qs(urlsplit(argo.asked[1]).query)
    project = argo.applications[13]["spec"]["project"]
    assert (one["appNamespace"], one["project"]) == (["argo-cd"], [project])


def test_no_values_and_no_state_of_the_cluster_are_kept(argo: Argo) -> None:
    for application in argo.applications:
        application["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = "a-secret"
        application["spec"]["source"]["helm"] = {"values": "password: a-secret"}
        application["status"]["history"][0]["initiatedBy"] = {"username": "mona"}
        application["status"]["operationState"]["syncResult"]["resources"] = [{"message": "a-secret"}]
        application["status"]["reconciledAt"] = "2026-11-23T11:00:00Z"
    told = json.dumps(bodies(read(RECORDED, argo)))
    assert "velero" in told
    assert not [word for word in ("a-secret", "mona", "reconciledAt") if word in told]


def test_a_project_narrows_the_list(argo: Argo) -> None:
    argo.applications[0]["spec"]["project"] = "shop"
    assert [told["app"]["spec"]["project"] for told in bodies(read(RECORDED, argo, "shop"))] == ["shop"]


@pytest.mark.parametrize("status", [403, 404])
def test_an_application_that_is_deleted_meanwhile_is_passed_over(argo: Argo, status: int) -> None:
    argo.faults = {2: Answer(status, {}, {"error": "permission denied", "code": 7})}
    assert len(bodies(read(RECORDED, argo))) == 13


def test_no_applications_at_all_are_none(argo: Argo) -> None:
    argo.applications = []
    assert bodies(read(RECORDED, argo)) == []
