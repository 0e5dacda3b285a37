"""Datadog: alerts of monitors, events, and incidents as its API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.datadog import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class Datadog:
    """The connector; see README.md."""

    name = "datadog"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Raise `Rejected` (401) unless a secret is shown: Datadog signs nothing, but can send headers."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (`alert.<transition>`, `event` or `incident`, a hash of the body)."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = Datadog()
