"""RudderStack: calls that a webhook destination forwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.events import calls, proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation

#: Types of calls beside the spec: rows of a warehouse, and joined identities.
IGNORED = ("merge", "record")


class RudderStack:
    """The connector; see README.md."""

    name = "rudderstack"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return calls.read_calls(delivery, context, IGNORED)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Check the secret that the destination is told to send in a header; raises `Rejected` (401)."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002 - the protocol's
        """Return (type of the call or `batch`, a hash of the body)."""
        return calls.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = RudderStack()
