"""FireHydrant's incidents -> canonical events."""

from __future__ import annotations

from datetime import datetime

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import DETECTED, REPORTED, RESOLVED, base_url, labels_of, place, tags_of, tell
from pipeline.events.reading import Node, parse_json
from pipeline.events.types import IncidentEvent

ANYWHERE = "https://app.firehydrant.com"
INCIDENT = "incident"
#: Resources that tell of no incident, or only of a part of one that the incident itself tells.
LEFT_OUT = frozenset(
    {
        "alert", "change_event", "command_extension", "conversation_comment", "incident_event", "incident_note",
        "note", "ping", "retrospective", "scheduled_maintenance", "signals_alert", "task", "ticket",
    }
)  # fmt: skip
#: Milestones with which an incident is over, the best first.
_ENDS = ("resolved", "closed", "postmortem_started", "retrospective_started")
_OVER = frozenset({*_ENDS, "postmortem_completed", "retrospective_completed"})


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, list) or not root.has("event"):
            return "rest.incident"
        operation = (root.text_or_none("event", "operation") or "unknown").casefold()
        return f"{root.text('event', 'resource_type').casefold()}.{operation}"
    except Quarantined:
        return "unknown"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a webhook, or what the API answers: one incident or a list, bare or in `data`.

    Raises nothing but `Quarantined`.
    """
    root = Node(parse_json(delivery.body))
    if isinstance(root.value, list):
        return _joined(root.items(), context)
    root = root.child()
    if root.has("event"):
        resource = root.text("event", "resource_type").casefold()
        if resource in LEFT_OUT:
            return Translation(ignored=resource)
        if resource != INCIDENT:
            raise Quarantined("unknown_kind", f"event.resource_type is {resource[:80]!r}, which is not documented")
        return _joined([root.child("data", INCIDENT)], context)
    if isinstance(root.at("data").value, list):
        return _joined(root.items("data"), context)
    return _joined([root], context)


def _joined(incidents: list[Node], context: Context) -> Translation:
    told = [event for incident in incidents for event in _told(incident.child(), context)]
    return Translation(events=list({event.id: event for event in told}.values()))


def _told(incident: Node, context: Context) -> list[Event]:
    labels = tags_of(incident.texts("tag_list")) | labels_of(incident.child_or_none("labels"))
    found = place(labels, context.settings)
    times = _milestones(incident)
    data = IncidentEvent(
        incident=incident.key("id"),
        service=found.service or _only_name(incident, "services"),
        environment=_only_name(incident, "environments") or found.environment,
        severity=_name(incident.at("severity")) or _name(incident.at("priority")) or found.severity,
        title=incident.text_or_none("name") or "",
        deployment=found.deployment,
        url=incident.text_or_none("incident_url"),
    )
    began = times.get("started") or incident.moment_or_none("started_at") or incident.moment_or_none("created_at")
    marks = [
        (REPORTED, began or incident.moment("started_at")),
        (DETECTED, times.get("detected")),
        (REPORTED, incident.moment_or_none("updated_at")),
        (RESOLVED, _ended(incident, times)),
    ]
    return tell(base_url(context.settings) or ANYWHERE, data, *marks)


def _milestones(incident: Node) -> dict[str, datetime]:
    """Return when each milestone was first reached."""
    found: dict[str, datetime] = {}
    for milestone in incident.items("milestones"):
        name = milestone.text_or_none("type") or milestone.text_or_none("slug")
        at = milestone.moment_or_none("occurred_at")
        if name and at is not None:
            found[name] = min(at, found.get(name, at))
    return found


def _ended(incident: Node, times: dict[str, datetime]) -> datetime | None:
    """Return when it was over; None while the present milestone is an earlier one, as after it was opened again."""
    if (incident.text_or_none("current_milestone") or "started") not in _OVER:
        return None
    return next((times[name] for name in _ENDS if name in times), None) or incident.moment("updated_at")


def _only_name(incident: Node, field: str) -> str | None:
    """Return the one name in a list; None where there are none or several."""
    names = {name for item in incident.items(field) if (name := _name(item))}
    return next(iter(names)) if len(names) == 1 else None


def _name(node: Node) -> str | None:
    if not isinstance(node.value, dict):
        return node.text_or_none()
    return node.text_or_none("slug") or node.text_or_none("name")
