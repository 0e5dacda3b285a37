"""The door: who sent it, and what it is."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from pipeline.events.errors import Rejected

_PREFIX = "sha256="


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
    """Check `X-Hub-Signature-256` over the raw body. Several secrets are valid at once while one replaces another.

    Raises `Rejected` (401) when no secret vouches for the body, when there is none, and for a SHA-1 signature alone.
    """
    told = _lower(headers)
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise Rejected(401, "no webhook secret is set for github: set one here and in the hook's settings")
    signature = told.get("x-hub-signature-256", "")
    if not signature:
        if "x-hub-signature" in told:
            raise Rejected(401, "signed with SHA-1 only; X-Hub-Signature-256 is needed")
        raise Rejected(401, "X-Hub-Signature-256 is absent: does the hook have a secret?")
    given = signature.strip().encode("utf-8", "replace")
    # Every secret is tried, so that the time does not tell which one fits.
    fits = [hmac.compare_digest(_sign(secret, body), given) for secret in usable]
    if not any(fits):
        raise Rejected(401, "X-Hub-Signature-256 does not match the body under any of the secrets")


def _sign(secret: bytes, body: bytes) -> bytes:
    return (_PREFIX + hmac.new(secret, body, hashlib.sha256).hexdigest()).encode()


def describe(headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Return (`X-GitHub-Event`, `X-GitHub-Delivery`); `unknown` and a hash of the body where they are absent."""
    told = _lower(headers)
    delivery = told.get("x-github-delivery", "").strip()
    return (
        told.get("x-github-event", "").strip() or "unknown",
        delivery or hashlib.blake2b(body, digest_size=16).hexdigest(),
    )


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
