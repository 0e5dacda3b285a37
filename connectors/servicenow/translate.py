"""ServiceNow's incidents and change requests -> canonical events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from connectors.servicenow import changes
from connectors.servicenow.fields import choices, moment, site, text, texts
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import REOPENED, REPORTED, RESOLVED, base_url, listed, place, tell
from pipeline.events.reading import Node, parse_json
from pipeline.events.types import IncidentEvent

#: Where ServiceNow has what other tools have in labels. `caused_by` is the change request that caused the incident.
DEFAULTS = {
    "service_labels": "business_service, service_offering, cmdb_ci",
    "environment_labels": "u_environment, environment",
    "deployment_labels": "u_deployment, caused_by",
    "severity_labels": "priority, severity",
}
ANYWHERE = "urn:leadline:servicenow"
_INCIDENT, _CHANGE = "incident", "change_request"
#: Other classes of records that a rule may send: a task that is neither.
_NAMES = "change_task incident_task problem problem_task sc_req_item sc_request sc_task"
_LEFT_OUT = frozenset(_NAMES.split())
_OVER = frozenset({"6", "7", "8", "resolved", "closed", "canceled", "cancelled"})
_OPEN = frozenset({"1", "2", "3", "4", "5", "new", "in progress", "on hold", "active"})


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        root = Node(parse_json(body))
        record = root if isinstance(root.value, list) else root.at("result")
        return "rest.incidents" if record.value is not None else _class(root)
    except Quarantined:
        return "unknown"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate incidents and change requests: one record or a list, bare or in `result`.

    Raises nothing but `Quarantined`.
    """
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
        kind = _class(record.child())
        if kind in _LEFT_OUT:
            left_out = kind
        elif kind == _CHANGE:
            told = changes.tell(record, settings, ANYWHERE)
            left_out = told if isinstance(told, str) else left_out
            events.update((event.id, event) for event in told if isinstance(event, Event))
        elif kind != _INCIDENT:
            raise Quarantined("unknown_kind", f"sys_class_name is {kind[:80]!r}; expected {_INCIDENT} or {_CHANGE}")
        elif priorities and not choices(record, "priority") & set(priorities):
            left_out = "priorities"
        else:
            events.update((event.id, event) for event in _told(record, settings))
    return Translation(events=list(events.values())) if events else Translation(ignored=left_out)


def _class(record: Node) -> str:
    """Return the class of a record, which is displayed with capitals and spaces."""
    return (text(record, "sys_class_name") or _INCIDENT).casefold().replace(" ", "_")


def _told(record: Node, settings: Mapping[str, str]) -> list[Event]:
    found = place(texts(record), settings)
    key = text(record, "sys_id") or record.text("sys_id")
    host = base_url(settings) or site(record)
    data = IncidentEvent(
        incident=text(record, "number") or key,
        service=found.service,
        environment=found.environment,
        severity=found.severity,
        title=text(record, "short_description") or "",
        deployment=found.deployment,
        url=f"{host}/incident.do?sys_id={key}" if host else None,
    )
    return tell(
        host or ANYWHERE,
        data,
        (REPORTED, moment(record, "opened_at") or moment(record, "sys_created_on") or record.moment("opened_at")),
        (REPORTED, moment(record, "sys_updated_on")),
        (REOPENED, moment(record, "reopened_time")),
        (RESOLVED, _ended(record)),
    )


def _ended(record: Node) -> datetime | None:
    states = choices(record, "incident_state") or choices(record, "state") or {"1"}
    if states & _OPEN:
        return None
    if not states & _OVER:
        shown = min(states)[:80]
        raise Quarantined("bad_value", f"state is {shown!r}; expected one of ServiceNow's own states of incidents")
    told = (moment(record, name) for name in ("resolved_at", "closed_at", "sys_updated_on"))
    return next((at for at in told if at is not None), None) or record.moment("resolved_at")
