"""Prometheus Alertmanager: groups of alerts as its webhook sends them, and alerts as its API lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.alertmanager import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation


class Alertmanager:
    """The connector; see README.md."""

    name = "alertmanager"

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:  # noqa: ARG002
        """Raise `Rejected` (401) unless a secret is shown: Alertmanager signs nothing, but can send credentials."""
        proofs.check_token(self.name, headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (`alerts.firing`, `alerts.resolved` or `rest.alerts`, a hash of the body)."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = Alertmanager()
