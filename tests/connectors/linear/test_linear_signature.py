from __future__ import annotations

import hashlib
import hmac

import pytest

from connectors.linear import CONNECTOR
from pipeline.events.errors import Rejected

SECRET = b"lin_wh_5f2c9d1e"
BODY = b'{"action":"create","type":"Issue","webhookTimestamp":1774553375841}'
#: Computed with `openssl dgst -sha256 -hmac`, so that it does not depend on the code under test.
SIGNATURE = "b1f825ca5d0c8dd7a02ff2fb595f1bc2779ed33f444dd66ebcfd3fb7a92ab426"


def refused(headers: dict[str, str], body: bytes = BODY, secrets: tuple[bytes, ...] = (SECRET,)) -> str:
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify(headers, body, secrets)
    assert caught.value.status == 401
    return str(caught.value)


@pytest.mark.parametrize("header", ["Linear-Signature", "linear-signature"])
@pytest.mark.parametrize("secrets", [[SECRET], [b"new", SECRET], [SECRET, b"old"], [b"", SECRET]])
def test_one_of_the_secrets_vouches(header: str, secrets: list[bytes]) -> None:
    CONNECTOR.verify({header: SIGNATURE}, BODY, secrets)


def test_what_is_not_signed_by_us_is_refused() -> None:
    assert "does not match" in refused({})
    assert "does not match" in refused({"Linear-Signature": SIGNATURE}, BODY + b" ")
    assert "does not match" in refused({"Linear-Signature": SIGNATURE}, secrets=(b"another",))
    assert "does not match" in refused({"Linear-Signature": SIGNATURE[:-1]})
    assert "does not match" in refused({"Linear-Signature": "\u00e9\ud800"})
    assert "no secret" in refused({"Linear-Signature": SIGNATURE}, secrets=(b"",))


def test_a_secret_that_is_shown_instead_of_used_is_refused() -> None:
    refused({"Authorization": f"Bearer {SECRET.decode()}"})
    sha1 = hmac.new(SECRET, BODY, hashlib.sha1).hexdigest()
    refused({"Linear-Signature": sha1})


def test_a_message_is_known_by_its_body_and_its_delivery() -> None:
    headers = {"Linear-Event": "Issue", "Linear-Delivery": "234d1a4e-b617-4388-90fe-adc3633d6b72"}
    assert CONNECTOR.describe(headers, BODY) == ("Issue.create", "234d1a4e-b617-4388-90fe-adc3633d6b72")
    kind, identity = CONNECTOR.describe({"Linear-Event": "Issue"}, b"{oops")
    assert (kind, len(identity)) == ("Issue", 32)
    assert CONNECTOR.describe({}, b"{oops")[0] == "unknown"
