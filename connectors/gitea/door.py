"""The door: is a pushed message from our Gitea or Forgejo, and what is it called."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from pipeline.events.errors import Rejected

#: Headers with the HMAC-SHA256 of the body in hexadecimal; the first that is there decides. One begins with `sha256=`.
_SIGNATURES = ("x-forgejo-signature", "x-gitea-signature", "x-hub-signature-256", "x-gogs-signature")
_EVENTS = ("x-forgejo-event", "x-gitea-event", "x-gogs-event", "x-github-event")
_DELIVERIES = ("x-forgejo-delivery", "x-gitea-delivery", "x-gogs-delivery", "x-github-delivery")


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
    """Raise `Rejected` (401) unless a secret vouches for the raw body. Several are valid while one replaces another."""
    sent = {name.lower(): value for name, value in headers.items()}
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise Rejected(401, "no secret is configured for the gitea connector; set one and give it to the webhook")
    name = next((name for name in _SIGNATURES if sent.get(name)), None)
    if name is None:
        raise Rejected(401, "no signature: neither X-Gitea-Signature nor its kin; does the webhook have a secret?")
    given = sent[name].strip()
    if name == "x-hub-signature-256":
        scheme, _, given = given.partition("=")
        if scheme != "sha256":
            raise Rejected(401, "X-Hub-Signature-256 does not begin with sha256=")
    shown = given.encode(errors="replace")
    # Every secret is tried, so that the time does not tell which one fits.
    fits = [hmac.compare_digest(hmac.new(key, body, hashlib.sha256).hexdigest().encode(), shown) for key in usable]
    if not any(fits):
        raise Rejected(401, f"{name} does not match the body under any of the secrets")


def describe(headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Return (event, delivery id) of the headers; `unknown` and a hash of the body where they are absent."""
    sent = {name.lower(): value.strip() for name, value in headers.items()}
    kind = next((sent[name] for name in _EVENTS if sent.get(name)), "unknown")
    delivery = next((sent[name] for name in _DELIVERIES if sent.get(name)), "")
    return kind, delivery or hashlib.blake2b(body, digest_size=16).hexdigest()
