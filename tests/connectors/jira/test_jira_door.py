from __future__ import annotations

import hashlib
import hmac

import pytest

from connectors.jira import CONNECTOR
from pipeline.events.errors import Rejected

BODY = b'{"webhookEvent":"jira:issue_updated"}'


def signed(secret: bytes, body: bytes = BODY) -> dict[str, str]:
    return {"X-Hub-Signature": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()}


@pytest.mark.parametrize("secret", [b"new", b"old"])
def test_any_of_several_secrets_vouches(secret: bytes) -> None:
    CONNECTOR.verify(signed(secret), BODY, [b"new", b"old"])


def test_a_signature_vouches_for_these_bytes_only() -> None:
    with pytest.raises(Rejected) as refusal:
        CONNECTOR.verify(signed(b"new"), BODY + b" ", [b"new"])
    assert refusal.value.status == 401


@pytest.mark.parametrize("value", ["", "sha256=", "sha1=aa", "sha256=\udce9", hashlib.sha256(BODY).hexdigest()])
def test_a_malformed_signature_is_refused(value: str) -> None:
    with pytest.raises(Rejected):
        CONNECTOR.verify({"X-Hub-Signature": value}, BODY, [b"new"])


def test_a_token_does_not_mend_a_wrong_signature() -> None:
    with pytest.raises(Rejected):
        CONNECTOR.verify({**signed(b"wrong"), "X-Leadline-Token": "new"}, BODY, [b"new"])


@pytest.mark.parametrize("headers", [{"X-Leadline-Token": "new"}, {"authorization": "Bearer new"}])
def test_a_jira_that_cannot_sign_shows_the_secret(headers: dict[str, str]) -> None:
    CONNECTOR.verify(headers, BODY, [b"other", b"new"])
    with pytest.raises(Rejected):
        CONNECTOR.verify(headers, BODY, [b"other"])


def test_a_retry_has_the_id_of_the_first_attempt() -> None:
    first = CONNECTOR.describe({"X-Atlassian-Webhook-Identifier": "w-1"}, BODY)
    again = CONNECTOR.describe({"x-atlassian-webhook-identifier": "w-1", "x-atlassian-webhook-retry": "1"}, BODY)
    assert first == again == ("jira:issue_updated", "w-1")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"issue": {"key": "GROW-1", "fields": {}}}', "automation.issue"),
        (b'{"key": "GROW-1", "fields": {}}', "automation.issue"),
        (b'{"alert": {}}', "unknown"),
        (b'{"webhookEvent": 7}', "unknown"),
        (b'{"webhookEvent": "jira:iss', "unknown"),
        (b"[]", "unknown"),
    ],
)
def test_kind_of_a_body_without_an_event_name(body: bytes, kind: str) -> None:
    assert CONNECTOR.describe({}, body) == (kind, hashlib.sha256(body).hexdigest())
