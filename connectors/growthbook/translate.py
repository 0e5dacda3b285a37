"""GrowthBook's events, SDK payloads and API answers -> canonical events."""

from __future__ import annotations

from datetime import datetime

from connectors.growthbook.features import ANYWHERE, experiment_event, feature_events, split
from pipeline.events.coordination import RolloutChanged
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import base_url
from pipeline.events.reading import Node, parse_json, parse_object
from pipeline.events.rollouts import UNKNOWN, distinct, refs_of, tell

#: Events by which nobody is served anything else: those that begin so.
OTHER_EVENTS = (
    "feature.revision.",
    "feature.saferollout.",
    "feature.rampSchedule.",
    "experiment.info.",
    "experiment.decision.",
    "experiment.warning",
    "savedGroup.",
    "user.",
    "webhook.",
)
CHANGED = "payload.changed"
_OBJECTS = ("feature", "experiment")
_CHANGES = ("created", "updated", "deleted")


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        root = parse_object(body)
        told = root.text_or_none("event") or root.text_or_none("type")
    except Quarantined:
        return "unknown"
    return told or (CHANGED if _is_payload(root) else "unknown")


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate an event webhook, an SDK webhook in any format, or features or experiments of the API.

    Raises nothing but `Quarantined`.
    """
    root = parse_object(delivery.body)
    if root.has("event"):
        return _event(root, context)
    if root.has("type"):
        return _standard(root, context)
    if _is_payload(root):
        return _payload(root, root.moment_or_none("timestamp") or root.moment_or_none("dateUpdated"), context)
    if root.has("items"):
        return _edge_config(root, context)
    return _answer(root, context)


def _is_payload(root: Node) -> bool:
    return isinstance(root.value, dict) and (
        isinstance(root.value.get("features"), dict) or "encryptedFeatures" in root.value
    )


def _event(root: Node, context: Context) -> Translation:
    event = root.text("event")
    subject, _, change = event.partition(".")
    if subject not in _OBJECTS or change not in _CHANGES:
        family = next((each for each in OTHER_EVENTS if event.startswith(each)), None)
        if family is None:
            raise Quarantined("unknown_kind", f"event is {event[:80]!r}, which GrowthBook does not document")
        return Translation(ignored=family.rstrip("."))
    names = ("object", "previous") if change == "deleted" else ("object", "current")
    thing = next((found for name in names if (found := root.child_or_none("data", name))), None)
    if thing is None:
        raise Quarantined("missing_field", f"data.{names[0]} is absent or null")
    gone = change == "deleted"
    # A deletion is no change of the object, so only the event tells when it was.
    at = (root.moment_or_none("created") if gone else None) or thing.moment("dateUpdated")
    return Translation(events=_told(thing, subject, at, context, gone=gone))


def _told(thing: Node, subject: str, at: datetime, context: Context, *, gone: bool = False) -> list[Event]:
    if subject == "feature":
        return distinct(feature_events(thing, at, context, gone=gone))
    return [experiment_event(thing, at, context, gone=gone)]


def _answer(root: Node, context: Context) -> Translation:
    """Translate an answer of the API: one object or a page of them."""
    for subject in _OBJECTS:
        things = root.items(f"{subject}s") if root.has(f"{subject}s") else []
        if root.has(subject):
            things = [root.child(subject)]
        if things or root.has(f"{subject}s"):
            told = [_told(each.child(), subject, each.moment("dateUpdated"), context) for each in things]
            events = distinct(event for part in told for event in part)
            return Translation(events=events) if events else Translation(ignored="empty_list")
    raise Quarantined("unknown_kind", "the body is neither an event, nor an SDK payload, nor an answer of the API")


def _standard(root: Node, context: Context) -> Translation:
    told = root.text("type")
    if told != CHANGED:
        raise Quarantined("unknown_kind", f"type is {told[:80]!r}; expected {CHANGED}")
    if not root.has("data", "payload"):
        return Translation(ignored="without_payload")
    inner = root.at("data", "payload").value
    payload = Node(parse_json(inner.encode("utf-8", "surrogatepass")) if isinstance(inner, str) else inner).child()
    return _payload(payload, root.moment("timestamp"), context)


def _edge_config(root: Node, context: Context) -> Translation:
    """Translate the format for Vercel's Edge Config: payloads as values of keys."""
    parts = [
        _payload(each.child("value"), each.moment_or_none("value", "dateUpdated"), context)
        for each in root.items("items")
    ]
    events = distinct(event for part in parts for event in part.events)
    return Translation(events=events) if events else Translation(ignored="without_payload")


def _payload(payload: Node, at: datetime | None, context: Context) -> Translation:
    """Tell the features that an SDK connection serves: all of them are on."""
    if not payload.has("features"):
        raise Quarantined("missing_field", "features is absent; an encrypted payload cannot be read")
    features = payload.child("features")
    names = sorted(features.value) if isinstance(features.value, dict) else []
    if not names:
        return Translation(ignored="without_features")
    at = at or payload.moment_or_none("dateUpdated")
    if at is None:
        detail = "timestamp is absent; choose the format *Standard* for the SDK webhook, which tells one"
        raise Quarantined("missing_field", detail)
    return Translation(events=distinct(_served(name, features.child(name), at, context) for name in names))


def _served(key: str, feature: Node, at: datetime, context: Context) -> Event:
    default = feature.at("defaultValue").value
    exposure = UNKNOWN if default is None else split(feature.items("rules"), default)
    base = base_url(context.settings) or ANYWHERE
    data = RolloutChanged(
        rollout=key,
        state="on",
        environment=context.settings.get("environment", "").strip() or None,
        exposure=exposure.share,
        variants=exposure.variants,
        refs=refs_of(key, None, labels=()),
        url=f"{base}/features/{key}",
    )
    return tell(base, data, at)
