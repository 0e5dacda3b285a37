import base64
import hashlib
import hmac

import pytest

from connectors.signalfx import CONNECTOR
from pipeline.events.errors import Rejected

BODY = b'{"incidentId":"1234"}'


def signature(secret: bytes, body: bytes = BODY) -> str:
    """As its documentation has it: the HMAC-SHA256 of the payload, encoded in base64."""
    return base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()


def test_a_signed_body_passes_and_a_token_does_where_nothing_is_signed() -> None:
    CONNECTOR.verify({"X-SFX-Signature": signature(b"s3cret")}, BODY, [b"new", b"s3cret"])
    CONNECTOR.verify({"X-Leadline-Token": "s3cret"}, BODY, [b"s3cret"])


@pytest.mark.parametrize(
    "headers",
    [
        {"X-SFX-Signature": signature(b"guess")},
        {"X-SFX-Signature": signature(b"s3cret", BODY + b" ")},
        {"X-SFX-Signature": signature(b"guess"), "X-Leadline-Token": "s3cret"},
        {},
    ],
)
def test_anything_else_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify(headers, BODY, [b"s3cret"])
    assert caught.value.status == 401
