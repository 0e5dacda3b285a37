"""The door: is a pushed message from our Gitea or Forgejo, and what is it called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.events import proofs
from pipeline.events.errors import Rejected

_HUB_SIGNATURE = "x-hub-signature-256"
#: Headers with the HMAC-SHA256 of the body in hexadecimal; the first that is there decides. One begins with `sha256=`.
_SIGNATURES = ("x-forgejo-signature", "x-gitea-signature", _HUB_SIGNATURE, "x-gogs-signature")
_EVENTS = ("x-forgejo-event", "x-gitea-event", "x-gogs-event", "x-github-event")
_DELIVERIES = ("x-forgejo-delivery", "x-gitea-delivery", "x-gogs-delivery", "x-github-delivery")


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
    """Raise `Rejected` (401) unless a secret vouches for the raw body. Several are valid while one replaces another."""
    known, sent = proofs.usable("gitea", secrets), proofs.lowered(headers)
    name = next((name for name in _SIGNATURES if sent.get(name)), None)
    if name is None:
        raise Rejected(401, "no signature: neither X-Gitea-Signature nor its kin; does the webhook have a secret?")
    if name == _HUB_SIGNATURE:
        proofs.check_hub_signature("gitea", headers, body, known, name)
    else:
        proofs.check_signatures(name, [sent[name]], [proofs.hmac_sha256(secret, body) for secret in known])


def describe(headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Return (event, delivery id) of the headers; `unknown` and a hash of the body where they are absent."""
    sent = {name.lower(): value.strip() for name, value in headers.items()}
    kind = next((sent[name] for name in _EVENTS if sent.get(name)), "unknown")
    delivery = next((sent[name] for name in _DELIVERIES if sent.get(name)), "")
    return kind, delivery or proofs.body_id(body)
