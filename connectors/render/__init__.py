"""Render: webhooks of deploys and builds, and deploys of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.render import translate
from pipeline.events import proofs
from pipeline.events.delivery import Context, Delivery, Translation


class Render:
    """The connector; see README.md."""

    name = "render"
    replay_window = proofs.REPLAY_WINDOW

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Check the signature of a standard webhook, which covers id, timestamp and body."""
        proofs.check_standard_webhook(self.name, headers, body, secrets)

    def signed_at(self, headers: Mapping[str, str], body: bytes) -> datetime | None:  # noqa: ARG002
        """Return `Webhook-Timestamp`; raises `Rejected` (401) if it is no time."""
        return proofs.standard_webhook_signed_at(headers)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        """Return (type of the event, `Webhook-Id`); falls back to a hash of the body."""
        told = proofs.lowered(headers).get("webhook-id", "").strip()
        return translate.kind_of(body), told or proofs.body_id(body)


CONNECTOR = Render()
