"""PagerDuty's webhooks and REST incidents -> canonical events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import (
    DETECTED,
    REOPENED,
    REPORTED,
    RESOLVED,
    base_url,
    labels_of,
    place,
    site_of,
    tell,
    whole_second,
)
from pipeline.events.reading import Node, parse_json
from pipeline.events.types import IncidentEvent

V3 = {
    "incident.triggered": DETECTED,
    "incident.reopened": REOPENED,
    "incident.resolved": RESOLVED,
    "incident.priority_updated": REPORTED,
    "incident.service_updated": REPORTED,
}
V2 = {"incident.trigger": DETECTED, "incident.resolve": RESOLVED}

_NAMES = """
    incident.acknowledged incident.action_invocation.created incident.action_invocation.terminated
    incident.action_invocation.updated incident.annotated incident.conference_bridge.updated
    incident.custom_field_values.updated incident.delegated incident.escalated incident.incident_type.changed
    incident.note.deleted incident.note.updated incident.reassigned incident.responder.added
    incident.responder.replied incident.role.assigned incident.status_update_published incident.task.created
    incident.task.updated incident.unacknowledged incident.workflow.completed incident.workflow.started
    alert.acknowledged alert.resolved alert.triggered
    pagey.ping service.created service.custom_field_values.updated service.deleted service.updated
    incident.acknowledge incident.annotate incident.assign incident.custom incident.delegate incident.escalate
    incident.unacknowledge
"""

#: All other events of PagerDuty: none of them begins, ends or re-labels an incident.
LEFT_OUT = frozenset(_NAMES.split())

_REFERENCE = "incident_reference"

#: Incidents that tell no link of theirs belong to this source.
ANYWHERE = "https://api.pagerduty.com"


def describe(body: bytes) -> tuple[str, str | None]:
    """Return (kind, the vendor's id of the event or None); never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, dict) and root.has("event"):
            return root.text("event", "event_type"), root.text_or_none("event", "id")
        if isinstance(root.value, dict) and root.has("messages"):
            messages = root.items("messages")
            return (messages[0].text("event"), messages[0].text_or_none("id")) if messages else ("unknown", None)
        listed = isinstance(root.value, list) or root.has("incidents")
    except Quarantined:
        return "unknown", None
    return ("rest.incidents" if listed else "rest.incident"), None


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery; what it is can be seen from its body. Raises nothing but `Quarantined`."""
    root = Node(parse_json(delivery.body))
    if isinstance(root.value, list):
        return _snapshots(root.items(), context)
    root = root.child()
    if root.has("event"):
        return _v3(root.child("event"), context)
    if root.has("messages"):
        return _v2(root.items("messages"), context)
    if root.has("incidents"):
        return _snapshots(root.items("incidents"), context)
    return _snapshots([root.child("incident") if root.has("incident") else root], context)


def _snapshots(incidents: list[Node], context: Context) -> Translation:
    """Translate incidents of the API; a mere reference to one, as notes and status updates hold it, tells nothing."""
    whole = [incident for incident in incidents if incident.child().text_or_none("type") != _REFERENCE]
    if incidents and not whole:
        return Translation(ignored=_REFERENCE)
    told = [event for incident in whole for event in _snapshot(incident, context)]
    return Translation(events=list({event.id: event for event in told}.values()))


def _v3(event: Node, context: Context) -> Translation:
    kind = event.text("event_type")
    if kind in LEFT_OUT:
        return Translation(ignored=kind)
    if kind not in V3:
        raise Quarantined("unknown_kind", f"event.event_type is {kind[:80]!r}, which PagerDuty does not document")
    return Translation(events=_told(event.child("data"), V3[kind], event.moment("occurred_at"), context))


def _v2(messages: list[Node], context: Context) -> Translation:
    """Translate the messages of a V2 webhook; those of other kinds are left out."""
    events: list[Event] = []
    kinds = [message.text("event") for message in messages]
    for kind, message in zip(kinds, messages, strict=True):
        if kind in V2:
            events += _told(message.child("incident"), V2[kind], message.moment("created_on"), context)
        elif kind not in LEFT_OUT:
            raise Quarantined("unknown_kind", f"{message.path}.event is {kind[:80]!r}, which PagerDuty does not have")
    if events or not kinds:
        return Translation(events=list({event.id: event for event in events}.values()))
    return Translation(ignored=kinds[0])


def _told(incident: Node, what: str, at: datetime, context: Context) -> list[Event]:
    """Tell what a webhook says happened `at`, and what the incident in it says of itself.

    Webhooks have milliseconds, the API whole seconds; both are cut to the second, so that copies of a change are one.
    """
    times = _own_times(incident)
    times[what] = times.get(what) or whole_second(at)
    return _tell(incident, times, context)


def _own_times(incident: Node) -> dict[str, datetime | None]:
    names = {DETECTED: "created_at", REOPENED: "reopened_at", RESOLVED: "resolved_at"}
    return {what: whole_second(incident.moment_or_none(name)) for what, name in names.items()}


def _snapshot(incident: Node, context: Context) -> list[Event]:
    """Tell an incident as the REST API shows it, with its log if it was asked for."""
    times = _own_times(incident.child())
    times[DETECTED] = whole_second(incident.moment("created_at"))
    times[REPORTED] = whole_second(incident.moment_or_none("updated_at"))
    if incident.text("status") == "resolved":
        times[RESOLVED] = times[RESOLVED] or whole_second(incident.moment("last_status_change_at"))
    else:
        times[RESOLVED] = None
    log = {"resolve_log_entry": RESOLVED, "reopen_log_entry": REOPENED}
    entries = [
        (log[kind], whole_second(entry.moment("created_at")))
        for entry in incident.items("log_entries")
        if (kind := entry.text_or_none("type")) in log
    ]
    return _tell(incident, times, context, entries)


def _tell(
    incident: Node,
    times: Mapping[str, datetime | None],
    context: Context,
    more: Iterable[tuple[str, datetime | None]] = (),
) -> list[Event]:
    labels = labels_of(incident.child_or_none("first_trigger_log_entry", "channel", "details"))
    labels |= labels_of(incident.child_or_none("body", "details"))
    found = place(labels, context.settings)
    link = incident.text_or_none("html_url")
    data = IncidentEvent(
        incident=incident.key("id"),
        service=found.service or _name(incident, "service"),
        environment=found.environment,
        severity=_name(incident, "priority") or incident.text_or_none("urgency"),
        title=incident.text_or_none("title") or incident.text_or_none("summary") or "",
        deployment=found.deployment,
        url=link,
    )
    source = base_url(context.settings) or site_of(link) or ANYWHERE
    return tell(source, data, *times.items(), *more)


def _name(incident: Node, field: str) -> str | None:
    return incident.text_or_none(field, "summary") or incident.text_or_none(field, "name")
