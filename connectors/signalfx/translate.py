"""Alerts of detectors of Splunk Observability Cloud -> canonical events."""

from __future__ import annotations

from pipeline.events.alerts import Alert, left_out
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import DETECTED, RESOLVED, base_url, labels_of, place, site_of, tell
from pipeline.events.reading import Node, parse_object
from pipeline.events.types import IncidentEvent

ANYWHERE = "urn:leadline:signalfx"
#: Status -> what it means.
STATUSES: dict[str, str] = {
    "anomalous": DETECTED,
    "ok": RESOLVED,
    "manually resolved": RESOLVED,
    "auto-resolved": RESOLVED,
    "stopped": RESOLVED,
}


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        status = _status(parse_object(body))
    except Quarantined:
        return "unknown"
    return f"alert.{status.replace(' ', '-')}" if status in STATUSES else "alert"


def _status(root: Node) -> str:
    told = root.text_or_none("statusExtended") or root.text_or_none("status") or ""
    return " ".join(told.casefold().replace("_", " ").split())


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate an alert in the default payload. Raises nothing but `Quarantined`."""
    root = parse_object(delivery.body)
    status = _status(root)
    if not status:
        raise Quarantined("missing_field", "statusExtended is absent or empty")
    if status not in STATUSES:
        raise Quarantined("bad_value", f"statusExtended is {status[:80]!r}; expected {', '.join(STATUSES)}")
    at, key = root.moment("timestamp"), root.key("incidentId")
    labels = {**labels_of(root.at("dimensions")), "severity": root.text_or_none("severity") or ""}
    title = root.text_or_none("rule") or root.text_or_none("detector") or root.text_or_none("eventType") or ""
    link = root.text_or_none("detectorUrl")
    for name in (title, root.text_or_none("detector") or title):
        alert = Alert(name=name, fingerprint=key, labels=labels, started=at, ended=None, url=link)
        why = left_out(alert, context.settings)
        if why is not None:
            return Translation(ignored=why)
    found = place(labels, context.settings)
    data = IncidentEvent(
        incident=key,
        service=found.service,
        environment=found.environment,
        severity=found.severity,
        title=title,
        deployment=found.deployment,
        url=link,
    )
    source = base_url(context.settings) or site_of(link) or ANYWHERE
    return Translation(events=tell(source, data, (STATUSES[status], at)))
