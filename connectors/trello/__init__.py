"""Trello: webhooks of boards and cards, and actions and cards of the REST API."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence

from connectors.trello import translate
from pipeline.events import proofs
from pipeline.events.delivery import Answer, Connector, Context, Delivery, Translation
from pipeline.events.errors import Rejected

SIGNATURE = "x-trello-webhook"
_SCHEMES = (b"@https://", b"@http://")


class Trello:
    """The connector; see README.md."""

    name = "trello"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Raise `Rejected` (401) unless `X-Trello-Webhook` is the base64 HMAC-SHA1 of the raw body and our own address.

        Trello signs the callback URL as well, so a secret is `<OAuth secret>@<callback URL>`. One without an
        address vouches for nothing.
        """
        pairs = [pair for secret in proofs.usable(self.name, secrets) if (pair := split_secret(secret))]
        if not pairs:
            raise Rejected(
                401, "the secret of trello has no callback URL; write it as <secret>@https://<leadline>/hooks/trello"
            )
        shown = proofs.lowered(headers).get(SIGNATURE, "")
        proofs.check_signatures("X-Trello-Webhook", [shown], [_sign(secret, body + url) for secret, url in pairs])

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (type of the action, its id and the model that is watched); falls back to a hash of the body."""
        kind, identity = translate.describe(body)
        return kind, identity or proofs.body_id(body)

    def greet(self, method: str, headers: Mapping[str, str]) -> Answer | None:  # noqa: ARG002
        """Answer the `HEAD` of the callback URL without which Trello creates no webhook."""
        return Answer() if method == "HEAD" else None


def split_secret(secret: bytes) -> tuple[bytes, bytes] | None:
    """Return the OAuth secret and the callback URL of `<secret>@<URL>`, None where the URL or the secret is missing."""
    places = [place for scheme in _SCHEMES if (place := secret.find(scheme)) > 0]
    return (secret[: min(places)], secret[min(places) + 1 :]) if places else None


def _sign(secret: bytes, message: bytes) -> bytes:
    return base64.b64encode(hmac.digest(secret, message, "sha1"))


CONNECTOR: Connector = Trello()
