import base64
import hashlib
import hmac

import pytest

from connectors.growthbook import CONNECTOR
from pipeline.events.errors import Rejected

BODY = b'{"event":"feature.updated"}'
#: The second could be read as base64, and is not.
SECRETS = [b"ewhk_abc123", b"c2VjcmV0c2VjcmV0", b"wk_123A5341464B3A13"]


def of_event(secret: bytes, body: bytes = BODY) -> dict[str, str]:
    return {"X-GrowthBook-Signature": hmac.new(secret, body, hashlib.sha256).hexdigest()}


def of_sdk(secret: bytes, body: bytes = BODY) -> dict[str, str]:
    """As the documentation of SDK webhooks computes it: base64 of the HMAC of `id.timestamp.body`, raw secret."""
    message = b"msg_1.1712109260." + body
    digest = base64.b64encode(hmac.new(secret, message, hashlib.sha256).digest()).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": "1712109260", "webhook-signature": f"v1,{digest}"}


@pytest.mark.parametrize("secret", SECRETS)
def test_both_kinds_of_webhooks_pass_with_any_of_the_secrets(secret: bytes) -> None:
    CONNECTOR.verify(of_event(secret), BODY, SECRETS)
    CONNECTOR.verify(of_sdk(secret), BODY, SECRETS)


def test_an_sdk_webhook_may_take_the_secret_as_base64() -> None:
    secret = base64.b64encode(b"0123456789abcdef")
    CONNECTOR.verify(of_sdk(b"0123456789abcdef"), BODY, [secret])


@pytest.mark.parametrize(
    "headers",
    [
        of_event(b"guess"),
        of_sdk(b"guess"),
        {**of_sdk(b"ewhk_abc123"), "webhook-timestamp": "1712109261"},
        {**of_sdk(b"ewhk_abc123"), "X-GrowthBook-Signature": "0"},
        {"X-Leadline-Token": "ewhk_abc123"},
        {},
    ],
)
def test_anything_else_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify(headers, BODY, SECRETS)
    assert caught.value.status == 401


@pytest.mark.parametrize("sign", [of_event, of_sdk])
def test_a_changed_body_is_refused(sign: object) -> None:
    headers = of_event(b"ewhk_abc123") if sign is of_event else of_sdk(b"ewhk_abc123")
    with pytest.raises(Rejected):
        CONNECTOR.verify(headers, BODY + b" ", SECRETS)


def test_a_retry_of_an_sdk_webhook_is_one_delivery() -> None:
    assert CONNECTOR.describe(of_sdk(b"a"), BODY) == ("feature.updated", "msg_1")
