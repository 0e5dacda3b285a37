"""Google Cloud Monitoring: incidents of alerting policies, by webhook or Pub/Sub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.gcpmonitoring import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class GcpMonitoring:
    """The connector; see README.md."""

    name = "gcpmonitoring"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Raise `Rejected` (401) unless a secret is shown: the webhooks can send a name and a password."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (what the message tells, a hash of the body)."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = GcpMonitoring()
