from __future__ import annotations

import hashlib
import hmac

import pytest

from connectors.flux import CONNECTOR
from pipeline.events.errors import Rejected

BODY = b'{"involvedObject":{"kind":"Kustomization"}}'


def signed(secret: bytes, body: bytes = BODY) -> dict[str, str]:
    return {"X-Signature": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()}


def test_generic_hmac_is_accepted_while_secrets_change() -> None:
    CONNECTOR.verify(signed(b"new"), BODY, [b"old", b"new"])
    CONNECTOR.verify(signed(b"old"), BODY, [b"old", b"new"])


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (signed(b"other"), BODY),
        (signed(b"new"), BODY + b" "),
        ({"X-Signature": signed(b"new")["X-Signature"].removeprefix("sha256=")}, BODY),
        ({"X-Signature": "sha512=00", "X-Leadline-Token": "new"}, BODY),
    ],
)
def test_anything_else_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Rejected):
        CONNECTOR.verify(headers, body, [b"new"])


def test_a_generic_provider_shows_the_secret() -> None:
    CONNECTOR.verify({"Authorization": "Bearer new"}, BODY, [b"new"])
