"""Asana: webhooks, and tasks and stories of the REST API."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from connectors.asana import translate
from pipeline.events import proofs
from pipeline.events.delivery import Answer, Connector, Context, Delivery, Translation

SIGNATURE = "x-hook-signature"
SECRET = "x-hook-secret"  # noqa: S105 - the name of a header
_REPEATABLE = re.compile(r"[A-Za-z0-9]{16,128}")


class Asana:
    """The connector; see README.md."""

    name = "asana"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Raise `Rejected` (401) unless `X-Hook-Signature` is the hexadecimal HMAC-SHA256 of the raw body."""
        known = proofs.usable(self.name, secrets)
        shown = proofs.lowered(headers).get(SIGNATURE, "")
        proofs.check_signatures("X-Hook-Signature", [shown], [proofs.hmac_sha256(secret, body) for secret in known])

    def greet(self, method: str, headers: Mapping[str, str]) -> Answer | None:
        """Repeat `X-Hook-Secret`, without which Asana creates no webhook.

        That makes it nobody's secret: only what is configured vouches for a message.
        """
        secret = proofs.lowered(headers).get(SECRET, "")
        asked = method == "POST" and _REPEATABLE.fullmatch(secret) is not None
        return Answer(headers={"X-Hook-Secret": secret}) if asked else None

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (kind by the shape of the body, hash of the body); never raises."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = Asana()
