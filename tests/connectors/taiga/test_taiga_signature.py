from __future__ import annotations

import pytest

from connectors.taiga import CONNECTOR
from pipeline.events.errors import Rejected

BODY, SECRET = b'{"action": "test", "type": "test", "data": {"test": "test"}}', b"project-key"
#: Made with OpenSSL: printf '%s' BODY | openssl dgst -sha1 -hmac SECRET.
SIGNATURE = "88ea0cb6b05a02b8addbbd2f3f1b5de32514d37a"


def test_a_signed_body_is_accepted_with_any_of_the_secrets() -> None:
    CONNECTOR.verify({"X-TAIGA-WEBHOOK-SIGNATURE": SIGNATURE}, BODY, [b"old", SECRET])


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"X-Taiga-Webhook-Signature": SIGNATURE}, BODY + b"\n"),
        ({"X-Taiga-Webhook-Signature": "0" * 40}, BODY),
        ({"X-Leadline-Token": "project-key"}, BODY),
        ({}, BODY),
    ],
)
def test_another_body_or_signature_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Rejected):
        CONNECTOR.verify(headers, body, [SECRET])
