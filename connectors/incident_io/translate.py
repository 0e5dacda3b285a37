"""incident.io's incidents -> canonical events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import REOPENED, REPORTED, RESOLVED, base_url, listed, place, site_of, tell, whole_second
from pipeline.events.reading import Node, parse_json
from pipeline.events.types import IncidentEvent

_ABOUT = ("created", "updated", "created_v2", "updated_v2", "status_updated_v2")
INCIDENTS = frozenset(f"public_incident.incident_{name}" for name in _ABOUT)
#: Families of events that tell of no incident, or only of the id of a private one.
_LEFT_OUT = (
    "public_incident.action_", "public_incident.follow_up_", "public_incident.incident_role_",
    "public_incident.incident_update_", "public_incident.incident_membership_", "public_incident.incident_attachment_",
    "private_incident.", "public_alert.", "private_alert.", "public_escalation.", "private_escalation.",
    "public_schedule.", "public_post_mortem.", "public_postmortem.", "alert.", "escalation.", "schedule.", "catalog.",
)  # fmt: skip
#: Names of the timestamps at which an incident counts as over, the best first.
DEFAULTS = {"resolved_timestamps": "Resolved at, Fixed at, Closed at"}
#: Categories of the status of an incident that is over, or turned out to be none.
_OVER = frozenset({"learning", "closed", "declined", "merged", "canceled", "cancelled"})
#: Modes of incidents that never happened.
_EXERCISES = frozenset({"test", "tutorial"})
ANYWHERE = "https://app.incident.io"
#: What happened to an incident, and when.
Mark = tuple[str, datetime | None]


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        root = Node(parse_json(body))
        return "rest.incidents" if isinstance(root.value, list) else root.text_or_none("event_type") or "rest.incident"
    except Quarantined:
        return "unknown"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a webhook, or what the API answers: one incident, a list, or either in `incident` or `incidents`.

    Beside one incident may stand its `incident_updates`. Raises nothing but `Quarantined`.
    """
    root = Node(parse_json(delivery.body))
    if isinstance(root.value, list):
        return _joined(root.items(), context)
    root = root.child()
    kind = root.text_or_none("event_type")
    if kind is not None:
        return _webhook(root, kind, context)
    if root.has("incidents"):
        return _joined(root.items("incidents"), context)
    incident = root.child("incident") if root.has("incident") else root
    return _joined([incident], context, _history(root.items("incident_updates")))


def _webhook(root: Node, kind: str, context: Context) -> Translation:
    family = next((family for family in _LEFT_OUT if kind.startswith(family)), None)
    if family is not None:
        return Translation(ignored=family.rstrip("._"))
    if kind not in INCIDENTS:
        raise Quarantined("unknown_kind", f"event_type is {kind[:80]!r}, which incident.io does not document")
    subject = root.child(kind)
    incident = subject.child("incident") if subject.has("incident") else subject
    if _is_exercise(incident):
        return Translation(ignored="test")
    reopened_at = incident.moment("updated_at") if _is_reopened(subject) else None
    return Translation(events=_told(incident, context, [(REOPENED, whole_second(reopened_at))]))


def _joined(incidents: list[Node], context: Context, history: Sequence[Mark] = ()) -> Translation:
    real = [incident for incident in incidents if not _is_exercise(incident)]
    if incidents and not real:
        return Translation(ignored="test")
    told = [event for incident in real for event in _told(incident, context, history)]
    return Translation(events=list({event.id: event for event in told}.values()))


def _is_exercise(incident: Node) -> bool:
    return (incident.text_or_none("mode") or "") in _EXERCISES


def _is_reopened(subject: Node) -> bool:
    before = subject.text_or_none("previous_status", "category")
    after = subject.text_or_none("new_status", "category")
    return before in _OVER and after is not None and after not in _OVER


def _history(updates: list[Node]) -> list[Mark]:
    """Return the reopenings that updates tell of, each with the end before it.

    In whole seconds: an update is written a little before or after the incident that a webhook shows changed.
    """
    told = sorted(
        (update.moment("created_at"), category)
        for update in updates
        if (category := update.text_or_none("new_incident_status", "category"))
    )
    marks: list[Mark] = []
    ended_at = None
    for at, category in told:
        if ended_at is not None and category not in _OVER:
            marks += [(RESOLVED, whole_second(ended_at)), (REOPENED, whole_second(at))]
            ended_at = None
        elif ended_at is None and category in _OVER:
            ended_at = at
    return marks


def _told(incident: Node, context: Context, history: Sequence[Mark]) -> list[Event]:
    settings = {**DEFAULTS, **context.settings}
    found = place(_fields(incident), settings)
    link = incident.text_or_none("permalink")
    data = IncidentEvent(
        incident=incident.key("id"),
        service=found.service,
        environment=found.environment,
        severity=incident.text_or_none("severity", "name") or found.severity,
        title=incident.text_or_none("name") or "",
        deployment=found.deployment,
        url=link,
    )
    updated = incident.moment_or_none("updated_at")
    marks: list[Mark] = [(REPORTED, incident.moment("created_at")), (REPORTED, updated)]
    marks += history
    if _status(incident) in _OVER:
        ended = next(_timestamps(incident, listed(settings["resolved_timestamps"])), None)
        marks.append((RESOLVED, ended or updated or incident.moment("updated_at")))
    return tell(base_url(settings) or site_of(link) or ANYWHERE, data, *marks)


def _status(incident: Node) -> str | None:
    """Return the category of the status; the first version of the API has a plain text."""
    return incident.text_or_none("incident_status", "category") or incident.text_or_none("status")


def _timestamps(incident: Node, names: tuple[str, ...]) -> Iterator[datetime]:
    """Yield the times of the named timestamps that were set, in the order of `names`."""
    values = incident.items("incident_timestamp_values")
    for name in names:
        for entry in values:
            if (entry.text_or_none("incident_timestamp", "name") or "").casefold() == name:
                at = entry.moment_or_none("value", "value")
                if at is not None:
                    yield at


def _fields(incident: Node) -> dict[str, str]:
    """Return the custom fields that have exactly one value, by their names."""
    found: dict[str, str] = {}
    for entry in incident.items("custom_field_entries"):
        name = entry.text_or_none("custom_field", "name")
        values = [text for value in entry.items("values") if (text := _value(value))]
        if name and len(values) == 1:
            found.setdefault(name, values[0])
    return found


def _value(value: Node) -> str | None:
    for place_of in (("value_catalog_entry", "name"), ("value_option", "value"), ("value_text",), ("value_link",)):
        text = value.text_or_none(*place_of)
        if text:
            return text
    return None
