"""Taiga: webhooks, and user stories, tasks, issues, epics and their history of the REST API."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from connectors.taiga import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation

SIGNATURE = "x-taiga-webhook-signature"


class Taiga:
    """The connector; see README.md."""

    name = "taiga"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Raise `Rejected` (401) unless `X-Taiga-Webhook-Signature` is the hexadecimal HMAC-SHA1 of the raw body."""
        known = proofs.usable(self.name, secrets)
        shown = proofs.lowered(headers).get(SIGNATURE, "")
        wanted = [hmac.new(secret, body, hashlib.sha1).hexdigest().encode() for secret in known]
        proofs.check_signatures("X-Taiga-Webhook-Signature", [shown], wanted)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (type and action such as `issue.change`, hash of the body); never raises."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = Taiga()
