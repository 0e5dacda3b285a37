"""Linear: webhooks of issues, relations, projects and initiatives, and issues of the GraphQL API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from connectors.linear import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import parse_object

SIGNATURE = "linear-signature"
DELIVERY = "linear-delivery"


class Linear:
    """The connector; see README.md."""

    name = "linear"
    #: What Linear recommends.
    replay_window = timedelta(minutes=1)

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Raise `Rejected` (401) unless `Linear-Signature` is the hexadecimal HMAC-SHA256 of the raw body."""
        known = proofs.usable(self.name, secrets)
        shown = proofs.lowered(headers).get(SIGNATURE, "")
        proofs.check_signatures("Linear-Signature", [shown], [proofs.hmac_sha256(secret, body) for secret in known])

    def signed_at(self, headers: Mapping[str, str], body: bytes) -> datetime | None:  # noqa: ARG002
        """Return `webhookTimestamp` of the body, None without; the header `Linear-Timestamp` is not signed."""
        try:
            return parse_object(body).moment_or_none("webhookTimestamp")
        except Quarantined:
            return None

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        """Return (type and action such as `Issue.update`, `Linear-Delivery`); falls back to a hash of the body."""
        told = proofs.lowered(headers)
        return translate.kind_of(body, told), told.get(DELIVERY, "").strip() or proofs.body_id(body)


CONNECTOR: Connector = Linear()
