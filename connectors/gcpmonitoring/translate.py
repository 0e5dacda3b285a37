"""Google Cloud Monitoring's incidents -> canonical events."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from pipeline.events.alerts import Alert, left_out
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import DETECTED, RESOLVED, base_url, labels_of, place, tell
from pipeline.events.reading import Node, parse_object
from pipeline.events.types import IncidentEvent

#: Labels of monitored resources that name a service, beside those of people.
DEFAULTS = {
    "service_labels": "service, service_name, app, application, component, module_id, function_name, container_name",
}
ANYWHERE = "urn:leadline:gcpmonitoring"
OPEN, CLOSED = "open", "closed"


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        state = _message(parse_object(body)).text_or_none("incident", "state")
    except Quarantined:
        return "unknown"
    return f"incident.{state.casefold()}" if state else "incident"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate the message of a webhook channel, or of a Pub/Sub channel with a push subscription.

    Raises nothing but `Quarantined`.
    """
    incident = _message(parse_object(delivery.body)).child("incident")
    settings = {**DEFAULTS, **context.settings}
    labels = _labels(incident)
    state = incident.text("state").casefold()
    if state not in (OPEN, CLOSED):
        raise Quarantined("bad_value", f"incident.state is {state[:80]!r}; expected {OPEN} or {CLOSED}")
    began = _moment(incident, "started_at")
    ended = _moment(incident, "ended_at") if state == CLOSED else None
    if began is None or (state == CLOSED and ended is None):
        name = "started_at" if began is None else "ended_at"
        raise Quarantined("missing_field", f"incident.{name} is absent or 0")
    key, title, url = incident.key("incident_id"), _title(incident), incident.text_or_none("url")
    names = (incident.text_or_none("policy_name"), incident.text_or_none("condition_name"))
    for name in [each for each in names if each] or [title]:
        alert = Alert(name=name, fingerprint=key, labels=labels, started=began, ended=ended, url=url)
        why = left_out(alert, settings)
        if why is not None:
            return Translation(ignored=why)
    found = place(labels, settings)
    data = IncidentEvent(
        incident=key,
        service=found.service,
        environment=found.environment,
        severity=found.severity,
        title=title,
        deployment=found.deployment,
        url=url,
    )
    project = incident.key_or_none("scoping_project_id")
    source = base_url(settings) or (f"//monitoring.googleapis.com/projects/{project}" if project else ANYWHERE)
    return Translation(events=tell(source, data, (DETECTED, began), (RESOLVED, ended)))


def _message(root: Node) -> Node:
    """Return the message, out of the envelope of Pub/Sub if it is in one."""
    data = root.text_or_none("message", "data") if isinstance(root.at("message").value, dict) else None
    if data is None:
        return root
    try:
        return parse_object(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError) as error:
        raise Quarantined("bad_json", f"message.data is no base64: {error}") from error


def _moment(incident: Node, name: str) -> datetime | None:
    """Return an instant; 0 is how the source says that there is none."""
    return None if incident.at(name).value in (0, "0") else incident.moment_or_none(name)


def _labels(incident: Node) -> dict[str, str]:
    """Return all labels; what people wrote on the policy and the resource goes before what the resource is."""
    groups = [
        ("resource", "labels"),
        ("metric", "labels"),
        ("metadata", "system_labels"),
        ("metadata", "user_labels"),
        ("policy_user_labels",),
    ]
    found: dict[str, str] = {}
    for group in groups:
        found |= labels_of(incident.child_or_none(*group))
    severity = incident.text_or_none("severity")
    return found if severity is None or severity.casefold() == "no severity" else {**found, "severity": severity}


def _title(incident: Node) -> str:
    """Return the name of the policy, or of its condition where the former is a path."""
    policy = incident.text_or_none("policy_name") or ""
    condition = incident.text_or_none("condition_name")
    if policy and not policy.startswith("projects/"):
        return policy
    return condition or incident.text_or_none("summary") or policy
