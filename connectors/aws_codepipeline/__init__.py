"""AWS CodePipeline: events of EventBridge, straight or through SNS, and executions of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.aws_codepipeline import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class CodePipeline:
    """The connector; see README.md."""

    name = "aws_codepipeline"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """EventBridge signs nothing, and SNS with certificates alone: the secret is a header's value, or a password."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (kind by the shape of the body, id of the event; falls back to a hash of the body); never raises."""
        kind, identity = translate.describe(body)
        return kind, identity or proofs.body_id(body)


CONNECTOR: Connector = CodePipeline()
