"""Who may send: the secret token, and signatures as Standard Webhooks publish them."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from connectors.gitlab import CONNECTOR
from pipeline.events.errors import Rejected

#: The example of the Standard Webhooks libraries.
SECRET = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "Webhook-Timestamp": "1614265330",
    "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
TOKEN = b"a-secret-token"


def refused(headers: dict[str, str], body: bytes, secrets: list[bytes]) -> str:
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify(headers, body, secrets)
    assert caught.value.status == 401
    return str(caught.value)


def test_the_published_signature_is_accepted() -> None:
    CONNECTOR.verify(HEADERS, BODY, [SECRET])


def test_one_of_several_signatures_and_one_of_several_secrets_suffice() -> None:
    headers = {**HEADERS, "Webhook-Signature": "v1a,AAAA v1,bm90IHRoaXM= " + HEADERS["Webhook-Signature"]}
    CONNECTOR.verify(headers, BODY, [b"whsec_" + base64.b64encode(b"another key"), b"other", SECRET])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Webhook-Id", "msg_other"),
        ("Webhook-Timestamp", "1614265331"),
        ("Webhook-Signature", "v1,bm90IHRoaXM="),
        ("Webhook-Signature", HEADERS["Webhook-Signature"].removeprefix("v1,")),
        ("Webhook-Signature", "é"),
        ("Webhook-Signature", ""),
    ],
)
def test_a_changed_header_is_refused(name: str, value: str) -> None:
    assert "does not match" in refused({**HEADERS, name: value}, BODY, [SECRET])


def test_a_changed_body_is_refused() -> None:
    assert "does not match" in refused(HEADERS, BODY + b" ", [SECRET])


def test_a_token_does_not_rescue_a_wrong_signature() -> None:
    headers = {**HEADERS, "Webhook-Signature": "v1,bm90IHRoaXM=", "X-Gitlab-Token": TOKEN.decode()}
    assert "does not match" in refused(headers, BODY, [SECRET, TOKEN])


def test_the_secret_token_is_compared() -> None:
    CONNECTOR.verify({"X-Gitlab-Token": TOKEN.decode()}, BODY, [b"old", TOKEN])
    assert "does not match" in refused({"X-Gitlab-Token": "a-secret-tokeN"}, BODY, [TOKEN])
    assert "neither" in refused({}, BODY, [TOKEN])


def test_a_signed_message_passes_by_its_token_where_no_signing_token_is_set() -> None:
    CONNECTOR.verify({**HEADERS, "X-Gitlab-Token": TOKEN.decode()}, BODY, [TOKEN])


def test_a_signing_token_is_never_taken_as_a_secret_token() -> None:
    assert "X-Gitlab-Token does not match" in refused({"X-Gitlab-Token": SECRET.decode()}, BODY, [SECRET])


def test_a_signing_token_that_is_no_base64_is_named() -> None:
    assert "base64" in refused(HEADERS, BODY, [b"whsec_***"])


def test_an_empty_signing_token_vouches_for_nothing() -> None:
    empty = base64.b64encode(hmac.new(b"", b"msg.1." + BODY, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": "msg", "webhook-timestamp": "1", "webhook-signature": f"v1,{empty}"}
    assert "no secret" in refused(headers, BODY, [b"whsec_"])


def test_the_delivery_is_named_by_what_a_retry_repeats() -> None:
    body = b'{"object_kind": "push"}'
    assert CONNECTOR.describe({"Idempotency-Key": "k-1", "X-Gitlab-Event-UUID": "shared"}, body) == ("push", "k-1")
    assert CONNECTOR.describe({"Webhook-Id": "w-1"}, b'{"event_name": "tag_push"}') == ("tag_push", "w-1")
    kind, identity = CONNECTOR.describe({"X-Gitlab-Event-UUID": "shared"}, b"\xff")
    assert (kind, len(identity)) == ("unknown", 32)
