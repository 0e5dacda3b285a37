from __future__ import annotations

import base64
import hmac

import pytest

from connectors.incident_io import CONNECTOR
from pipeline.events.errors import Rejected

KEY = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
SECRET = b"whsec_" + base64.b64encode(KEY)
BODY = b'{"event_type":"public_incident.incident_created_v2"}'
PROOF = hmac.digest(KEY, b"msg_1.1614265330." + BODY, "sha256")
HEADERS = {
    "webhook-id": "msg_1",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1," + base64.b64encode(PROOF).decode(),
}


def test_a_signed_message_is_accepted() -> None:
    CONNECTOR.verify(HEADERS, BODY, [b"whsec_b2xk", SECRET])


@pytest.mark.parametrize("name", list(HEADERS))
def test_each_header_is_needed_and_checked(name: str) -> None:
    for changed in ({**HEADERS, name: HEADERS[name] + "0"}, {n: v for n, v in HEADERS.items() if n != name}):
        with pytest.raises(Rejected) as caught:
            CONNECTOR.verify(changed, BODY, [SECRET])
        assert caught.value.status == 401


def test_a_retry_has_the_id_of_the_message() -> None:
    assert CONNECTOR.describe(HEADERS, BODY) == ("public_incident.incident_created_v2", "msg_1")
    assert CONNECTOR.describe({}, BODY) == CONNECTOR.describe({}, BODY)
