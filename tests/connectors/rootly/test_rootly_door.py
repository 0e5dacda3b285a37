from __future__ import annotations

import pytest

from connectors.rootly import CONNECTOR
from pipeline.events.errors import Rejected
from pipeline.events.proofs import hmac_sha256

SECRET, BODY = b"webhook secret", b'{"event":{"id":"9839c4ca","type":"incident.created"}}'
PROOF = hmac_sha256(SECRET, b"1492774588" + BODY).decode()


@pytest.mark.parametrize("shown", [f"t=1492774588,v1={PROOF}", f"t=1492774588, v1={PROOF}", f"v1={PROOF},t=1492774588"])
def test_time_and_body_are_signed(shown: str) -> None:
    CONNECTOR.verify({"X-Rootly-Signature": shown}, BODY, [b"old", SECRET])


@pytest.mark.parametrize(
    "shown", ["", PROOF, f"v1={PROOF}", f"t=1492774589,v1={PROOF}", "t=1492774588", f"t=1492774588,v0={PROOF}"]
)
def test_anything_else_is_refused_even_beside_a_token(shown: str) -> None:
    headers = {"x-rootly-signature": shown, "x-leadline-token": SECRET.decode()}
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify(headers, BODY, [SECRET])
    assert caught.value.status == 401


def test_a_retry_has_the_id_of_the_event() -> None:
    assert CONNECTOR.describe({}, BODY) == ("incident.created", "9839c4ca")
