"""Calls of the Segment spec (track, page, screen, identify, group, alias), which several customer data tools send.

Only names and places that the spec fixes are known here; a connector adds what its own tool sends beside them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from pipeline.events.delivery import Context, Delivery, Observation, Translation
from pipeline.events.errors import ConfigError, Quarantined
from pipeline.events.ids import event_id
from pipeline.events.reading import Node, parse_json
from pipeline.events.tracked import Scalar, flatten, observation

#: Setting `unit` -> where the id of the unit is looked for, in this order.
UNITS: dict[str, tuple[tuple[str, ...], ...]] = {
    "user": (("userId",), ("anonymousId",)),
    "anonymous": (("anonymousId",), ("userId",)),
    "group": (("groupId",), ("context", "groupId")),
}
#: What the context tells of a call, but for the person and the device.
_CONTEXT = (
    ("active",), ("app",), ("campaign",), ("library",), ("locale",), ("os",), ("screen",), ("timezone",),
    ("device", "type"), ("device", "manufacturer"), ("device", "model"), ("page", "path"),
)  # fmt: skip
#: Traits that the spec reserves for who somebody is; compared without case and signs.
_PERSONAL = frozenset(
    (
        "address", "age", "anonymousid", "avatar", "birthday", "description", "email", "firstname", "gender", "id",
        "lastname", "name", "phone", "title", "userid", "username", "website",
    )
)  # fmt: skip


def read_calls(delivery: Delivery, context: Context, ignored: Collection[str] = ()) -> Translation:
    """Return the observations of a call, of a list of calls, or of a `batch` of them.

    `ignored` are types of calls to leave out beside `alias`. Raises `Quarantined`, for all of a batch if one of its
    calls cannot be read, and `ConfigError` for a setting `unit` that is none.
    """
    known = context.settings.get("unit", "").strip() or "user"
    if known not in UNITS:
        raise ConfigError(f"connectors.{delivery.connector}.settings.unit is {known!r}; write {', '.join(UNITS)}")
    found: dict[str, Observation] = {}
    left_out = None
    for call in _calls(Node(parse_json(delivery.body))):
        kind = type_of(call)
        if kind == "alias" or kind in ignored:
            left_out = left_out or kind
            continue
        one = _observation(call, kind, delivery.received_at, context, UNITS[known])
        found.setdefault(one.id, one)
    return Translation(observations=list(found.values()), ignored=None if found else left_out or "empty_batch")


def type_of(call: Node) -> str:
    """Return the type of a call in lower case; libraries of old called it `action`."""
    return (call.text_or_none("type") or call.text("action")).strip().lower()


def kind_of(body: bytes) -> str:
    """Return the type of a call, `batch`, or `call` for a body that cannot be read."""
    try:
        root = Node(parse_json(body))
        return "batch" if isinstance(root.value, list) or root.has("batch") else type_of(root) or "call"
    except Quarantined:
        return "call"


def _calls(root: Node) -> Iterator[Node]:
    if isinstance(root.value, list):
        yield from (item.child() for item in root.items())
    elif root.child().has("batch"):
        yield from (item.child() for item in root.items("batch"))
    else:
        yield root


def _observation(
    call: Node, kind: str, received_at: datetime, context: Context, units: tuple[tuple[str, ...], ...]
) -> Observation:
    name, properties = _told(call, kind)
    unit = next((found for path in units if (found := call.key_or_none(*path))), None)
    at, identity = _moment(call), call.key_or_none("messageId") or call.key_or_none("message_id")
    if at is None and identity is None:
        # Nothing but its content tells such a call from another, wherever and whenever it comes in.
        told = (f"{key}={properties[key]!r}" for key in sorted(properties))
        identity = event_id("call", name, context.actor(unit), *told)
    return observation(context, name=name, unit=unit, at=at or received_at, properties=properties, id=identity)


def _told(call: Node, kind: str) -> tuple[str, dict[str, Scalar]]:
    """Return the name under which a call is counted, and its properties."""
    match kind:
        case "track":
            name, own = call.text("event"), flatten(call.child_or_none("properties"))
        case "page" | "screen":
            named = {key: told for key in ("name", "category") if (told := call.text_or_none(key))}
            name, own = kind, flatten(call.child_or_none("properties")) | flatten(named)
        case "identify" | "group":
            traits = flatten(call.child_or_none("traits") or call.child_or_none("context", "traits"))
            name, own = kind, {key: value for key, value in traits.items() if not _is_personal(key)}
        case _:
            raise Quarantined("unknown_kind", f"{call.path or 'body'}.type is {kind!r}; it is no call of the spec")
    context = call.child_or_none("context")
    return name, _surroundings(context) | own if context else own


def _surroundings(context: Node) -> dict[str, Scalar]:
    told: dict[str, Scalar] = {}
    for path in _CONTEXT:
        above = context.child_or_none(*path[:-1]) if path[1:] else context
        if above is not None:
            told |= flatten({".".join(("context", *path)): above.at(path[-1]).value})
    return told


def _is_personal(name: str) -> bool:
    return any("".join(filter(str.isalnum, part)).lower() in _PERSONAL for part in name.split("."))


def _moment(call: Node) -> datetime | None:
    """Return when it happened: as the tool has corrected it, else by the device's clock as far as it can be."""
    timestamp = call.moment_or_none("timestamp", zoneless_utc=True)
    original, sent, received = (
        call.moment_or_none(name, zoneless_utc=True) for name in ("originalTimestamp", "sentAt", "receivedAt")
    )
    if timestamp is None and original and sent and received:
        try:
            return received - (sent - original)
        except OverflowError:
            return original
    return timestamp or original or received or sent
