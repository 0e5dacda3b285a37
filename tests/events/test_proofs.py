from __future__ import annotations

import base64

import pytest

from pipeline.events import proofs
from pipeline.events.errors import Rejected

# The example of the Standard Webhooks specification.
STANDARD_SECRET = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD_HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "Webhook-Timestamp": "1614265330",
    "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
BODY_SIGNED = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"  # RFC 2104, as Wikipedia gives it


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"leadline:{password}".encode()).decode()


def test_the_published_hmac_example() -> None:
    assert proofs.hmac_sha256(b"key", b"The quick brown fox jumps over the lazy dog").decode() == BODY_SIGNED


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer s3cret"},
        {"authorization": "bearer  s3cret "},
        {"Authorization": basic("s3cret")},
        {"X-Leadline-Token": "s3cret"},
    ],
)
def test_a_shown_secret_is_accepted(headers: dict[str, str]) -> None:
    proofs.check_token("tool", headers, [b"old", b"s3cret"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer s3cre"},
        {"authorization": "Bearer"},
        {"authorization": "Basic !!!"},
        {"authorization": "Basic é"},
        {"authorization": basic("")},
        {"authorization": basic("other")},
        {"x-leadline-token": ""},
        {"x-leadline-token": "\ud800"},
    ],
)
def test_another_token_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Rejected) as caught:
        proofs.check_token("tool", headers, [b"s3cret", b""])
    assert caught.value.status == 401


def test_an_authorization_beside_the_token_counts() -> None:
    with pytest.raises(Rejected):
        proofs.check_token("tool", {"authorization": "Bearer wrong", "x-leadline-token": "s3cret"}, [b"s3cret"])


@pytest.mark.parametrize("secrets", [[], [b""]])
def test_nothing_vouches_without_a_secret(secrets: list[bytes]) -> None:
    with pytest.raises(Rejected, match="no secret is set for tool"):
        proofs.check_token("tool", {"x-leadline-token": ""}, secrets)


def test_one_of_several_signatures_and_secrets_is_enough() -> None:
    proofs.check_signatures("X-Signature", ["a", "b"], [b"c", b"b"])
    for shown in ([], [""], ["a"], ["B"]):
        with pytest.raises(Rejected, match="X-Signature does not match"):
            proofs.check_signatures("X-Signature", shown, [b"b"])


@pytest.mark.parametrize("prefix", ["Webhook", "svix"])
def test_the_standard_webhooks_example(prefix: str) -> None:
    headers = {name.replace("Webhook", prefix): value for name, value in STANDARD_HEADERS.items()}
    proofs.check_standard_webhook("tool", headers, STANDARD_BODY, [b"old", STANDARD_SECRET])


def test_several_standard_signatures_are_tried() -> None:
    headers = {**STANDARD_HEADERS, "Webhook-Signature": "v1,AAAA v2,x " + STANDARD_HEADERS["Webhook-Signature"]}
    proofs.check_standard_webhook("tool", headers, STANDARD_BODY, [STANDARD_SECRET])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Webhook-Id", "msg_other"),
        ("Webhook-Timestamp", "1614265331"),
        ("Webhook-Signature", "v1,"),
        ("Webhook-Signature", "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ("Webhook-Signature", ""),
        ("Webhook-Id", ""),
    ],
)
def test_a_changed_standard_webhook_is_refused(name: str, value: str) -> None:
    with pytest.raises(Rejected) as caught:
        proofs.check_standard_webhook("tool", {**STANDARD_HEADERS, name: value}, STANDARD_BODY, [STANDARD_SECRET])
    assert caught.value.status == 401


def test_a_changed_standard_body_is_refused() -> None:
    with pytest.raises(Rejected, match="Webhook-Signature does not match"):
        proofs.check_standard_webhook("tool", STANDARD_HEADERS, STANDARD_BODY + b" ", [STANDARD_SECRET])


def test_the_same_body_has_the_same_id() -> None:
    assert proofs.body_id(b"a") == proofs.body_id(b"a") != proofs.body_id(b"b")


def test_a_hub_signature_names_its_scheme_and_covers_the_body() -> None:
    shown = proofs.hub_signature(b"new", b"body").decode()
    proofs.check_hub_signature("forge", {"x-hub-signature": shown}, b"body", [b"old", b"new"])
    proofs.check_hub_signature("forge", {"X-Hub-Signature-256": shown}, b"body", [b"new"], "X-Hub-Signature-256")
    with pytest.raises(Rejected, match="does not match"):
        proofs.check_hub_signature("forge", {"x-hub-signature": shown}, b"other", [b"new"])
    for bare in ({}, {"x-hub-signature": shown.removeprefix("sha256=")}):
        with pytest.raises(Rejected, match="absent"):
            proofs.check_hub_signature("forge", bare, b"body", [b"new"])
