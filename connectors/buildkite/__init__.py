"""Buildkite: webhooks, Amazon EventBridge events, and builds of the REST API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.buildkite import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation
from pipeline.events.errors import Rejected

SIGNATURE = "x-buildkite-signature"
TOKEN = "x-buildkite-token"  # noqa: S105 - the name of a header


class Buildkite:
    """The connector; see README.md."""

    name = "buildkite"
    replay_window = proofs.REPLAY_WINDOW

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Check `X-Buildkite-Signature: timestamp=<seconds>,signature=<HMAC-SHA256 of "timestamp.body">`.

        Raises `Rejected` (401). Only a message without a signature may show the secret instead: as
        `X-Buildkite-Token`, which is how a hook without signatures sends it, or as any other token.
        """
        told = proofs.lowered(headers)
        if SIGNATURE not in told:
            token = told.get(TOKEN)
            proofs.check_token(self.name, {proofs.TOKEN_HEADER: token} if token else headers, secrets)
            return
        known = proofs.usable(self.name, secrets)
        timestamp, signature = _signature(told)
        if not (timestamp.isascii() and timestamp.isdigit() and signature):
            raise Rejected(401, "X-Buildkite-Signature is not timestamp=<seconds>,signature=<hexadecimal>")
        message = timestamp.encode() + b"." + body
        proofs.check_signatures(
            "X-Buildkite-Signature", [signature], [proofs.hmac_sha256(secret, message) for secret in known]
        )

    def signed_at(self, headers: Mapping[str, str], body: bytes) -> datetime | None:  # noqa: ARG002
        """Return the time of `X-Buildkite-Signature`; a token signs nothing."""
        told = proofs.lowered(headers)
        return proofs.signed_time("X-Buildkite-Signature", _signature(told)[0]) if SIGNATURE in told else None

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        """Return (`X-Buildkite-Event` or what the body says, hash of the body); never raises."""
        event = proofs.lowered(headers).get("x-buildkite-event", "").strip()
        return event or translate.kind_of(body), proofs.body_id(body)


def _signature(lower: Mapping[str, str]) -> tuple[str, str]:
    """Return timestamp and signature of the header; empty where they are absent."""
    parts = dict(part.strip().partition("=")[::2] for part in lower[SIGNATURE].split(","))
    return parts.get("timestamp", ""), parts.get("signature", "")


CONNECTOR: Connector = Buildkite()
