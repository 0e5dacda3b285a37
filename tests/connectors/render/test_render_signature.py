from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.render import CONNECTOR
from pipeline.events.errors import Rejected

# The example of standardwebhooks.com, whose scheme is Render's.
SECRET = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def test_the_documented_signature_is_accepted() -> None:
    CONNECTOR.verify(HEADERS, BODY, [b"whsec_b2xk", SECRET])


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": "1614265331"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": ""},
    ],
)
def test_whatever_is_signed_must_be_so(change: dict[str, str]) -> None:
    with pytest.raises(Rejected):
        CONNECTOR.verify({**HEADERS, **change}, BODY, [SECRET])
    with pytest.raises(Rejected):
        CONNECTOR.verify(HEADERS, BODY + b" ", [SECRET])


def test_a_message_tells_when_it_was_signed() -> None:
    assert CONNECTOR.signed_at(HEADERS, BODY) == datetime(2021, 2, 25, 15, 2, 10, tzinfo=UTC)
    with pytest.raises(Rejected):
        CONNECTOR.signed_at({"Webhook-Timestamp": "yesterday"}, BODY)


def test_a_redelivery_has_the_id_of_the_message() -> None:
    assert CONNECTOR.describe(HEADERS, b'{"type": "deploy_ended"}') == ("deploy_ended", HEADERS["webhook-id"])
