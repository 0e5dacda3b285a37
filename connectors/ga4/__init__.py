"""Google Analytics 4: rows of its BigQuery export, and bodies of the Measurement Protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.ga4 import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class GA4:
    """The connector; see README.md."""

    name = "ga4"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Raise `Rejected` (401) unless a secret is shown; nothing is signed."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (the kind by the shape of the body, a hash of the body)."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = GA4()
