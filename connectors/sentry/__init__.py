"""Sentry: issues, issue alerts and metric alerts of an internal integration, and the older webhooks plugin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.sentry import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation

SIGNATURE = "sentry-hook-signature"


class Sentry:
    """The connector; see README.md."""

    name = "sentry"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Check `Sentry-Hook-Signature`, the HMAC-SHA256 of the body under the client secret of the integration.

        Raises `Rejected` (401). Only a message without a signature (of the plugin) may show the secret as a token.
        """
        shown = proofs.lowered(headers).get(SIGNATURE)
        if shown is None:
            proofs.check_token(self.name, headers, secrets)
            return
        known = [proofs.hmac_sha256(secret, body) for secret in proofs.usable(self.name, secrets)]
        proofs.check_signatures("Sentry-Hook-Signature", [shown], known)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        """Return (`<resource>.<action>`, `Request-ID`); falls back to a hash of the body."""
        sent = proofs.lowered(headers)
        resource = sent.get("sentry-hook-resource", "").strip()
        return translate.kind_of(body, resource), sent.get("request-id", "").strip() or proofs.body_id(body)


CONNECTOR: Connector = Sentry()
