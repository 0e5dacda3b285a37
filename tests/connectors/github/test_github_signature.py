from __future__ import annotations

import hashlib
import hmac

import pytest

from connectors.github import CONNECTOR
from pipeline.events.errors import Rejected

# The example of GitHub's documentation, "Validating webhook deliveries".
SECRET = b"It's a Secret to Everybody"
BODY = b"Hello, World!"
SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def refused(headers: dict[str, str], body: bytes = BODY, secrets: tuple[bytes, ...] = (SECRET,)) -> str:
    with pytest.raises(Rejected) as caught:
        CONNECTOR.verify(headers, body, secrets)
    assert caught.value.status == 401
    return str(caught.value)


@pytest.mark.parametrize("name", ["X-Hub-Signature-256", "x-hub-signature-256"])
def test_the_documented_example_is_accepted(name: str) -> None:
    CONNECTOR.verify({name: SIGNATURE}, BODY, [SECRET])


def test_any_of_several_secrets_vouches() -> None:
    for secrets in ([b"new", SECRET], [SECRET, b"old"], [b"", SECRET]):
        CONNECTOR.verify({"x-hub-signature-256": SIGNATURE}, BODY, secrets)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        SIGNATURE[:-1],
        SIGNATURE.upper(),
        SIGNATURE.removeprefix("sha256="),
        "sha256=" + "é" * 64,
        "\ud800",
    ],
)
def test_another_signature_is_refused(signature: str) -> None:
    refused({"x-hub-signature-256": signature})


def test_another_body_is_refused() -> None:
    assert "does not match" in refused({"x-hub-signature-256": SIGNATURE}, BODY + b"\n")


def test_sha1_alone_is_refused_and_said_so() -> None:
    sha1 = "sha1=" + hmac.new(SECRET, BODY, hashlib.sha1).hexdigest()
    assert "SHA-1" in refused({"X-Hub-Signature": sha1})


def test_no_signature_and_no_secret_are_refused() -> None:
    assert "absent" in refused({})
    empty = "sha256=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    assert "no secret is set" in refused({"x-hub-signature-256": empty}, secrets=(b"",))
    assert "no secret is set" in refused({"x-hub-signature-256": empty}, secrets=())


def test_a_delivery_is_described_by_its_headers() -> None:
    headers = {"X-GitHub-Event": "pull_request", "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958"}
    assert CONNECTOR.describe(headers, b"{") == ("pull_request", "72d3162e-cc78-11e3-81ab-4c9367dc0958")


def test_without_a_delivery_id_the_body_is_the_id() -> None:
    first, again, other = (CONNECTOR.describe({"x-github-event": "push"}, body)[1] for body in (b"a", b"a", b"b"))
    assert first == again != other
    assert CONNECTOR.describe({}, b"a") == ("unknown", first)
