"""The door: is a pushed message from our Bitbucket, and what is it called."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from pipeline.events.errors import Quarantined, Rejected
from pipeline.events.reading import parse_object

_PREFIX = "sha256="
#: Name in a body -> the family of events that it belongs to, for messages without `X-Event-Key`.
_FAMILIES = {"pullrequest": "pullrequest", "issue": "issue", "push": "repo:push", "commit_status": "repo:commit_status"}


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
    """Raise `Rejected` (401) unless a secret vouches for the raw body in `X-Hub-Signature`. Several may be valid."""
    sent = {name.lower(): value for name, value in headers.items()}
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise Rejected(401, "no secret is configured for bitbucket_cloud; set one and give it to the webhook")
    shown = sent.get("x-hub-signature", "").strip()
    if not shown.startswith(_PREFIX):
        raise Rejected(401, "X-Hub-Signature with sha256= is absent; does the webhook have a secret?")
    given = shown.removeprefix(_PREFIX).encode(errors="replace")
    # Every secret is tried, so that the time does not tell which one fits.
    fits = [hmac.compare_digest(hmac.new(key, body, hashlib.sha256).hexdigest().encode(), given) for key in usable]
    if not any(fits):
        raise Rejected(401, "X-Hub-Signature does not match the body under any of the secrets")


def describe(headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Return (`X-Event-Key`, `X-Request-UUID`); what the body tells, and a hash of it, where they are absent."""
    sent = {name.lower(): value.strip() for name, value in headers.items()}
    identity = sent.get("x-request-uuid") or hashlib.blake2b(body, digest_size=16).hexdigest()
    return sent.get("x-event-key") or _family(body), identity


def _family(body: bytes) -> str:
    try:
        root = parse_object(body)
    except Quarantined:
        return "unknown"
    return next((family for name, family in _FAMILIES.items() if root.has(name)), "unknown")
