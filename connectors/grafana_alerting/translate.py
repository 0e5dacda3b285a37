"""Grafana's groups of alerts -> canonical events."""

from __future__ import annotations

from pipeline.events.alerts import told_alerts
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import base_url
from pipeline.events.reading import parse_object

#: What the *Test* button of a contact point sends.
DEFAULTS = {"ignored_alerts": "TestAlert"}
ANYWHERE = "urn:leadline:grafana"
#: The rule comes before the panel: not every rule has one, and both lead to the other.
LINKS = ("generatorURL", "panelURL", "dashboardURL")


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        status = parse_object(body).text_or_none("status")
    except Quarantined:
        return "unknown"
    return f"alerts.{status}" if status in ("firing", "resolved") else "unknown"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a webhook of a contact point. Raises nothing but `Quarantined`."""
    root = parse_object(delivery.body)
    if not root.has("alerts"):
        detail = "alerts is absent; the legacy alerting of Grafana 10 and older tells no time and cannot be read"
        raise Quarantined("missing_field", detail)
    settings = {**DEFAULTS, **context.settings}
    external = (root.text_or_none("externalURL") or "").rstrip("/")
    source = base_url(settings) or external or ANYWHERE
    return told_alerts(root.items("alerts"), LINKS, source, settings)
