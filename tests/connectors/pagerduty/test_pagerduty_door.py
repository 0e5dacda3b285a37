from __future__ import annotations

import pytest

from connectors.pagerduty import CONNECTOR
from pipeline.events.errors import Rejected
from pipeline.events.proofs import hmac_sha256

SECRET = b"lDQHScfUeXUKaQRNF+8XIiDKZ7XX3itBAYzwU0TARw8lJqRnkKl2iB1anSb0Z+IK"
BODY = b'{"event":{"id":"01BWDWL3NYY7LUFPZCC28QUCMK","event_type":"incident.triggered"}}'
SIGNATURE = "v1=" + hmac_sha256(SECRET, BODY).decode()
OTHER = "v1=f03de6f61df6e454f3620c4d6aca17ad072d3f8bbb2760eac3b95ad391b5e8073"


@pytest.mark.parametrize("shown", [SIGNATURE, f"{OTHER},{SIGNATURE}", f"{SIGNATURE}, {OTHER}", f"v2=x,{SIGNATURE}"])
def test_one_signature_of_the_list_is_enough(shown: str) -> None:
    CONNECTOR.verify({"X-PagerDuty-Signature": shown}, BODY, [b"new", SECRET])


@pytest.mark.parametrize("shown", ["", OTHER, SIGNATURE.removeprefix("v1="), SIGNATURE[:-1], "v2=" + SIGNATURE[3:]])
def test_another_signature_is_refused(shown: str) -> None:
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify({"x-pagerduty-signature": shown}, BODY, [SECRET])
    assert caught.value.status == 401


def test_a_token_does_not_help_a_wrong_signature() -> None:
    headers = {"x-pagerduty-signature": OTHER, "x-leadline-token": SECRET.decode()}
    with pytest.raises(Rejected):
        CONNECTOR.verify(headers, BODY, [SECRET])


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(Rejected, match="does not match"):
        CONNECTOR.verify({"x-pagerduty-signature": SIGNATURE}, BODY + b"\n", [SECRET])


def test_a_retry_has_the_id_of_the_event() -> None:
    assert CONNECTOR.describe({}, BODY) == ("incident.triggered", "01BWDWL3NYY7LUFPZCC28QUCMK")
    assert CONNECTOR.describe({}, b'{"messages": []}')[0] == "unknown"
    assert CONNECTOR.describe({}, b"[]")[0] == "rest.incidents"
