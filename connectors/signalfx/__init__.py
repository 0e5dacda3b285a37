"""Splunk Observability Cloud (SignalFx): alerts of detectors."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence

from connectors.signalfx import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation

SIGNATURE = "x-sfx-signature"


class SignalFx:
    """The connector; see README.md."""

    name = "signalfx"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Raise `Rejected` (401) unless `X-SFX-Signature` is the base64 HMAC-SHA256 of the body.

        Only a message without a signature may show the secret as a token instead.
        """
        shown = proofs.lowered(headers).get(SIGNATURE)
        if shown is None:
            proofs.check_token(self.name, headers, secrets)
            return
        known = [hmac.digest(secret, body, "sha256") for secret in proofs.usable(self.name, secrets)]
        proofs.check_signatures("X-SFX-Signature", [shown], [base64.b64encode(each) for each in known])

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (what the message tells, a hash of the body)."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = SignalFx()
