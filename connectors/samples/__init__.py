"""Connector `samples`: what a warehouse knows of outcomes, as CSV or NDJSON; pushed, or read from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.samples import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class Samples:
    """The connector; see README.md. `connectors.samples.read` makes the deliveries of files."""

    name = "samples"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Raise `Rejected` (401) unless a secret is shown."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        """Return (`csv` or `ndjson`, a hash of the body): by the type of content, else by how the body begins."""
        return translate.kind_of(proofs.lowered(headers).get("content-type", ""), body), proofs.body_id(body)


CONNECTOR: Connector = Samples()
