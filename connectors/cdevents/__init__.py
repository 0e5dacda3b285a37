"""Connector `cdevents`: any CloudEvent or CDEvent over HTTP, and Leadline's own events."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from connectors.cdevents.translate import BINARY, EVENT, translate
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.errors import Rejected

TOKEN_HEADER = "x-leadline-token"  # noqa: S105 - the name of a header


class CDEventsConnector:
    """Implements `pipeline.events.delivery.Connector`.

    `verify` accepts a secret as `Authorization: Bearer <secret>` or as `X-Leadline-Token: <secret>`.
    """

    name = "cdevents"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        """See `connectors.cdevents.translate.translate`."""
        return translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Raise `Rejected` (401) unless the request's token is one of `secrets`; empty ones vouch for nothing."""
        given = _token({name.lower(): value for name, value in headers.items()})
        if given is None:
            raise Rejected(401, "no token; send Authorization: Bearer <token> or X-Leadline-Token: <token>")
        # All are compared, so that the time says nothing about which one is close.
        matches = [hmac.compare_digest(given, secret) for secret in secrets if secret]
        if not any(matches):
            raise Rejected(401, "the token is not one of those configured for the connector cdevents")

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        """Return (`binary` or `event`, a hash of the body and, in binary mode, of the attributes in the headers)."""
        lower = {name.lower(): value for name, value in headers.items()}
        attributes = sorted((name, value) for name, value in lower.items() if name.startswith("ce-"))
        digest = hashlib.blake2b(body, digest_size=16)
        if "ce-type" not in lower:
            return EVENT, digest.hexdigest()
        for name, value in attributes:
            digest.update(f"\x1f{name}\x1e{value}".encode("utf-8", "surrogatepass"))
        return BINARY, digest.hexdigest()


def _token(headers: Mapping[str, str]) -> bytes | None:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    token = value.strip() if scheme.lower() == "bearer" else headers.get(TOKEN_HEADER, "").strip()
    return token.encode("utf-8", "surrogatepass") if token else None


CONNECTOR = CDEventsConnector()
