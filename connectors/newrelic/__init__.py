"""New Relic: issues as a workflow sends them, and incidents of the older alert channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.newrelic import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class NewRelic:
    """The connector; see README.md."""

    name = "newrelic"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Raise `Rejected` (401) unless a secret is shown: New Relic signs nothing, but can send headers."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (`issue.<state>` or `incident.<state>`, a hash of the body)."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = NewRelic()
