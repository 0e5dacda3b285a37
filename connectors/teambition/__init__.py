"""Teambition: pushed tasks, and tasks and their activities of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.teambition import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class Teambition:
    """The connector; see README.md."""

    name = "teambition"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Nothing is signed: the secret is sent as a header's value, or as a password."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (kind by the shape of the body, hash of the body); never raises."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = Teambition()
