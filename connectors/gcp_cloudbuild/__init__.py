"""Google Cloud Build: builds as Pub/Sub pushes them, and of the REST API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.gcp_cloudbuild import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class CloudBuild:
    """The connector; see README.md."""

    name = "gcp_cloudbuild"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Google signs with certificates alone: the secret is a header's value, or a password."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (kind by the shape of the body, hash of the body); never raises."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = CloudBuild()
