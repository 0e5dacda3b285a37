"""incident.io: webhooks about incidents, and incidents as its API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.incident_io import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class IncidentIo:
    """The connector; see README.md."""

    name = "incident_io"
    replay_window = proofs.REPLAY_WINDOW

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Check the signature of Standard Webhooks, which incident.io sends through Svix; raises `Rejected` (401)."""
        proofs.check_standard_webhook(self.name, headers, body, secrets)

    def signed_at(self, headers: Mapping[str, str], body: bytes) -> datetime | None:  # noqa: ARG002
        """Return `Webhook-Timestamp`, which is that of the attempt: a retry has a later one."""
        return proofs.standard_webhook_signed_at(headers)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        """Return (event type, `Webhook-Id`, which a retry repeats); falls back to a hash of the body."""
        sent = proofs.lowered(headers)
        identity = (sent.get("webhook-id") or sent.get("svix-id") or "").strip()
        return translate.kind_of(body), identity or proofs.body_id(body)


CONNECTOR: Connector = IncidentIo()
