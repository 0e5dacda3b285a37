"""ServiceNow's incidents -> canonical events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import REOPENED, REPORTED, RESOLVED, base_url, listed, place, site_of, tell
from pipeline.events.reading import Node, parse_json, parse_time
from pipeline.events.types import IncidentEvent

#: Where ServiceNow has what other tools have in labels. `caused_by` is the change request that caused the incident.
DEFAULTS = {
    "service_labels": "business_service, service_offering, cmdb_ci",
    "environment_labels": "u_environment, environment",
    "deployment_labels": "u_deployment, caused_by",
    "severity_labels": "priority, severity",
}
ANYWHERE = "urn:leadline:servicenow"
_INCIDENT = "incident"
#: Other classes of records that a rule may send: a task that is no incident.
_NAMES = "change_request change_task incident_task problem problem_task sc_req_item sc_request sc_task"
_LEFT_OUT = frozenset(_NAMES.split())
_OVER = frozenset({"6", "7", "8", "resolved", "closed", "canceled", "cancelled"})
_OPEN = frozenset({"1", "2", "3", "4", "5", "new", "in progress", "on hold", "active"})


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        root = Node(parse_json(body))
        record = root if isinstance(root.value, list) else root.at("result")
        return "rest.incidents" if record.value is not None else _text(root, "sys_class_name") or _INCIDENT
    except Quarantined:
        return "unknown"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate records of the incident table: one or a list, bare or in `result`. Raises nothing but `Quarantined`."""
    root = Node(parse_json(delivery.body))
    if isinstance(root.value, list):
        return _records(root.items(), context)
    root = root.child()
    if isinstance(root.at("result").value, list):
        return _records(root.items("result"), context)
    return _records([root.child("result") if root.has("result") else root], context)


def _records(records: list[Node], context: Context) -> Translation:
    settings = {**DEFAULTS, **{name: value for name, value in context.settings.items() if value.strip()}}
    priorities = listed(settings.get("priorities", ""))
    events: dict[str, Event] = {}
    left_out = "no_records"
    for record in records:
        kind = _text(record.child(), "sys_class_name") or _INCIDENT
        if kind in _LEFT_OUT:
            left_out = kind
        elif kind != _INCIDENT:
            raise Quarantined("unknown_kind", f"sys_class_name is {kind[:80]!r}; expected {_INCIDENT}")
        elif priorities and not set(listed(_text(record, "priority") or "")) & set(priorities):
            left_out = "priorities"
        else:
            events.update((event.id, event) for event in _told(record, settings))
    return Translation(events=list(events.values())) if events else Translation(ignored=left_out)


def _told(record: Node, settings: Mapping[str, str]) -> list[Event]:
    fields = record.value if isinstance(record.value, dict) else {}
    found = place({name: text for name in fields if (text := _text(record, name))}, settings)
    key = _text(record, "sys_id") or record.text("sys_id")
    site = base_url(settings) or next((site for name in fields if (site := _site(record.at(name)))), None)
    data = IncidentEvent(
        incident=_text(record, "number") or key,
        service=found.service,
        environment=found.environment,
        severity=found.severity,
        title=_text(record, "short_description") or "",
        deployment=found.deployment,
        url=f"{site}/incident.do?sys_id={key}" if site else None,
    )
    return tell(
        site or ANYWHERE,
        data,
        (REPORTED, _moment(record, "opened_at") or _moment(record, "sys_created_on") or record.moment("opened_at")),
        (REPORTED, _moment(record, "sys_updated_on")),
        (REOPENED, _moment(record, "reopened_time")),
        (RESOLVED, _ended(record)),
    )


def _ended(record: Node) -> datetime | None:
    state = (_text(record, "incident_state") or _text(record, "state") or "1").casefold()
    if state in _OPEN:
        return None
    if state not in _OVER:
        raise Quarantined("bad_value", f"state is {state[:80]!r}; expected one of ServiceNow's own states of incidents")
    told = (_moment(record, name) for name in ("resolved_at", "closed_at", "sys_updated_on"))
    return next((at for at in told if at is not None), None) or record.moment("resolved_at")


def _text(record: Node, field: str) -> str | None:
    """Return a field: a text, or with `sysparm_display_value=all` an object of which the displayed text counts."""
    place_of = record.at(field)
    if isinstance(place_of.value, dict):
        return place_of.text_or_none("display_value") or place_of.key_or_none("value")
    return place_of.key_or_none() if isinstance(place_of.value, str | int) else None


def _moment(record: Node, field: str) -> datetime | None:
    """Return a time, which ServiceNow writes without a zone; the stored value is UTC, the displayed one is not."""
    place_of = record.at(field)
    told = place_of.at("value") if isinstance(place_of.value, dict) else place_of
    return parse_time(told.value, told.path, zoneless_utc=True)


def _site(field: Node) -> str | None:
    return site_of(field.text_or_none("link")) if isinstance(field.value, dict) else None
