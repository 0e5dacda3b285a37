"""FireHydrant: webhooks about incidents, and incidents as its API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.firehydrant import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class FireHydrant:
    """The connector; see README.md."""

    name = "firehydrant"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Check `FH-Signature`, the HMAC-SHA256 of the body; raises `Rejected` (401)."""
        known = [proofs.hmac_sha256(secret, body) for secret in proofs.usable(self.name, secrets)]
        shown = proofs.lowered(headers).get("fh-signature", "")
        proofs.check_signatures("FH-Signature", [shown], known)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (`<resource>.<operation>` or `rest.incident`, a hash of the body)."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = FireHydrant()
