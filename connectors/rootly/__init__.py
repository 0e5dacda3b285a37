"""Rootly: webhooks about incidents, and incidents as its API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.rootly import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class Rootly:
    """The connector; see README.md."""

    name = "rootly"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Check `X-Rootly-Signature: t=<time>,v1=<HMAC-SHA256 of time and body>`; raises `Rejected` (401)."""
        known = proofs.usable(self.name, secrets)
        shown = proofs.lowered(headers).get("x-rootly-signature", "")
        parts = [part.strip().partition("=") for part in shown.split(",")]
        timestamp = next((value for name, _, value in parts if name == "t"), "")
        message = timestamp.encode("utf-8", "surrogatepass") + body
        given = [value for name, _, value in parts if name == "v1"]
        proofs.check_signatures("X-Rootly-Signature", given, [proofs.hmac_sha256(secret, message) for secret in known])

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (event type, id of the event); falls back to a hash of the body."""
        kind, identity = translate.describe(body)
        return kind, identity or proofs.body_id(body)


CONNECTOR: Connector = Rootly()
