"""Flux: events of the notification controller, and resources of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.flux import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation

SIGNATURE = "x-signature"


class Flux:
    """The connector; see README.md."""

    name = "flux"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Check `X-Signature: sha256=<HMAC of the body>`, which a provider of type `generic-hmac` sends.

        Raises `Rejected` (401). Only a message without a signature may show the secret as a token instead.
        """
        shown = proofs.lowered(headers).get(SIGNATURE)
        if shown is None:
            proofs.check_token(self.name, headers, secrets)
            return
        known = proofs.usable(self.name, secrets)
        proofs.check_signatures("X-Signature", [shown], [proofs.hub_signature(each, body) for each in known])

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (kind by the shape of the body, hash of the body); never raises."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = Flux()
