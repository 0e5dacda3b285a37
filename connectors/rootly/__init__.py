"""Rootly: webhooks about incidents, and incidents as its API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.rootly import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation

SIGNATURE = "X-Rootly-Signature"


class Rootly:
    """The connector; see README.md."""

    name = "rootly"
    replay_window = proofs.REPLAY_WINDOW

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Check `X-Rootly-Signature: t=<time>,v1=<HMAC-SHA256 of time and body>`; raises `Rejected` (401)."""
        known, timestamp, given = proofs.usable(self.name, secrets), *_signature(headers)
        message = timestamp.encode("utf-8", "surrogatepass") + body
        proofs.check_signatures(SIGNATURE, given, [proofs.hmac_sha256(secret, message) for secret in known])

    def signed_at(self, headers: Mapping[str, str], body: bytes) -> datetime | None:  # noqa: ARG002
        """Return the time of `X-Rootly-Signature`."""
        return proofs.signed_time(f"t= of {SIGNATURE}", _signature(headers)[0])

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (event type, id of the event); falls back to a hash of the body."""
        kind, identity = translate.describe(body)
        return kind, identity or proofs.body_id(body)


def _signature(headers: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return time and signatures of the header; ("", []) where there is none."""
    shown = proofs.lowered(headers).get(SIGNATURE.lower(), "")
    parts = [part.strip().partition("=") for part in shown.split(",")]
    timestamp = next((value for name, _, value in parts if name == "t"), "")
    return timestamp, [value for name, _, value in parts if name == "v1"]


CONNECTOR: Connector = Rootly()
