"""Azure DevOps: service hooks of Repos, Pipelines, Releases and Boards, and pages of the REST API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.azure_devops import kinds, translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class AzureDevOps:
    """The connector; see README.md."""

    name = "azure_devops"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Service hooks sign nothing: the secret is the password of their basic authentication, or a header's value."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (event type, hash of the body). A hook's `id` is no delivery id: Azure's own samples repeat it."""
        return kinds.describe(body), proofs.body_id(body)


CONNECTOR: Connector = AzureDevOps()
