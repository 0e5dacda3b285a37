from __future__ import annotations

import pytest

from connectors.firehydrant import CONNECTOR
from pipeline.events.errors import Rejected
from pipeline.events.proofs import hmac_sha256

SECRET, BODY = b"s3cret", b'{"event":{"operation":"CREATED","resource_type":"incident"}}'
PROOF = hmac_sha256(SECRET, BODY).decode()


def test_the_body_is_signed() -> None:
    CONNECTOR.verify({"FH-Signature": PROOF}, BODY, [b"old", SECRET])


@pytest.mark.parametrize(("shown", "body"), [("", BODY), (PROOF[:-1], BODY), (PROOF, BODY + b" ")])
def test_anything_else_is_refused_even_beside_a_token(shown: str, body: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify({"fh-signature": shown, "x-leadline-token": "s3cret"}, body, [SECRET])
    assert caught.value.status == 401


def test_resource_and_operation_are_the_kind() -> None:
    assert CONNECTOR.describe({}, BODY)[0] == "incident.created"
