"""Connectors of tools that sign nothing, and of tools that can also be told to show the secret itself."""

from __future__ import annotations

import pytest

from pipeline.events.errors import Rejected
from tests.connectors.casebook import connector

UNSIGNED = ["alertmanager", "datadog", "newrelic", "opsgenie", "servicenow", "statuspage"]
EITHER = ["pagerduty", "grafana_alerting", "sentry"]


@pytest.mark.parametrize("name", [*UNSIGNED, *EITHER])
def test_the_secret_may_be_shown(name: str) -> None:
    for secrets in ([b"s3cret"], [b"new", b"s3cret"]):
        connector(name).verify({"X-Leadline-Token": "s3cret"}, b"{}", secrets)
        connector(name).verify({"Authorization": "Bearer s3cret"}, b"{}", secrets)
        connector(name).verify({"Authorization": "Basic bGVhZGxpbmU6czNjcmV0"}, b"{}", secrets)


@pytest.mark.parametrize("name", [*UNSIGNED, *EITHER])
def test_another_secret_is_refused(name: str) -> None:
    with pytest.raises(Rejected) as caught:
        connector(name).verify({"X-Leadline-Token": "guess"}, b"{}", [b"s3cret"])
    assert caught.value.status == 401


@pytest.mark.parametrize("name", ["firehydrant", "incident_io", "rootly"])
def test_a_tool_that_always_signs_may_not_show_a_token(name: str) -> None:
    with pytest.raises(Rejected):
        connector(name).verify({"X-Leadline-Token": "s3cret"}, b"{}", [b"s3cret"])
