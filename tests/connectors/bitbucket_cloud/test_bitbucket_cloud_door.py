"""Who may send: Atlassian's published signature, and what a message is called."""

from __future__ import annotations

import pytest

from connectors.bitbucket_cloud import CONNECTOR
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
    CONNECTOR.verify({"X-Hub-Signature": SIGNATURE}, BODY, [SECRET])
    CONNECTOR.verify({"x-hub-signature": SIGNATURE}, BODY, [b"old", SECRET])


@pytest.mark.parametrize("shown", [SIGNATURE[:-1] + "8", SIGNATURE.upper().replace("SHA256", "sha256"), "sha256=é"])
def test_a_changed_signature_is_refused(shown: str) -> None:
    assert "does not match" in refused({"X-Hub-Signature": shown}, BODY, [SECRET])


def test_a_changed_body_another_secret_and_another_scheme_are_refused() -> None:
    assert "does not match" in refused({"X-Hub-Signature": SIGNATURE}, BODY + b"!", [SECRET])
    assert "does not match" in refused({"X-Hub-Signature": SIGNATURE}, BODY, [b"another"])
    assert "absent" in refused({"X-Hub-Signature": SIGNATURE.replace("sha256", "sha1")}, BODY, [SECRET])
    assert "absent" in refused({}, BODY, [SECRET])


@pytest.mark.parametrize(
    ("headers", "body", "kind"),
    [
        ({"X-Event-Key": "pullrequest:approved"}, b"{}", "pullrequest:approved"),
        ({}, b'{"pullrequest": {}}', "pullrequest"),
        ({}, b'{"push": {}}', "repo:push"),
        ({}, b"[]", "unknown"),
        ({}, b"\xff", "unknown"),
    ],
)
def test_a_message_is_named_by_its_key_else_by_its_body(headers: dict[str, str], body: bytes, kind: str) -> None:
    assert CONNECTOR.describe({**headers, "X-Request-UUID": "u-1"}, body) == (kind, "u-1")
    assert len(CONNECTOR.describe(headers, body)[1]) == 32
