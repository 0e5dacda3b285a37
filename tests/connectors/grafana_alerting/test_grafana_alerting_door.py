from __future__ import annotations

import pytest

from connectors.grafana_alerting import CONNECTOR
from pipeline.events.errors import Rejected
from pipeline.events.proofs import hmac_sha256

SECRET, BODY = b"s3cret", b'{"status":"firing","alerts":[]}'
PLAIN = hmac_sha256(SECRET, BODY).decode()
TIMED = hmac_sha256(SECRET, b"1700000000:" + BODY).decode()


def test_the_body_is_signed() -> None:
    CONNECTOR.verify({"X-Grafana-Alerting-Signature": PLAIN}, BODY, [b"new", SECRET])


def test_the_timestamp_is_signed_where_there_is_one() -> None:
    headers = {"X-Grafana-Alerting-Signature": TIMED, "X-Grafana-Alerting-Timestamp": "1700000000"}
    CONNECTOR.verify(headers, BODY, [SECRET])
    with pytest.raises(Rejected):
        CONNECTOR.verify({**headers, "X-Grafana-Alerting-Timestamp": "1700000001"}, BODY, [SECRET])


@pytest.mark.parametrize("signature", ["", PLAIN[:-1], TIMED, "é"])
def test_another_signature_is_refused_even_beside_a_token(signature: str) -> None:
    headers = {"x-grafana-alerting-signature": signature, "x-leadline-token": "s3cret"}
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify(headers, BODY, [SECRET])
    assert caught.value.status == 401
