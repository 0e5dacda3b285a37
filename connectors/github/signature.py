"""The door: who sent it, and what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.events import proofs
from pipeline.events.errors import Rejected

_HEADER = "X-Hub-Signature-256"


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
    """Check `X-Hub-Signature-256` over the raw body. Several secrets are valid at once while one replaces another.

    Raises `Rejected` (401) when no secret vouches for the body, when there is none, and for a SHA-1 signature alone.
    """
    sent = proofs.lowered(headers)
    if "x-hub-signature" in sent and not sent.get(_HEADER.lower()) and any(secrets):
        raise Rejected(401, f"signed with SHA-1 only; {_HEADER} is needed")
    proofs.check_hub_signature("github", headers, body, secrets, _HEADER)


def describe(headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Return (`X-GitHub-Event`, `X-GitHub-Delivery`); `unknown` and a hash of the body where they are absent."""
    sent = proofs.lowered(headers)
    delivery = sent.get("x-github-delivery", "").strip()
    return sent.get("x-github-event", "").strip() or "unknown", delivery or proofs.body_id(body)
