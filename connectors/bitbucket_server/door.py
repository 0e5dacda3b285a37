"""The door: is a pushed message from our Bitbucket, and what is it called."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from pipeline.events.errors import Quarantined, Rejected
from pipeline.events.reading import parse_object

_PREFIX = "sha256="
_UNKNOWN = "unknown"


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
    """Raise `Rejected` (401) unless a secret vouches for the raw body in `X-Hub-Signature`. Several may be valid."""
    sent = {name.lower(): value for name, value in headers.items()}
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise Rejected(401, "no secret is configured for bitbucket_server; set one and give it to the webhook")
    shown = sent.get("x-hub-signature", "").strip()
    if not shown.startswith(_PREFIX):
        raise Rejected(401, "X-Hub-Signature with sha256= is absent; does the webhook have a secret?")
    given = shown.removeprefix(_PREFIX).encode(errors="replace")
    # Every secret is tried, so that the time does not tell which one fits.
    fits = [hmac.compare_digest(hmac.new(key, body, hashlib.sha256).hexdigest().encode(), given) for key in usable]
    if not any(fits):
        raise Rejected(401, "X-Hub-Signature does not match the body under any of the secrets")


def describe(headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Return (event key, `X-Request-Id`): the key of the header, else of the body; else a hash of the body as id."""
    sent = {name.lower(): value.strip() for name, value in headers.items()}
    kind = sent.get("x-event-key")
    if not kind:
        try:
            kind = parse_object(body).text_or_none("eventKey")
        except Quarantined:
            kind = None
    return kind or _UNKNOWN, sent.get("x-request-id") or hashlib.blake2b(body, digest_size=16).hexdigest()
