"""Alertmanager's groups of alerts -> canonical events."""

from __future__ import annotations

from pipeline.events.alerts import told_alerts
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import base_url
from pipeline.events.reading import Node, parse_json

#: Alerts of the usual rule sets that fire all the time by design.
DEFAULTS = {"ignored_alerts": "Watchdog, InfoInhibitor, DeadMansSwitch"}
ANYWHERE = "urn:leadline:alertmanager"
LINKS = ("generatorURL",)


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        root = Node(parse_json(body))
        status = None if isinstance(root.value, list) else root.text_or_none("status")
    except Quarantined:
        return "unknown"
    if isinstance(root.value, list):
        return "rest.alerts"
    return f"alerts.{status}" if status in ("firing", "resolved") else "unknown"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a webhook of version 4 (an object) or an answer of `GET /api/v2/alerts` (a list).

    Raises nothing but `Quarantined`.
    """
    root = Node(parse_json(delivery.body))
    settings = {**DEFAULTS, **context.settings}
    source = base_url(settings)
    if isinstance(root.value, list):
        return told_alerts(root.items(), LINKS, source or ANYWHERE, settings)
    root = root.child()
    if not root.has("alerts"):
        raise Quarantined("missing_field", "alerts is absent: this is no group of alerts in the format of version 4")
    external = (root.text_or_none("externalURL") or "").rstrip("/")
    return told_alerts(root.items("alerts"), LINKS, source or external or ANYWHERE, settings)
