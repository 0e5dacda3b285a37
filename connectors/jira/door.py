"""The door: is a pushed message from our Jira, and what is it called."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from connectors.jira.kinds import UNKNOWN, event_name
from pipeline.events import proofs
from pipeline.events.errors import Quarantined, Rejected
from pipeline.events.reading import parse_object

SIGNATURE_HEADER = "x-hub-signature"
DELIVERY_HEADER = "x-atlassian-webhook-identifier"


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
    """Raise `Rejected` (401) unless a secret vouches for the message.

    A signed message stands or falls with `X-Hub-Signature: sha256=<HMAC of the raw body>`. Only one without a signature
    may show the secret itself, as `Authorization: Bearer` or `X-Leadline-Token`: not every Jira can sign. Every secret
    is tried, and each comparison takes the same time whatever was sent.
    """
    known, sent = proofs.usable("jira", secrets), proofs.lowered(headers)
    signature = sent.get(SIGNATURE_HEADER)
    if signature is not None:
        proofs.check_signatures("X-Hub-Signature", [signature], [proofs.hub_signature(each, body) for each in known])
        return
    token = sent.get(proofs.TOKEN_HEADER) or sent.get("authorization", "").removeprefix("Bearer ")
    if not token:
        raise Rejected(401, "neither X-Hub-Signature nor a token; give the webhook a secret in Jira")
    given = token.encode(errors="replace")
    fits = [hmac.compare_digest(given, secret) for secret in known]
    if not any(fits):
        raise Rejected(401, "the token does not match any configured secret")


def describe(headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Return (kind, delivery id).

    The id is Atlassian's identifier of the webhook, which a retry repeats, else a hash of the body. Never raises.
    """
    sent = proofs.lowered(headers)
    try:
        kind = event_name(parse_object(body), UNKNOWN)
    except Quarantined:
        kind = UNKNOWN
    return kind, sent.get(DELIVERY_HEADER) or hashlib.sha256(body).hexdigest()
