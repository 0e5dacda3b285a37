"""Grafana Alerting: groups of alerts as its webhook contact point sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.grafana_alerting import translate
from pipeline.events import proofs
from pipeline.events.delivery import Connector, Context, Delivery, Translation

SIGNATURE = "x-grafana-alerting-signature"
TIMESTAMP = "x-grafana-alerting-timestamp"


class GrafanaAlerting:
    """The connector; see README.md."""

    name = "grafana_alerting"
    replay_window = proofs.REPLAY_WINDOW

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return translate.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        """Check `X-Grafana-Alerting-Signature`: the HMAC-SHA256 of the body, or of `<timestamp>:<body>` if one is sent.

        Raises `Rejected` (401). Only a message without a signature may show the secret as a token instead.
        """
        sent = proofs.lowered(headers)
        if SIGNATURE not in sent:
            proofs.check_token(self.name, headers, secrets)
            return
        timestamp = sent.get(TIMESTAMP)
        message = body if timestamp is None else timestamp.encode("utf-8", "surrogatepass") + b":" + body
        known = [proofs.hmac_sha256(secret, message) for secret in proofs.usable(self.name, secrets)]
        proofs.check_signatures("X-Grafana-Alerting-Signature", [sent[SIGNATURE]], known)

    def signed_at(self, headers: Mapping[str, str], body: bytes) -> datetime | None:  # noqa: ARG002
        """Return `X-Grafana-Alerting-Timestamp` of a signed message, if the contact point is told to send one."""
        sent = proofs.lowered(headers)
        if SIGNATURE not in sent or TIMESTAMP not in sent:
            return None
        return proofs.signed_time("X-Grafana-Alerting-Timestamp", sent[TIMESTAMP])

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:  # noqa: ARG002
        """Return (`alerts.firing` or `alerts.resolved`, a hash of the body)."""
        return translate.kind_of(body), proofs.body_id(body)


CONNECTOR: Connector = GrafanaAlerting()
