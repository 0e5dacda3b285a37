import hashlib
import hmac

import pytest

from connectors.launchdarkly import CONNECTOR
from pipeline.events.errors import Rejected

BODY = b'{"kind":"flag","_id":"1"}'
SECRETS = [b"new-secret", b"s3cret"]


def signature(secret: bytes, body: bytes = BODY) -> str:
    """As its documentation has it: the hexadecimal HMAC-SHA256 of the body, with the secret as it stands."""
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("secret", SECRETS)
def test_a_body_signed_with_any_of_the_secrets_passes(secret: bytes) -> None:
    CONNECTOR.verify({"X-LD-Signature": signature(secret)}, BODY, SECRETS)


def test_the_signature_of_a_fixed_message() -> None:
    # RFC 4231, test case 2.
    told = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    CONNECTOR.verify({"x-ld-signature": told}, b"what do ya want for nothing?", [b"Jefe"])


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"X-LD-Signature": signature(b"s3cret")}, BODY + b" "),
        ({"X-LD-Signature": signature(b"guess")}, BODY),
        ({"X-LD-Signature": ""}, BODY),
        ({"X-LD-Signature": "\udcff"}, BODY),
        ({"X-Leadline-Token": "s3cret"}, BODY),
        ({}, BODY),
    ],
)
def test_anything_else_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify(headers, body, SECRETS)
    assert caught.value.status == 401


def test_the_short_and_the_long_form_of_an_entry_are_two_deliveries() -> None:
    short, full = b'{"kind":"flag","_id":"1"}', b'{"kind":"flag","_id":"1","currentVersion":{}}'
    assert CONNECTOR.describe({}, short) != CONNECTOR.describe({}, full)
    assert CONNECTOR.describe({}, short)[0] == "flag"
