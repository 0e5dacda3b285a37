"""Jenkins: builds of the REST API, stages of pipelines, and messages of the notification plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.jenkins import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class Jenkins:
    """The connector; see README.md."""

    name = "jenkins"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Jenkins' plugins sign nothing: the secret is the password in the URL, or a header's value."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (kind by the shape of the body, hash of the body); never raises."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = Jenkins()
