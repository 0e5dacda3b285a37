"""The doors of analytics tools: none of them signs, and the shape of a message tells its kind."""

from __future__ import annotations

import msgspec
import pytest

from pipeline.events.errors import Rejected
from tests.connectors.casebook import Case, cases, connector, outcome

NAMES = ["amplitude", "ga4", "mixpanel", "posthog", "snowplow"]
PUSHED = [
    case
    for name in NAMES
    for case in cases(name)
    if not case.delivery.kind.startswith("rest.") and not case.name.startswith("bad-")
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "shown",
    [{"X-Leadline-Token": "s3cret"}, {"Authorization": "Bearer s3cret"}, {"Authorization": "Basic dTpzM2NyZXQ="}],
)
def test_the_secret_may_be_shown(name: str, shown: dict[str, str]) -> None:
    for secrets in ([b"s3cret"], [b"new", b"s3cret"]):
        connector(name).verify(shown, b"{}", secrets)
    with pytest.raises(Rejected) as caught:
        connector(name).verify(shown, b"{}", [b"another"])
    assert caught.value.status == 401


@pytest.mark.parametrize("case", PUSHED, ids=lambda case: f"{case.connector}/{case.name}")
def test_a_message_without_a_kind_is_read_alike(case: Case) -> None:
    kind, _ = connector(case.connector).describe({}, case.delivery.body)
    described = msgspec.structs.replace(case.delivery, kind=kind)
    assert outcome(case.connector, described, case.context) == case.expected()


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_read_has_a_kind_and_an_id(name: str) -> None:
    kind, identity = connector(name).describe({}, b"\xff\x00{")
    assert kind
    assert identity != connector(name).describe({}, b"\xff\x01{")[1]
