"""The door: is a pushed message from our Bitbucket, and what is it called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.events import proofs
from pipeline.events.errors import Quarantined
from pipeline.events.reading import parse_object

#: Name in a body -> the family of events that it belongs to, for messages without `X-Event-Key`.
_FAMILIES = {"pullrequest": "pullrequest", "issue": "issue", "push": "repo:push", "commit_status": "repo:commit_status"}


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
    """Raise `Rejected` (401) unless a secret vouches for the raw body in `X-Hub-Signature`. Several may be valid."""
    proofs.check_hub_signature("bitbucket_cloud", headers, body, secrets)


def describe(headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Return (`X-Event-Key`, `X-Request-UUID`); what the body tells, and a hash of it, where they are absent."""
    sent = {name.lower(): value.strip() for name, value in headers.items()}
    identity = sent.get("x-request-uuid") or proofs.body_id(body)
    return sent.get("x-event-key") or _family(body), identity


def _family(body: bytes) -> str:
    try:
        root = parse_object(body)
    except Quarantined:
        return "unknown"
    return next((family for name, family in _FAMILIES.items() if root.has(name)), "unknown")
