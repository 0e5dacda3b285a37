"""Sentry's issues and alerts -> canonical events."""

from __future__ import annotations

from datetime import datetime

from connectors.sentry.answers import deploys, issue_with_activity, source, tell_issue
from connectors.sentry.kinds import ALERTS, ISSUES, LEFT_OUT, resource_in
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import DETECTED, RESOLVED, listed, place, tell
from pipeline.events.reading import Node, parse_object, parse_time
from pipeline.events.types import IncidentEvent

#: When Sentry sent the message, in seconds: the only place that tells when an issue was resolved.
TIMESTAMP_HEADER = "sentry-hook-timestamp"


def kind_of(body: bytes, resource: str) -> str:
    """Return `<resource>.<action>` of a pushed message; never raises."""
    try:
        root = parse_object(body)
        named = resource or resource_in(root)
        action = root.text_or_none("action")
    except Quarantined:
        return resource or "unknown"
    return f"{named}.{action}" if named and action else named or "unknown"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a webhook, whose resource can be seen from what `data` holds, or what the poller read.

    Raises nothing but `Quarantined`.
    """
    root = parse_object(delivery.body)
    if root.has("release"):
        told = deploys(root, context)
        return Translation(events=told) if told else Translation(ignored="release")
    if root.has("issue") and not root.has("data"):
        return _level_counts(issue_with_activity(root, context), context)
    resource = resource_in(root)
    if resource in LEFT_OUT:
        return Translation(ignored=resource)
    sent = parse_time(delivery.headers.get(TIMESTAMP_HEADER), f"header {TIMESTAMP_HEADER}")
    match resource:
        case "issue":
            return _issue(root, sent, context)
        case "event_alert":
            return _level_counts(_event(root.child("data", "event"), context), context)
        case "metric_alert":
            return _metric_alert(root, sent, context)
        case "plugin":
            return _level_counts(_plugin(root, context), context)
        case _:
            raise Quarantined("unknown_kind", "data holds no resource that Sentry documents")


def _level_counts(events: list[Event], context: Context) -> Translation:
    levels = listed(context.settings.get("levels", ""))
    data = events[0].data
    if levels and isinstance(data, IncidentEvent) and (data.severity or "").casefold() not in levels:
        return Translation(ignored="levels")
    return Translation(events=events)


def _issue(root: Node, sent: datetime | None, context: Context) -> Translation:
    action, issue = root.text("action"), root.child("data", "issue")
    if action not in ISSUES:
        raise Quarantined("unknown_kind", f"action is {action[:80]!r}, which an issue of Sentry does not have")
    what = ISSUES[action]
    if what is None:
        return Translation(ignored=f"issue.{action}")
    marks = [] if what == DETECTED else [(what, sent or issue.moment("lastSeen"))]
    return _level_counts(tell_issue(issue, _tags(issue), context, *marks), context)


def _event(event: Node, context: Context) -> list[Event]:
    """Tell an event that set off an issue alert: its issue was seen to be an incident by then."""
    found = place(_tags(event), context.settings)
    link = event.text_or_none("web_url")
    data = IncidentEvent(
        incident=event.key("issue_id"),
        service=found.service or _project_in(event.text_or_none("url")),
        environment=event.text_or_none("environment") or found.environment,
        severity=event.text_or_none("level"),
        title=event.text_or_none("title") or "",
        deployment=found.deployment,
        url=link.partition("events/")[0] if link else None,
    )
    at = event.moment("datetime") if event.has("datetime") else event.moment("timestamp")
    return tell(source(context), data, (DETECTED, at))


def _plugin(root: Node, context: Context) -> list[Event]:
    """Tell what the webhooks plugin and service hooks send: an event inside its issue."""
    event = root.child("event")
    found = place(_tags(event), context.settings)
    data = IncidentEvent(
        incident=root.key("id"),
        service=found.service or root.text_or_none("project_slug") or root.text_or_none("project"),
        environment=event.text_or_none("environment") or found.environment,
        severity=root.text_or_none("level") or event.text_or_none("level"),
        title=event.text_or_none("title") or root.text_or_none("message") or "",
        deployment=found.deployment,
        url=root.text_or_none("url"),
    )
    at = event.moment("datetime") if event.has("datetime") else event.moment("timestamp")
    return tell(source(context), data, (DETECTED, at))


def _metric_alert(root: Node, sent: datetime | None, context: Context) -> Translation:
    data = root.child("data")
    alert = data.child("metric_alert") if data.has("metric_alert") else data.child("incident")
    action = root.text_or_none("action") or "critical"
    if action not in ALERTS:
        raise Quarantined("unknown_kind", f"action is {action[:80]!r}, which a metric alert of Sentry does not have")
    if ALERTS[action] is None:
        return Translation(ignored=f"metric_alert.{action}")
    projects = alert.texts("projects")
    found = place({}, context.settings)
    told = IncidentEvent(
        # Metric alerts and issues are numbered apart.
        incident=f"metric_alert/{alert.key('id')}",
        service=projects[0] if len(projects) == 1 else None,
        environment=alert.text_or_none("alert_rule", "environment") or found.environment,
        severity=None if ALERTS[action] == RESOLVED else action,
        title=alert.text_or_none("alert_rule", "name") or alert.text_or_none("title") or "",
        url=data.text_or_none("web_url"),
    )
    started = alert.moment_or_none("date_started") or alert.moment_or_none("date_detected")
    if ALERTS[action] == RESOLVED:
        ended = alert.moment_or_none("date_closed") or sent or alert.moment("date_closed")
        return Translation(events=tell(source(context), told, (DETECTED, started), (RESOLVED, ended)))
    return Translation(events=tell(source(context), told, (DETECTED, started or sent or alert.moment("date_started"))))


def _tags(node: Node) -> dict[str, str]:
    """Return tags, which Sentry writes as pairs or as objects with `key` and `value`."""
    found: dict[str, str] = {}
    for tag in node.items("tags"):
        if isinstance(tag.value, list):
            pair = [part for part in tag.value if isinstance(part, str)]
            key, value = pair if len(pair) == 2 else (None, None)
        else:
            key, value = tag.text_or_none("key"), tag.text_or_none("value")
        if key and value:
            found.setdefault(key, value)
    return found


def _project_in(link: str | None) -> str | None:
    """Return the project in an address such as `https://sentry.io/api/0/projects/<organization>/<project>/events/`."""
    _, found, rest = (link or "").partition("/projects/")
    parts = rest.split("/")
    return parts[1] if found and len(parts) > 2 else None
