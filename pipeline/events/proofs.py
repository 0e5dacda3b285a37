"""Proofs: does one of our secrets vouch for a message that was pushed to us.

Connectors name the header and what the vendor signs. Here is what all of them must do alike: compare in constant
time, try every secret, refuse without one, and say why.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pipeline.events.errors import Rejected
from pipeline.events.times import SECOND_US, from_us

TOKEN_HEADER = "x-leadline-token"  # noqa: S105 - the name of a header
#: How far a signed time may be from now where the source does not say: what Standard Webhooks and most others use.
REPLAY_WINDOW = timedelta(minutes=5)
_HUB_SCHEME = "sha256="
_SECONDS_DIGITS = 11  # to the year 5138


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers under their lower-case names."""
    return {name.lower(): value for name, value in headers.items()}


def hmac_sha256(secret: bytes, message: bytes) -> bytes:
    """Return the lower-case hexadecimal HMAC-SHA256 of a message."""
    return hmac.new(secret, message, hashlib.sha256).hexdigest().encode()


def body_id(body: bytes) -> str:
    """Return the id of a delivery whose source gives it none: a redelivery has the same bytes."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def usable(connector: str, secrets: Sequence[bytes]) -> list[bytes]:
    """Return the secrets that are not empty; raises `Rejected` (401) if there are none."""
    found = [secret for secret in secrets if secret]
    if not found:
        raise Rejected(401, f"no secret is set for {connector}; set one here and give it to the webhook")
    return found


def check_signatures(header: str, shown: Sequence[str], proofs: Sequence[bytes]) -> None:
    """Raise `Rejected` (401) unless one of the signatures `shown` in `header` is one of `proofs` (one a secret)."""
    given = [each.strip().encode("utf-8", "surrogatepass") for each in shown]
    # All pairs are compared, so that the time tells nothing about which one is close.
    fits = [hmac.compare_digest(each, proof) for each in given for proof in proofs]
    if not any(fits):
        raise Rejected(401, f"{header} does not match the body under any of the secrets")


def check_hub_signature(
    connector: str, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], header: str = "X-Hub-Signature"
) -> None:
    """Raise `Rejected` (401) unless `header` is `sha256=<HMAC of the raw body>`, as WebSub and many forges have it."""
    known, shown = usable(connector, secrets), lowered(headers).get(header.lower(), "").strip()
    if not shown.startswith(_HUB_SCHEME):
        raise Rejected(401, f"{header} with {_HUB_SCHEME} is absent; does the webhook have a secret?")
    check_signatures(header, [shown], [hub_signature(secret, body) for secret in known])


def hub_signature(secret: bytes, body: bytes) -> bytes:
    """Return what `X-Hub-Signature` says of a body."""
    return _HUB_SCHEME.encode() + hmac_sha256(secret, body)


def check_token(connector: str, headers: Mapping[str, str], secrets: Sequence[bytes]) -> None:
    """Raise `Rejected` (401) unless a secret is shown, for sources that sign nothing.

    It may be shown as `X-Leadline-Token`, as `Authorization: Bearer`, or as the password of `Authorization: Basic`
    (which is how a URL such as `https://leadline:<secret>@host/` sends it).
    """
    known, given = usable(connector, secrets), _token(lowered(headers))
    if not given:
        raise Rejected(401, "no token; send X-Leadline-Token, Authorization: Bearer, or a Basic password")
    fits = [hmac.compare_digest(given, secret) for secret in known]
    if not any(fits):
        raise Rejected(401, f"the token is not one of the secrets of {connector}")


def check_standard_webhook(connector: str, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
    """Raise `Rejected` (401) unless a message is signed as standardwebhooks.com demands (Svix among others).

    `Webhook-Signature` is a list of `v1,<base64 HMAC-SHA256 of id.timestamp.body>`; a secret is base64 after `whsec_`,
    and is taken as it stands where it is not.
    """
    known, sent = usable(connector, secrets), lowered(headers)
    identity, timestamp, shown = (_standard(sent, name) for name in ("id", "timestamp", "signature"))
    if not (identity and timestamp and shown):
        raise Rejected(401, "Webhook-Id, Webhook-Timestamp and Webhook-Signature are needed")
    message = f"{identity}.{timestamp}.".encode("utf-8", "surrogatepass") + body
    proofs = [base64.b64encode(hmac.digest(_standard_key(secret), message, "sha256")) for secret in known]
    given = [each.removeprefix("v1,") for each in shown.split() if each.startswith("v1,")]
    check_signatures("Webhook-Signature", given, proofs)


def standard_webhook_signed_at(headers: Mapping[str, str]) -> datetime | None:
    """Return `Webhook-Timestamp`, which Standard Webhooks sign; None without one. Raises as `signed_time` does."""
    timestamp = _standard(lowered(headers), "timestamp")
    return signed_time("Webhook-Timestamp", timestamp) if timestamp else None


def signed_time(header: str, seconds: str) -> datetime:
    """Return the instant of seconds since 1970, as `header` has them; raises `Rejected` (401) for anything else."""
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= _SECONDS_DIGITS):
        raise Rejected(401, f"{header} is {seconds[:40]!r}; seconds since 1970 are needed")
    return from_us(int(seconds) * SECOND_US)


def _standard(lower: Mapping[str, str], name: str) -> str:
    return lower.get(f"webhook-{name}") or lower.get(f"svix-{name}") or ""


def _standard_key(secret: bytes) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(b"whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return secret


def _token(headers: Mapping[str, str]) -> bytes:
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip().encode("utf-8", "surrogatepass")
        case "basic":
            return _password(value.strip())
        case _:
            return headers.get(TOKEN_HEADER, "").strip().encode("utf-8", "surrogatepass")


def _password(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""
