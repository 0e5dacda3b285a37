"""ServiceNow: incidents as a business rule sends them and as the Table API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.servicenow import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class ServiceNow:
    """The connector; see README.md."""

    name = "servicenow"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Raise `Rejected` (401) unless a secret is shown: ServiceNow sends whatever header you give it."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (the class of the record, or `unknown`, a hash of the body)."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = ServiceNow()
