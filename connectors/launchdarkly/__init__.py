"""LaunchDarkly: entries of the audit log as its webhooks send them, flags of its API, exported evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.launchdarkly import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation
from pipeline.events.errors import Rejected

SIGNATURE = "x-ld-signature"


class LaunchDarkly:
    """The connector; see README.md."""

    name = "launchdarkly"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Raise `Rejected` (401) unless `X-LD-Signature` is the hexadecimal HMAC-SHA256 of the body."""
        known, shown = proofs.usable(self.name, secrets), proofs.lowered(headers).get(SIGNATURE)
        if not shown:
            raise Rejected(401, "X-LD-Signature is absent; check *Sign this webhook* and give it a secret")
        proofs.check_signatures("X-LD-Signature", [shown.lower()], [proofs.hmac_sha256(key, body) for key in known])

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (kind of the resource, a hash of the body): the short and the long form of an entry share its id."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = LaunchDarkly()
