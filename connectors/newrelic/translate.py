"""New Relic's issues and incidents -> canonical events."""

from __future__ import annotations

from datetime import datetime

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import DETECTED, RESOLVED, base_url, labels_of, place, tell
from pipeline.events.reading import Node, parse_object
from pipeline.events.types import IncidentEvent

ANYWHERE = "https://one.newrelic.com"
#: State -> whether the issue is over; None: left out.
STATES: dict[str, bool | None] = {
    "created": False,
    "activated": False,
    "open": False,
    "closed": True,
    "resolved": True,
    "acknowledged": None,
    "unacknowledged": None,
    "deactivated": None,
}


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        root = parse_object(body)
        issue, state = root.has("state"), _state(root)
    except Quarantined:
        return "unknown"
    return f"{'issue' if issue else 'incident'}.{state}"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate the message of a workflow (an issue) or of an old alert channel (an incident).

    Raises nothing but `Quarantined`.
    """
    root = parse_object(delivery.body)
    state = _state(root)
    if state not in STATES:
        raise Quarantined("unknown_kind", f"state is {state[:80]!r}, which New Relic does not document")
    over = STATES[state]
    if over is None:
        return Translation(ignored=state)
    told = _issue(root, context, over=over) if root.has("state") else _incident(root, context, over=over)
    return Translation(events=told)


def _state(root: Node) -> str:
    return (root.text("state") if root.has("state") else root.text("current_state")).casefold()


def _issue(root: Node, context: Context, *, over: bool) -> list[Event]:
    created = root.moment_or_none("createdAt") or root.moment_or_none("activatedAt")
    return tell(
        base_url(context.settings) or ANYWHERE,
        _data(root, root.key_or_none("issueId") or root.key("id"), root.text_or_none("issueUrl"), context),
        (DETECTED, created if created or over else root.moment("createdAt")),
        (RESOLVED, _closed(root) if over else None),
    )


def _closed(root: Node) -> datetime:
    return root.moment_or_none("closedAt") or root.moment("updatedAt")


def _incident(root: Node, context: Context, *, over: bool) -> list[Event]:
    """Tell an incident of an old channel, whose only time is that of the message."""
    key = root.key_or_none("incident_id") or root.key("id")
    data = _data(root, key, root.text_or_none("incident_url"), context)
    at = root.moment("timestamp")
    return tell(base_url(context.settings) or ANYWHERE, data, (RESOLVED if over else DETECTED, at))


def _data(root: Node, key: str, link: str | None, context: Context) -> IncidentEvent:
    labels = labels_of(root.child_or_none("tags")) | labels_of(root.child_or_none("labels"))
    for target in root.items("targets"):
        labels |= labels_of(target.child_or_none("labels"))
    found = place(labels_of(root) | labels, context.settings)
    titles = [root.at("title"), root.at("issueTitle"), root.at("condition_name"), root.at("conditionName")]
    return IncidentEvent(
        incident=key,
        service=found.service or _only_entity(root),
        environment=found.environment,
        severity=root.text_or_none("priority") or root.text_or_none("severity") or found.severity,
        title=next((text for title in titles if (text := _first_text(title))), ""),
        deployment=found.deployment,
        url=link,
    )


def _only_entity(root: Node) -> str | None:
    """Return the one entity that is concerned; None where there are none or several."""
    names = set(root.texts("impactedEntities")) | {
        name for target in root.items("targets") if (name := target.text_or_none("name"))
    }
    return next(iter(names)) if len(names) == 1 else None


def _first_text(title: Node) -> str | None:
    """Return a title, which is a text, or a list in templates that were copied from older ones."""
    if isinstance(title.value, list):
        return next(iter(title.texts()), None)
    return title.text_or_none()
