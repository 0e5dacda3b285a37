"""The door: is a pushed message from our Jira, and what is it called."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from connectors.jira.kinds import UNKNOWN, event_name
from pipeline.events.errors import Quarantined, Rejected
from pipeline.events.reading import parse_object

SIGNATURE_HEADER = "x-hub-signature"
TOKEN_HEADER = "x-leadline-token"  # noqa: S105 - the name of a header
DELIVERY_HEADER = "x-atlassian-webhook-identifier"


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
    """Raise `Rejected` (401) unless a secret vouches for the message.

    A signed message stands or falls with `X-Hub-Signature: sha256=<HMAC of the raw body>`. Only one without a signature
    may show the secret itself, as `Authorization: Bearer` or `X-Leadline-Token`: not every Jira can sign. Every secret
    is tried, and each comparison takes the same time whatever was sent.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise Rejected(401, "no secret is configured for the jira connector; set one and give it to the webhook")
    signature = sent.get(SIGNATURE_HEADER)
    if signature is not None:
        proofs = ["sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest() for secret in usable]
        if not _any_equal(signature, [proof.encode() for proof in proofs]):
            raise Rejected(401, "X-Hub-Signature does not match; the secret of the webhook in Jira differs from ours")
        return
    token = sent.get(TOKEN_HEADER) or sent.get("authorization", "").removeprefix("Bearer ")
    if not token:
        raise Rejected(401, "neither X-Hub-Signature nor a token; give the webhook a secret in Jira")
    if not _any_equal(token, usable):
        raise Rejected(401, "the token does not match any configured secret")


def _any_equal(shown: str, expected: Sequence[bytes]) -> bool:
    matches = [hmac.compare_digest(shown.encode(errors="replace"), each) for each in expected]
    return any(matches)


def describe(headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Return (kind, delivery id).

    The id is Atlassian's identifier of the webhook, which a retry repeats, else a hash of the body. Never raises.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    try:
        kind = event_name(parse_object(body), UNKNOWN)
    except Quarantined:
        kind = UNKNOWN
    return kind, sent.get(DELIVERY_HEADER) or hashlib.sha256(body).hexdigest()
