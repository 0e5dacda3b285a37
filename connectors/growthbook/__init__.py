"""GrowthBook: event webhooks, SDK webhooks, and features and experiments of its API."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.growthbook import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation

SIGNATURE = "x-growthbook-signature"


class GrowthBook:
    """The connector; see README.md."""

    name = "growthbook"
    replay_window = proofs.REPLAY_WINDOW

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Raise `Rejected` (401) unless the body is signed as event webhooks are, or as SDK webhooks are.

        The former send `X-GrowthBook-Signature`, the hexadecimal HMAC-SHA256 of the body; the latter follow Standard
        Webhooks, with the secret as it stands for a key, whether or not it could be read as base64.
        """
        known, shown = proofs.usable(self.name, secrets), proofs.lowered(headers).get(SIGNATURE)
        if shown is not None:
            proofs.check_signatures("X-GrowthBook-Signature", [shown], [proofs.hmac_sha256(key, body) for key in known])
            return
        as_they_stand = [base64.b64encode(secret) for secret in known]
        proofs.check_standard_webhook(self.name, headers, body, [*as_they_stand, *known])

    def signed_at(self, headers: Mapping[str, str], body: bytes) -> datetime | None:  # noqa: ARG002
        """Return `Webhook-Timestamp` of an SDK webhook; an event webhook signs its body alone."""
        return None if SIGNATURE in proofs.lowered(headers) else proofs.standard_webhook_signed_at(headers)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        """Return (the event, or `payload.changed`, the id of the message or a hash of the body)."""
        identity = proofs.lowered(headers).get("webhook-id", "").strip()
        return translate.kind_of(body), identity or proofs.body_id(body)


CONNECTOR: Connector = GrowthBook()
