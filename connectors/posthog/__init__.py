"""PostHog: events of webhook destinations, batch exports and the REST API; feature flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.posthog import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class PostHog:
    """The connector; see README.md."""

    name = "posthog"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Raise `Rejected` (401) unless a secret is shown; nothing is signed."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (the kind by the shape of the body, a hash of the body)."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = PostHog()
