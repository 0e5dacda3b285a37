"""Linear: webhooks of issues, relations, projects and initiatives, and issues of the GraphQL API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.linear import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation

SIGNATURE = "linear-signature"
DELIVERY = "linear-delivery"


class Linear:
    """The connector; see README.md."""

    name = "linear"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Raise `Rejected` (401) unless `Linear-Signature` is the hexadecimal HMAC-SHA256 of the raw body.

        How old `webhookTimestamp` may be is for the door to decide: here is no clock.
        """
        known = proofs.usable(self.name, secrets)
        shown = proofs.lowered(headers).get(SIGNATURE, "")
        proofs.check_signatures("Linear-Signature", [shown], [proofs.hmac_sha256(secret, body) for secret in known])

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        """Return (type and action such as `Issue.update`, `Linear-Delivery`); falls back to a hash of the body."""
        told = proofs.lowered(headers)
        return translate.kind_of(body, told), told.get(DELIVERY, "").strip() or proofs.body_id(body)


CONNECTOR: Connector = Linear()
