"""GitLab: webhooks and pages of the REST API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.gitlab import door, translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class GitLab:
    """The connector; see README.md."""

    name = "gitlab"
    replay_window = proofs.REPLAY_WINDOW

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        door.verify(headers, body, secrets)

    def signed_at(self, headers: Mapping[str, str], body: bytes) -> datetime | None:  # noqa: ARG002
        """Return `webhook-timestamp` of a message with a signing token; the secret token signs nothing."""
        return proofs.standard_webhook_signed_at(headers) if "webhook-signature" in proofs.lowered(headers) else None

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        return door.describe(headers, body)


CONNECTOR: Connector = GitLab()
