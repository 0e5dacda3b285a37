"""Who may send: the signatures of Forgejo, Gitea, Gogs and GitHub's own, and what a message is called."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from connectors.gitea import CONNECTOR
from pipeline.events.errors import Rejected

#: RFC 4231, test case 2: the products publish no vectors of their own, and sign with plain HMAC-SHA256.
SECRET = b"Jefe"
BODY = b"what do ya want for nothing?"
HEXADECIMAL = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"

SIGNED = [
    {"X-Forgejo-Signature": HEXADECIMAL},
    {"X-Gitea-Signature": HEXADECIMAL},
    {"X-Gogs-Signature": HEXADECIMAL},
    {"X-Hub-Signature-256": f"sha256={HEXADECIMAL}"},
]


def refused(headers: dict[str, str], body: bytes, secrets: list[bytes]) -> str:
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify(headers, body, secrets)
    assert caught.value.status == 401
    return str(caught.value)


@pytest.mark.parametrize("headers", SIGNED)
def test_each_signature_is_accepted_and_a_mutation_of_it_refused(headers: dict[str, str]) -> None:
    CONNECTOR.verify(headers, BODY, [b"old", SECRET])
    ((name, value),) = headers.items()
    assert "does not match" in refused(headers, BODY + b" ", [SECRET])
    assert "does not match" in refused({name: value[:-1] + "4"}, BODY, [SECRET])
    assert "does not match" in refused({name: value.replace("5bdc", "é")}, BODY, [SECRET])
    assert "does not match" in refused(headers, BODY, [b"other"])


def test_a_bad_signature_is_not_rescued_by_another_header() -> None:
    assert "x-forgejo" in refused({"X-Forgejo-Signature": "00", "X-Gitea-Signature": HEXADECIMAL}, BODY, [SECRET])


def test_a_signature_by_another_scheme_is_refused() -> None:
    sha1 = hmac.new(SECRET, BODY, hashlib.sha1).hexdigest()
    assert "sha256=" in refused({"X-Hub-Signature-256": f"sha1={sha1}"}, BODY, [SECRET])
    assert "no signature" in refused({"X-Hub-Signature": f"sha1={sha1}"}, BODY, [SECRET])


def test_forgejo_is_preferred_over_the_names_that_it_sends_for_compatibility() -> None:
    headers = {
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": "g",
        "X-Gitea-Event": "pull_request",
        "X-Forgejo-Event": "pull_request_comment",
        "X-Forgejo-Delivery": "f",
    }
    assert CONNECTOR.describe(headers, b"{}") == ("pull_request_comment", "f")
    kind, identity = CONNECTOR.describe({}, b"\xff")
    assert (kind, len(identity)) == ("unknown", 32)
