"""CircleCI: outbound webhooks, and workflows and jobs of the REST API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.circleci import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation

SIGNATURE = "circleci-signature"
_VERSION = "v1="


class CircleCI:
    """The connector; see README.md."""

    name = "circleci"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Check `circleci-signature`, a list of versions of which `v1=<HMAC-SHA256>` is the one that exists.

        Raises `Rejected` (401). Only a message without a signature may show the secret as a token instead.
        """
        shown = proofs.lowered(headers).get(SIGNATURE)
        if shown is None:
            proofs.check_token(self.name, headers, secrets)
            return
        known = proofs.usable(self.name, secrets)
        given = [each.strip().removeprefix(_VERSION) for each in shown.split(",") if each.strip().startswith(_VERSION)]
        proofs.check_signatures(SIGNATURE, given, [proofs.hmac_sha256(secret, body) for secret in known])

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        """Return (event type, id of the event, which a retry repeats); falls back to a hash of the body."""
        kind, identity = translate.describe(body)
        kind = kind or proofs.lowered(headers).get("circleci-event-type", "").strip()
        return kind or translate.UNKNOWN, identity or proofs.body_id(body)


CONNECTOR: Connector = CircleCI()
