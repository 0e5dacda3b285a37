"""Who may send: Atlassian's published signature, and what a message is called."""

from __future__ import annotations

import pytest

from connectors.bitbucket_server import CONNECTOR
from pipeline.events.errors import Rejected

#: The example in Atlassian's documentation of webhook secrets.
SECRET = b"It's a Secret to Everybody"
BODY = b"Hello World!"
SIGNATURE = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"


def refused(headers: dict[str, str], body: bytes, secrets: list[bytes]) -> str:
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify(headers, body, secrets)
    assert caught.value.status == 401
    return str(caught.value)


def test_the_published_signature_is_accepted() -> None:
    CONNECTOR.verify({"X-Hub-Signature": SIGNATURE}, BODY, [b"old", SECRET])


def test_what_was_changed_is_refused() -> None:
    assert "does not match" in refused({"X-Hub-Signature": SIGNATURE[:-1] + "8"}, BODY, [SECRET])
    assert "does not match" in refused({"X-Hub-Signature": "sha256=é"}, BODY, [SECRET])
    assert "does not match" in refused({"X-Hub-Signature": SIGNATURE}, BODY + b"!", [SECRET])
    assert "does not match" in refused({"X-Hub-Signature": SIGNATURE}, BODY, [b"another"])
    assert "absent" in refused({"X-Hub-Signature": SIGNATURE.replace("sha256", "sha1")}, BODY, [SECRET])
    assert "absent" in refused({}, BODY, [SECRET])


@pytest.mark.parametrize(
    ("headers", "body", "kind"),
    [
        ({"X-Event-Key": "diagnostics:ping"}, b'{"test": true}', "diagnostics:ping"),
        ({}, b'{"eventKey": "pr:merged"}', "pr:merged"),
        ({}, b"[]", "unknown"),
        ({}, b"\xff", "unknown"),
    ],
)
def test_a_message_is_named_by_its_key(headers: dict[str, str], body: bytes, kind: str) -> None:
    assert CONNECTOR.describe({**headers, "X-Request-Id": "r-1"}, body) == (kind, "r-1")
    assert len(CONNECTOR.describe(headers, body)[1]) == 32
