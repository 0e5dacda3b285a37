"""Statuspage's incidents -> canonical events.

Every delivery repeats the whole incident with all of its updates, so each is told completely, and the copies agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import REOPENED, REPORTED, RESOLVED, base_url, labels_of, place, tell
from pipeline.events.reading import Node, parse_json
from pipeline.events.types import IncidentEvent

OPEN = frozenset({"investigating", "identified", "monitoring"})
_OVER = frozenset({"resolved", "postmortem"})
_MAINTENANCE = frozenset({"scheduled", "in_progress", "verifying", "completed"})
_FINE = frozenset({"operational", "under_maintenance"})


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, list) or root.has("incidents"):
            return "rest.incidents"
        named = next((name for name in ("component_update", "incident") if root.has(name)), None)
    except Quarantined:
        return "unknown"
    return named or "rest.incident"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a webhook, or what the API answers: one incident, a list, or either in `incident` or `incidents`.

    Raises nothing but `Quarantined`.
    """
    root = Node(parse_json(delivery.body))
    if isinstance(root.value, list):
        return _incidents(root.items(), root, context)
    root = root.child()
    if root.has("component_update"):
        return Translation(ignored="component_update")
    if root.has("incidents"):
        return _incidents(root.items("incidents"), root, context)
    return _incidents([root.child("incident") if root.has("incident") else root], root, context)


def _incidents(incidents: list[Node], root: Node, context: Context) -> Translation:
    real = [incident for incident in incidents if not _is_maintenance(incident.child())]
    if incidents and not real:
        return Translation(ignored="maintenance")
    told = [event for incident in real for event in _told(incident, root, context)]
    return Translation(events=list({event.id: event for event in told}.values()))


def _is_maintenance(incident: Node) -> bool:
    status = incident.text("status")
    if status not in OPEN | _OVER | _MAINTENANCE:
        raise Quarantined("bad_value", f"{incident.path or 'body'}.status is {status[:80]!r}, which is not documented")
    return status in _MAINTENANCE or incident.has("scheduled_for")


def _told(incident: Node, root: Node, context: Context) -> list[Event]:
    updates = incident.items("incident_updates")
    found = place(labels_of(incident.child_or_none("metadata")), context.settings)
    data = IncidentEvent(
        incident=incident.key("id"),
        service=found.service or _service(incident, updates),
        environment=found.environment,
        severity=incident.text_or_none("impact_override") or incident.text_or_none("impact"),
        title=incident.text_or_none("name") or "",
        deployment=found.deployment,
        url=incident.text_or_none("shortlink"),
    )
    reopened = [(REOPENED, at) for at in _reopenings(updates)]
    return tell(
        _source(incident, root, context),
        data,
        (REPORTED, incident.moment("created_at")),
        (REPORTED, incident.moment_or_none("updated_at")),
        (RESOLVED, _resolved(incident, updates)),
        *reopened,
    )


def _source(incident: Node, root: Node, context: Context) -> str:
    """Return the page, of which a webhook tells the id twice and the API once."""
    base = base_url(context.settings)
    if base:
        return base
    page = incident.key_or_none("page_id")
    if page is None and isinstance(root.value, dict):
        page = root.key_or_none("page", "id")
    return f"https://api.statuspage.io/v1/pages/{page[:100]}" if page else "https://api.statuspage.io"


def _resolved(incident: Node, updates: list[Node]) -> datetime | None:
    if incident.text("status") not in _OVER:
        return None
    told = incident.moment_or_none("resolved_at")
    if told is not None:
        return told
    ends = [at for at, status in _history(updates) if status == "resolved"]
    return max(ends) if ends else incident.moment("updated_at")


def _history(updates: list[Node]) -> list[tuple[datetime, str]]:
    return sorted((update.moment("created_at"), update.text("status")) for update in updates)


def _reopenings(updates: list[Node]) -> Iterator[datetime]:
    """Yield when an incident went on after it had been resolved."""
    over = False
    for at, status in _history(updates):
        if over and status in OPEN:
            yield at
        over = status in _OVER


def _service(incident: Node, updates: list[Node]) -> str | None:
    """Return the one component that was affected, or the only one that is named; None where it could be several.

    What was affected is read from the updates, since at the end all components work again.
    """
    affected = {
        name
        for update in updates
        for part in update.items("affected_components")
        if _went_down(part) and (name := part.text_or_none("name"))
    }
    named = {name for part in incident.items("components") if (name := part.text_or_none("name"))}
    return next((next(iter(found)) for found in (affected, named) if len(found) == 1), None)


def _went_down(part: Node) -> bool:
    return any((part.text_or_none(field) or "operational") not in _FINE for field in ("old_status", "new_status"))
