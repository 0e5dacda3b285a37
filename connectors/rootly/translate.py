"""Rootly's incidents -> canonical events."""

from __future__ import annotations

from datetime import datetime

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import REPORTED, RESOLVED, base_url, labels_of, place, tell
from pipeline.events.reading import Node, parse_json
from pipeline.events.types import IncidentEvent

ANYWHERE = "https://rootly.com"
_ABOUT = ("created", "updated", "in_triage", "mitigated", "resolved", "cancelled", "closed", "deleted")
INCIDENTS = frozenset(f"incident.{name}" for name in _ABOUT)
#: Families of events that neither begin nor end an incident.
_LEFT_OUT = (
    "incident.scheduled.", "incident_event.", "incident_post_mortem.", "incident_retrospective.",
    "incident_status_page", "incident_action_item.", "incident_form_field", "incident_role", "alert.", "pulse.",
    "genius_workflow_run.", "shift.", "audit_log.",
)  # fmt: skip
#: States of an incident that is over, and where the time of that is told, the best first.
_OVER = {
    "resolved": ("resolved_at", "mitigated_at"),
    "closed": ("resolved_at", "closed_at"),
    "completed": ("resolved_at", "closed_at"),
    "cancelled": ("cancelled_at",),
    "canceled": ("cancelled_at",),
}


def describe(body: bytes) -> tuple[str, str | None]:
    """Return (kind, the vendor's id of the event or None); never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, list):
            return "rest.incidents", None
        if isinstance(root.at("event").value, dict):
            return root.text("event", "type"), root.text_or_none("event", "id")
        return root.text_or_none("event_type") or "rest.incident", root.text_or_none("event_id")
    except Quarantined:
        return "unknown", None


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a webhook, or what the API answers: one incident or a list, bare or in `data`, plain or JSON:API.

    Raises nothing but `Quarantined`.
    """
    root = Node(parse_json(delivery.body))
    if isinstance(root.value, list):
        return _listed(root.items(), context)
    root = root.child()
    if isinstance(root.at("event").value, dict):
        return _webhook(root.text("event", "type"), root, context)
    if root.has("event_type"):
        return _webhook(root.text("event_type"), root, context)
    if isinstance(root.at("data").value, list):
        return _listed(root.items("data"), context)
    return _listed([root.child("data") if root.has("data") else root], context)


def _webhook(kind: str, root: Node, context: Context) -> Translation:
    family = next((family for family in _LEFT_OUT if kind.startswith(family)), None)
    if family is not None:
        return Translation(ignored=family.rstrip("."))
    if kind not in INCIDENTS:
        raise Quarantined("unknown_kind", f"event.type is {kind[:80]!r}, which Rootly does not document")
    deleted = root.moment("event", "issued_at") if kind == "incident.deleted" else None
    return _listed([root.child("data")], context, deleted)


def _listed(incidents: list[Node], context: Context, deleted: datetime | None = None) -> Translation:
    plain = [_plain(incident.child()) for incident in incidents]
    left_out = [reason for incident in plain if (reason := _no_incident(incident))]
    real = [incident for incident in plain if not _no_incident(incident)]
    if left_out and not real:
        return Translation(ignored=left_out[0])
    told = [event for incident in real for event in _told(incident, context, deleted)]
    return Translation(events=list({event.id: event for event in told}.values()))


def _plain(incident: Node) -> Node:
    """Return an incident with its fields beside its id, as JSON:API has them under `attributes`."""
    attributes = incident.child_or_none("attributes")
    if attributes is None or not isinstance(attributes.value, dict):
        return incident
    return Node({"id": incident.at("id").value, **attributes.value}, incident.path)


def _no_incident(incident: Node) -> str | None:
    kind = incident.text_or_none("kind") or "normal"
    if kind.startswith(("test", "example")):
        return "test"
    return "maintenance" if kind.startswith("scheduled") else None


def _told(incident: Node, context: Context, deleted: datetime | None) -> list[Event]:
    found = place(_labels(incident), context.settings)
    status = incident.text_or_none("status") or "started"
    began = [incident.moment_or_none(name) for name in ("detected_at", "started_at", "created_at")]
    data = IncidentEvent(
        incident=incident.key("id"),
        service=found.service or _only_name(incident, "services"),
        environment=_only_name(incident, "environments") or found.environment,
        severity=_name(incident.at("severity")) or found.severity,
        title=incident.text_or_none("title") or "",
        deployment=found.deployment,
        url=incident.text_or_none("url"),
    )
    marks = [
        (REPORTED, next((at for at in began if at is not None), None) or incident.moment("started_at")),
        (REPORTED, incident.moment_or_none("updated_at")),
        (RESOLVED, deleted or _ended(incident, status)),
    ]
    return tell(base_url(context.settings) or ANYWHERE, data, *marks)


def _ended(incident: Node, status: str) -> datetime | None:
    if status not in _OVER:
        return None
    told = [at for name in (*_OVER[status], "updated_at") if (at := incident.moment_or_none(name)) is not None]
    return told[0] if told else incident.moment(_OVER[status][0])


def _labels(incident: Node) -> dict[str, str]:
    """Return labels, which are an object or a list of objects with `key` and `value`."""
    if not isinstance(incident.at("labels").value, list):
        return labels_of(incident.child_or_none("labels"))
    pairs = [(item.text_or_none("key"), item.text_or_none("value")) for item in incident.items("labels")]
    return {key: value for key, value in pairs if key and value}


def _only_name(incident: Node, field: str) -> str | None:
    """Return the one name in a list of texts, objects or JSON:API objects; None where there are none or several."""
    listed = incident.at(field)
    listed = listed.at("data") if isinstance(listed.value, dict) else listed
    names = {name for item in listed.items() if (name := _name(item))}
    return next(iter(names)) if len(names) == 1 else None


def _name(node: Node) -> str | None:
    if not isinstance(node.value, dict):
        return node.text_or_none()
    inner = node.child_or_none("data") or node
    inner = inner.child_or_none("attributes") or inner
    return inner.text_or_none("slug") or inner.text_or_none("name")
