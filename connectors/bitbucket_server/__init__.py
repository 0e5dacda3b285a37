"""Bitbucket Server and Data Center: webhooks and pages of the REST API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.bitbucket_server import door, translate
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class BitbucketServer:
    """The connector; see README.md."""

    name = "bitbucket_server"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        door.verify(headers, body, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        return door.describe(headers, body)


CONNECTOR: Connector = BitbucketServer()
