"""TAPD: webhooks of stories, bugs and tasks, and these and their changes of the API."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence

from connectors.tapd import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation
from pipeline.events.errors import Rejected


class Tapd:
    """The connector; see README.md."""

    name = "tapd"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """TAPD signs nothing: it repeats the secret within the body. One that does not may show it as a token.

        Raises `Rejected` (401).
        """
        shown = translate.secret_of(body)
        if not shown:
            proofs.check_token(self.name, headers, secrets)
            return
        given = shown.encode("utf-8", "surrogatepass")
        fits = [hmac.compare_digest(given, secret) for secret in proofs.usable(self.name, secrets)]
        if not any(fits):
            raise Rejected(401, "the secret in the body is not one of the secrets of tapd")

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (event such as `story::update`, hash of the body); never raises."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = Tapd()
