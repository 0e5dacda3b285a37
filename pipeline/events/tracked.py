"""Tracked events: what connectors of analytics tools have in common.

Such a tool tells what a unit (a user, an account, a session) did, with properties of any shape. Here they become
`Observation`s: the unit a pseudonym, the properties scalars under dotted names, in bounded number and without
addresses of people.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from math import isfinite

from pipeline.events.delivery import Context, Observation
from pipeline.events.ids import event_id
from pipeline.events.reading import Node

Scalar = str | int | float | bool | None

#: Properties deeper than this are left out; `a.b.c` has the depth 3.
MAX_DEPTH = 5
#: Of more properties than this the deepest are left out, and of equally deep ones the last by name.
MAX_PROPERTIES = 300
#: Longer texts are cut; no metric selects by a paragraph.
MAX_TEXT = 500

_ADDRESS = re.compile(r"[\w.+-]@[\w-]+\.\w")
_MAX_FLOAT = 10**308


def flatten(value: object, prefix: str = "") -> dict[str, Scalar]:
    """Return the scalars in a JSON object, or in the `Node` of one, under dotted names: `{"cart": {"n": 2}}` is
    `{"cart.n": 2}`.

    Elements of lists are named by index (`products.0.sku`). Left out are nulls, empty names, what exceeds the bounds,
    numbers that are not finite, and texts that hold an e-mail address. Integers of more than 64 bits become floats.
    Anything but an object has no properties. Where two have the same dotted name, the one that is less deep holds. The
    order of the keys does not matter. Never raises.
    """
    found: dict[str, Scalar] = {}
    root = value.value if isinstance(value, Node) else value
    if not isinstance(root, Mapping):
        return found
    todo: deque[tuple[str, Mapping[object, object] | list[object], int]] = deque([(prefix, root, 1)])
    while todo:
        path, parent, depth = todo.popleft()
        for name, child in _children(parent):
            dotted = f"{path}.{name}" if path else name
            if isinstance(child, Mapping | list):
                if depth < MAX_DEPTH:
                    todo.append((dotted, child, depth + 1))
            elif (told := _scalar(child)) is not None:
                found.setdefault(dotted, told)
                if len(found) == MAX_PROPERTIES:
                    return found
    return found


def observation(
    context: Context,
    *,
    name: str,
    unit: str | None,
    at: datetime,
    properties: Mapping[str, Scalar],
    id: str | None = None,  # noqa: A002 - the name of the field
) -> Observation:
    """Return the observation that `unit`, as the tool names it, did `name` at `at`.

    `id` is the tool's id of it, unique within the connector, by which a resent one is recognised. Where the tool has
    none, equal content is the same observation. A `unit` of None leaves the pseudonym empty: such an observation
    counts in sums and means, not in proportions.
    """
    who = context.actor(unit) or ""
    told = id or event_id(name, who, at.isoformat(), *(f"{key}={properties[key]!r}" for key in sorted(properties)))
    return Observation(id=told, name=name, unit=who, at=at, properties=properties)


def _scalar(value: object) -> Scalar:
    match value:
        case bool():
            return value
        case str():
            return None if "@" in value and _ADDRESS.search(value) else value[:MAX_TEXT]
        case int() if not -(2**63) <= value < 2**63:
            return float(value) if abs(value) < _MAX_FLOAT else None
        case float() if not isfinite(value):
            return None
        case int() | float():
            return value
        case _:
            return None


def _children(parent: Mapping[object, object] | list[object]) -> list[tuple[str, object]]:
    if isinstance(parent, list):
        return [(str(index), child) for index, child in enumerate(parent[:MAX_PROPERTIES])]
    named = ((name, child) for name, child in parent.items() if isinstance(name, str) and name)
    return sorted(named, key=lambda pair: pair[0])
