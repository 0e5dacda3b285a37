from __future__ import annotations

import hashlib
import hmac

import pytest

from connectors.buildkite import CONNECTOR
from pipeline.events.errors import Rejected

BODY = b'{"event":"ping"}'


def signed(secret: bytes, timestamp: str = "1619071700", body: bytes = BODY) -> dict[str, str]:
    digest = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-Buildkite-Signature": f"timestamp={timestamp},signature={digest}"}


def test_the_signature_covers_time_and_body() -> None:
    CONNECTOR.verify(signed(b"new"), BODY, [b"old", b"new"])
    for headers, body in (
        (signed(b"other"), BODY),
        (signed(b"new"), BODY + b" "),
        ({"X-Buildkite-Signature": signed(b"new")["X-Buildkite-Signature"].replace("1619071700", "1619071701")}, BODY),
    ):
        with pytest.raises(Rejected):
            CONNECTOR.verify(headers, body, [b"new"])


@pytest.mark.parametrize("value", ["", "timestamp=1619071700", "signature=00", "timestamp=now,signature=00", "x"])
def test_a_malformed_signature_is_refused(value: str) -> None:
    with pytest.raises(Rejected):
        CONNECTOR.verify({"X-Buildkite-Signature": value, "X-Buildkite-Token": "new"}, BODY, [b"new"])


def test_a_hook_without_signatures_sends_the_secret() -> None:
    CONNECTOR.verify({"X-Buildkite-Token": "new"}, BODY, [b"old", b"new"])
    CONNECTOR.verify({"X-Leadline-Token": "new"}, BODY, [b"new"])
    with pytest.raises(Rejected):
        CONNECTOR.verify({"X-Buildkite-Token": "old"}, BODY, [b"new"])


@pytest.mark.parametrize(
    ("headers", "body", "kind"),
    [
        ({"X-Buildkite-Event": "build.finished"}, b"{}", "build.finished"),
        ({}, b'{"event": "job.started"}', "job.started"),
        ({}, b'{"detail-type": "Job Promised Exit Status"}', "job.promised_exit_status"),
        ({}, b"[", "unknown"),
    ],
)
def test_kind_is_told_by_header_event_or_detail_type(headers: dict[str, str], body: bytes, kind: str) -> None:
    assert CONNECTOR.describe(headers, body)[0] == kind
