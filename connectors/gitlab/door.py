"""The door: is a pushed message from our GitLab, and what is it called."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from connectors.gitlab.kinds import UNKNOWN, kind_of
from pipeline.events.errors import Quarantined, Rejected
from pipeline.events.reading import parse_object

_SIGNING = b"whsec_"
#: Headers whose value GitLab repeats when it sends a message again. `X-Gitlab-Event-UUID` is none of them: webhooks
#: that set off each other share it.
_IDENTITIES = ("idempotency-key", "webhook-id")


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
    """Raise `Rejected` (401) unless a secret vouches for the message.

    A secret that begins with `whsec_` is a signing token: it checks `webhook-signature` as Standard Webhooks define it,
    and once there is one, a signed message stands or falls with its signature. Any other secret is the secret token
    that GitLab sends as `X-Gitlab-Token`.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    keys = [key for secret in secrets if (key := _signing_key(secret))]
    tokens = [secret for secret in secrets if secret and not secret.startswith(_SIGNING)]
    if not keys and not tokens:
        raise Rejected(401, "no secret is configured for the gitlab connector; set one and give it to the webhook")
    signature = sent.get("webhook-signature")
    if signature is not None and keys:
        _check_signature(signature, sent, body, keys)
        return
    token = sent.get("x-gitlab-token", "")
    if not token:
        raise Rejected(401, "neither webhook-signature nor X-Gitlab-Token; give the webhook a secret in GitLab")
    if not _any_equal([token], tokens):
        raise Rejected(401, "X-Gitlab-Token does not match any configured secret")


def _check_signature(signature: str, sent: Mapping[str, str], body: bytes, keys: Sequence[bytes]) -> None:
    signed = f"{sent.get('webhook-id', '')}.{sent.get('webhook-timestamp', '')}.".encode(errors="replace") + body
    proofs = [b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()) for key in keys]
    if not _any_equal(signature.split(), proofs):
        raise Rejected(401, "webhook-signature does not match; the signing token set in GitLab differs from ours")


def _signing_key(secret: bytes) -> bytes | None:
    if not secret.startswith(_SIGNING):
        return None
    try:
        return base64.b64decode(secret.removeprefix(_SIGNING), validate=True) or None
    except binascii.Error:
        raise Rejected(401, "a configured signing token is no base64 after whsec_; copy it again from GitLab") from None


def _any_equal(shown: Sequence[str], expected: Sequence[bytes]) -> bool:
    # Every pair is compared, so that the time does not tell which one fits.
    fits = [hmac.compare_digest(one.encode(errors="replace"), each) for one in shown for each in expected]
    return any(fits)


def describe(headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Return (kind, delivery id): the `object_kind` of the body and `Idempotency-Key`, else a hash of the body."""
    sent = {name.lower(): value for name, value in headers.items()}
    try:
        kind = kind_of(parse_object(body))
    except Quarantined:
        kind = None
    identity = next((sent[name].strip() for name in _IDENTITIES if sent.get(name, "").strip()), "")
    return kind or UNKNOWN, identity or hashlib.blake2b(body, digest_size=16).hexdigest()
