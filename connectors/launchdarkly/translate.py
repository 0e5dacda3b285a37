"""LaunchDarkly's entries of the audit log, flags and exported events -> canonical events and observations."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from connectors.launchdarkly.flags import (
    State,
    Told,
    base_of,
    environments,
    project_of,
    properties,
    state_in,
)
from connectors.launchdarkly.kinds import ASIDE, EXPOSED, FLAG_KINDS, OTHER_EXPORTS, OTHER_KINDS
from pipeline.events.delivery import Context, Delivery, Observation, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json
from pipeline.events.rollouts import NOBODY, UNKNOWN, distinct
from pipeline.events.tracked import Scalar, flatten, observation

_RESOURCE = re.compile(r"proj/(?P<project>[^:;/]+)[^:]*:env/(?P<environment>[^:;/]+)[^:]*:flag/(?P<flag>[^:;/]+)")
_SWITCHED = re.compile(r"\bturned (?:the flag )?(on|off)\b", re.IGNORECASE)


def kind_of(body: bytes) -> str:
    """Return what a body is about; never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, list):
            return "export"
        kind = root.text_or_none("kind")
        return kind or ("list" if root.has("items") else "unknown")
    except Quarantined:
        return "unknown"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate an entry of the audit log, a flag of the API, a list of either, or exported events.

    Raises nothing but `Quarantined`.
    """
    root = Node(parse_json(delivery.body))
    if isinstance(root.value, list):
        return _joined([_one(item.child(), context, alone=False) for item in root.items()])
    root = root.child()
    if root.has("items"):
        return _joined([_one(item.child(), context, alone=False) for item in root.items("items")])
    return _one(root, context, alone=True)


def _joined(parts: list[Translation]) -> Translation:
    events = distinct(event for part in parts for event in part.events)
    observations = [each for part in parts for each in part.observations]
    if events or observations:
        return Translation(events=events, observations=observations)
    return Translation(ignored=next((part.ignored for part in parts if part.ignored), "empty_list"))


def _one(root: Node, context: Context, *, alone: bool) -> Translation:
    kind = root.text("kind")
    if kind == "flag":
        return _entry(root, context, alone=alone)
    if kind in FLAG_KINDS:
        return Translation(events=_flag(root, context))
    if kind in (EXPOSED, "custom"):
        return Translation(observations=[_exported(root, kind, context)])
    if kind in OTHER_KINDS or kind in OTHER_EXPORTS:
        return Translation(ignored=kind)
    raise Quarantined("unknown_kind", f"kind is {kind[:80]!r}, which LaunchDarkly does not document")


def _entry(root: Node, context: Context, *, alone: bool) -> Translation:
    """Tell a flag as an entry shows it: in the environments that it is about, from its date on."""
    at, (project, key, about) = _date(root), _place(root)
    actions = _actions(root)
    flag = root.child_or_none("currentVersion") or root.child_or_none("previousVersion")
    member = root.child_or_none("member")
    told = Told(
        base=base_of(root, context.settings),
        project=project,
        key=key or root.text("key"),
        title=(flag and flag.text_or_none("name")) or root.text_or_none("name") or "",
        tags=(flag or root).texts("tags"),
        fields=properties(flag or root),
        body=root.text_or_none("comment") or "",
        actor=None if member is None else context.actor(member.text_or_none("email") or member.text_or_none("_id")),
    )
    gone = "deleteFlag" in actions
    if root.has("currentVersion") and flag is not None and not gone and environments(flag):
        return Translation(events=_states(told, flag, about, at))
    is_archived = root.child_or_none("currentVersion") is not None and root.child("currentVersion").flag("archived")
    state = "archived" if gone or is_archived else _said(root, actions)
    if state is not None:
        places = about or (environments(flag) if flag is not None else []) or [None]
        exposure = UNKNOWN if state == "on" else NOBODY
        return Translation(events=distinct(told.event(place, state, exposure, at) for place in places))
    if not alone:
        return Translation(ignored="summary")
    if actions and actions <= ASIDE:
        return Translation(ignored="no_rollout_change")
    raise Quarantined("missing_field", "currentVersion is absent: whether the flag is on cannot be told without it")


def _states(told: Told, flag: Node, about: list[str | None], at: datetime) -> list[Event]:
    known = environments(flag)
    events = []
    for name in [each for each in known if each in about] or known:
        state, exposure = state_in(flag, flag.child("environments", name))
        events.append(told.event(name, state, exposure, at))
    return events


def _flag(root: Node, context: Context) -> list[Event]:
    """Tell a flag of the API: in each environment, from its latest modification there on."""
    told = Told(
        base=base_of(root, context.settings),
        project=project_of(root),
        key=root.text("key"),
        title=root.text_or_none("name") or "",
        tags=root.texts("tags"),
        fields=properties(root),
        body=root.text_or_none("description") or "",
    )
    archived_at = root.moment_or_none("archivedDate") if root.flag("archived") else None
    events = []
    for name in environments(root):
        place = root.child("environments", name)
        state, exposure = state_in(root, place)
        events.append(told.event(name, state, exposure, archived_at or place.moment("lastModified")))
    if not events and archived_at is not None:
        return [told.event(None, "archived", NOBODY, archived_at)]
    if not events:
        raise Quarantined("missing_field", "environments is absent: whether the flag is on cannot be told without it")
    return events


def _date(root: Node) -> datetime:
    """Return when an entry was made: told as a number, as a text, or as an object of both."""
    for name in ("date", "timestamp"):
        found = root.at(name)
        if isinstance(found.value, dict):
            return found.moment("milliseconds") if found.has("milliseconds") else found.moment("rfc3339")
        if found.value is not None:
            return root.moment(name)
    raise Quarantined("missing_field", "date is absent or null")


def _place(root: Node) -> tuple[str | None, str | None, list[str | None]]:
    """Return (project, flag, environments that the entry is about); none: all of them."""
    told = [*root.items("accesses"), *([target] if (target := root.child_or_none("target")) else [])]
    texts = [text for each in told for text in [each.text_or_none("resource"), *each.texts("resources")] if text]
    found = [match for text in texts if (match := _RESOURCE.match(text))]
    if found:
        named = sorted({match["environment"] for match in found})
        return found[0]["project"], found[0]["flag"], [] if "*" in named else [*named]
    linked = project_of(root) or (project_of(target) if target else None)
    environment = root.text_or_none("project", "environment", "key")
    places: list[str | None] = [environment] if environment not in (None, "~", "*") else []
    return root.text_or_none("project", "key") or linked, root.text_or_none("key"), places


def _actions(root: Node) -> set[str]:
    told = [each.text_or_none("action") for each in root.items("accesses")]
    return {action for action in [*told, root.text_or_none("verbKind")] if action}


def _said(root: Node, actions: set[str]) -> State | None:
    """Return the state that the words of an entry tell, or None."""
    verb = (root.text_or_none("titleVerb") or "").casefold()
    if any("archived" in action.casefold() for action in actions) and verb.startswith("archived"):
        return "archived"
    if actions & {"createFlag", "cloneFlag"}:
        return "off"
    details = root.at("details")
    words = [verb, root.text_or_none("description"), details.text_or_none("plainText")]
    found = _SWITCHED.search("\n".join(word for word in words if word)[:10_000])
    if found is None:
        return None
    return "on" if found[1].casefold() == "on" else "off"


def _exported(root: Node, kind: str, context: Context) -> Observation:
    """Tell an evaluation of a flag, or what the application tracked by name."""
    key, at = root.text("key"), root.moment("creationDate")
    own: dict[str, Scalar] = {} if kind == EXPOSED else flatten(root.at("data"))
    for name in ("envId", "projId", "environment", "project"):
        own[name] = root.key_or_none(name)
    if kind == EXPOSED:
        own |= {"flag": key, "variation": root.integer_or_none("variation"), "variant": _value(root.at("value").value)}
    elif root.has("metricValue"):
        own |= flatten({"metricValue": root.at("metricValue").value})
    told = {name: value for name, value in own.items() if value is not None}
    name = EXPOSED if kind == EXPOSED else key
    return observation(context, name=name, unit=_unit(root, context), at=at, properties=told)


def _value(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode().strip('"')[:500]


def _unit(root: Node, context: Context) -> str | None:
    """Return the key of the context that counts as the unit."""
    wanted = context.settings.get("unit", "").strip() or "user"
    keys = root.child_or_none("contextKeys")
    if keys is not None:
        return keys.key_or_none(wanted)
    user = root.at("user")
    inner = user.key_or_none("key") if isinstance(user.value, dict) else None
    return root.key_or_none("contextKey") or root.key_or_none("userKey") or inner
