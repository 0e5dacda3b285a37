from __future__ import annotations

import pytest

from connectors.asana import CONNECTOR
from pipeline.events.errors import Rejected

SECRET = b"b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81"  # that of Asana's documentation
BODY = b'{"events":[]}'
#: Made with OpenSSL: printf '%s' BODY | openssl dgst -sha256 -hmac SECRET.
SIGNATURE = "10468027b67df18c739cc4794c6fc2d2806dcaaf2259fc3e1ed9d26433659853"


def test_a_signed_body_is_accepted_with_any_of_the_secrets() -> None:
    CONNECTOR.verify({"X-Hook-Signature": SIGNATURE}, BODY, [SECRET])
    CONNECTOR.verify({"x-hook-signature": SIGNATURE}, BODY, [b"of another webhook", SECRET])


@pytest.mark.parametrize(
    ("headers", "body", "secret"),
    [
        ({"X-Hook-Signature": SIGNATURE}, BODY + b" ", SECRET),
        ({"X-Hook-Signature": SIGNATURE}, BODY, SECRET + b"x"),
        ({"X-Hook-Signature": SIGNATURE[:-1]}, BODY, SECRET),
        ({"X-Hook-Signature": ""}, BODY, SECRET),
        ({}, BODY, SECRET),
        ({"X-Leadline-Token": SECRET.decode()}, BODY, SECRET),
    ],
)
def test_another_body_secret_or_signature_is_refused(headers: dict[str, str], body: bytes, secret: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify(headers, body, [secret])
    assert caught.value.status == 401
