from __future__ import annotations

import pytest

from connectors.sentry import CONNECTOR
from pipeline.events.errors import Rejected
from pipeline.events.proofs import hmac_sha256

SECRET, BODY = b"client-secret", b'{"action":"created","data":{"issue":{"id":"1"}}}'
SIGNATURE = hmac_sha256(SECRET, BODY).decode()


def test_the_client_secret_vouches() -> None:
    CONNECTOR.verify({"Sentry-Hook-Signature": SIGNATURE}, BODY, [b"old", SECRET])


@pytest.mark.parametrize(("signature", "body"), [("", BODY), (SIGNATURE[:-1], BODY), (SIGNATURE, BODY + b" ")])
def test_anything_else_is_refused_even_beside_a_token(signature: str, body: bytes) -> None:
    headers = {"sentry-hook-signature": signature, "x-leadline-token": SECRET.decode()}
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify(headers, body, [SECRET])
    assert caught.value.status == 401


def test_resource_and_action_are_the_kind_and_the_request_is_the_id() -> None:
    headers = {"Sentry-Hook-Resource": "issue", "Request-ID": "5e1a"}
    assert CONNECTOR.describe(headers, BODY) == ("issue.created", "5e1a")
    assert CONNECTOR.describe({}, BODY)[0] == "issue.created"
    assert CONNECTOR.describe({"sentry-hook-resource": "error"}, b"{")[0] == "error"
