"""Datadog's alerts, events and incidents -> canonical events."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import DETECTED, REPORTED, RESOLVED, base_url, labels_of, place, site_of, tags_of, tell
from pipeline.events.reading import Node, parse_json
from pipeline.events.types import IncidentEvent

ANYWHERE = "https://app.datadoghq.com"
#: `$ALERT_TRANSITION` -> what it means; None: the alert goes on, so it is left out.
TRANSITIONS: dict[str, str | None] = {
    "triggered": DETECTED,
    "warn": DETECTED,
    "no data": DETECTED,
    "recovered": RESOLVED,
    "re-triggered": None,
    "re-warn": None,
    "re-no data": None,
    "renotify": None,
}
#: Type of an event -> what it means; None: it tells of no incident.
TYPES: dict[str, str | None] = {
    "error": DETECTED,
    "warning": DETECTED,
    "success": RESOLVED,
    "info": None,
    "user_update": None,
    "snapshot": None,
    "recommendation": None,
}
OVER = frozenset({"resolved", "completed"})


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, list) or root.has("data"):
            return "incident"
        transition = root.text_or_none("alert_transition")
    except Quarantined:
        return "unknown"
    return "alert." + transition.casefold().replace(" ", "-") if transition else "event"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate the message of a monitor (by the template in README.md), an event, or incidents of the API.

    Raises nothing but `Quarantined`.
    """
    root = Node(parse_json(delivery.body))
    if isinstance(root.value, list):
        return _joined(_incident(item, context) for item in root.items())
    root = root.child()
    if isinstance(root.at("data").value, list):
        return _joined(_incident(item, context) for item in root.items("data"))
    if root.has("data"):
        return _joined([_incident(root.child("data"), context)])
    if root.has("event") and isinstance(root.at("event").value, dict):
        root = root.child("event")
    return _alert(root, context) if root.has("alert_transition") else _event(root, context)


def _joined(told: Iterable[list[Event]]) -> Translation:
    return Translation(events=list({event.id: event for events in told for event in events}.values()))


def _alert(root: Node, context: Context) -> Translation:
    transition = root.text("alert_transition").casefold()
    if transition not in TRANSITIONS:
        raise Quarantined("unknown_kind", f"alert_transition is {transition[:80]!r}, which Datadog does not document")
    what = TRANSITIONS[transition]
    if what is None:
        return Translation(ignored=transition.replace(" ", "-"))
    # A cycle is one firing, from its first trigger to its recovery; a monitor has many.
    key = root.key_or_none("alert_cycle_key") or root.key_or_none("aggreg_key") or root.key("alert_id")
    at = root.moment("date") if root.has("date") else root.moment("last_updated")
    data = _data(root, key, root.text_or_none("link"), context)
    return Translation(events=tell(_source(root.text_or_none("link"), context), data, (what, at)))


def _event(root: Node, context: Context) -> Translation:
    kind = (root.text_or_none("alert_type") or "info").casefold()
    if kind not in TYPES:
        raise Quarantined("unknown_kind", f"alert_type is {kind[:80]!r}, which Datadog does not document")
    if _is_of_monitor(root):
        raise Quarantined("missing_field", "alert_transition is absent; give the webhook the payload of README.md")
    at = root.moment("date_happened") if root.has("date_happened") else root.moment("date")
    what, key = TYPES[kind], root.key_or_none("aggregation_key")
    # A success ends something only if it says what.
    if what is None or (what == RESOLVED and key is None):
        return Translation(ignored=f"event.{kind}")
    link = root.text_or_none("url")
    data = _data(root, key or root.key("id"), link, context)
    return Translation(events=tell(_source(link, context), data, (what, at)))


def _is_of_monitor(root: Node) -> bool:
    """Whether it is a monitor's message in Datadog's default payload, which says neither of which alert nor what."""
    kind = (root.text_or_none("event_type") or "").casefold()
    return not root.has("alert_type") and (kind.endswith(("_alert_monitor", "_alert")) or kind == "service_check")


def _data(root: Node, key: str, link: str | None, context: Context) -> IncidentEvent:
    found = place(_tags(root.at("tags")), context.settings)
    kind = root.text_or_none("alert_type")
    return IncidentEvent(
        incident=key,
        service=found.service,
        environment=found.environment,
        severity=root.text_or_none("alert_priority")
        or found.severity
        or (kind if kind in ("error", "warning") else None),
        title=root.text_or_none("alert_title") or root.text_or_none("title") or "",
        deployment=found.deployment,
        url=link,
    )


def _tags(tags: Node) -> dict[str, str]:
    """Return tags, which are a list in the API and one text with commas in a template."""
    return tags_of(tags.value.split(",")) if isinstance(tags.value, str) else tags_of(tags.texts())


def _source(link: str | None, context: Context) -> str:
    return base_url(context.settings) or site_of(link) or ANYWHERE


def _incident(item: Node, context: Context) -> list[Event]:
    """Tell an incident of Incident Management as the API shows it."""
    told = item.child("attributes")
    fields = {name: text for name in _names(told.at("fields")) if (text := _chosen(told.at("fields", name)))}
    found = place(fields, context.settings)
    key = told.key_or_none("public_id") or item.key("id")
    data = IncidentEvent(
        incident=f"incident/{key}",
        service=found.service or fields.get("services"),
        environment=found.environment,
        severity=told.text_or_none("severity") or found.severity,
        title=told.text_or_none("title") or "",
        deployment=found.deployment,
        url=f"{_source(None, context)}/incidents/{key}",
    )
    state = (told.text_or_none("state") or fields.get("state") or "active").casefold()
    ended = None
    if state in OVER:
        ended = told.moment_or_none("resolved") or told.moment("modified")
    marks = [
        (DETECTED, told.moment_or_none("detected")),
        (REPORTED, told.moment("created")),
        (REPORTED, told.moment_or_none("modified")),
        (RESOLVED, ended),
    ]
    return tell(_source(None, context), data, *marks)


def _names(fields: Node) -> list[str]:
    return list(fields.value) if isinstance(fields.value, dict) else []


def _chosen(field: Node) -> str | None:
    """Return the value of a field of an incident; None where it has none or several."""
    if not isinstance(field.value, dict):
        return None
    value = field.at("value")
    if isinstance(value.value, list):
        texts = value.texts()
        return texts[0] if len(texts) == 1 else None
    return next(iter(labels_of(Node({"value": value.value})).values()), None)
