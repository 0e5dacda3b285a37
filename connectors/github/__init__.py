"""GitHub: webhooks, pages of the REST API and items of the Events API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.github import signature, translate
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class GitHub:
    """The connector; see README.md."""

    name = "github"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        signature.verify(headers, body, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        return signature.describe(headers, body)


CONNECTOR: Connector = GitHub()
