"""Jira Cloud and Jira Data Center: webhooks, Automation requests and REST answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.jira import door
from connectors.jira.translate import translate
from pipeline.events.delivery import Context, Delivery, Translation


class Jira:
    """The connector of Jira. Stateless; see `README.md` beside it for kinds and settings."""

    name = "jira"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        door.verify(headers, body, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        return door.describe(headers, body)


CONNECTOR = Jira()
