"""Upcasts: how an event of an older type is read as the current one.

A released shape is never edited. When `dev.cdevents.change.merged.0.3.0` gets a successor, its struct moves to the new
type and an entry here maps the old type to the new one with a function over the decoded payload (a plain dict).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Upcast = tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]


def _unchanged(payload: dict[str, Any]) -> dict[str, Any]:
    return payload


#: Old event type -> (the type that replaced it, what to do with the payload).
UPCASTS: Mapping[str, Upcast] = {
    # CDEvents 0.4 names; 0.5 raised the version of `change.created` and left Leadline's payload as it was.
    "dev.cdevents.change.created.0.3.0": ("dev.cdevents.change.created.0.4.0", _unchanged),
}


def upcast(
    event_type: str, payload: dict[str, Any], table: Mapping[str, Upcast] = UPCASTS
) -> tuple[str, dict[str, Any]]:
    """Follow the chain of upcasts from `event_type` to a current type; returns both unchanged if there is none.

    Raises ValueError on a chain that returns to a type it has passed.
    """
    seen = {event_type}
    while (step := table.get(event_type)) is not None:
        event_type, convert = step
        if event_type in seen:
            raise ValueError(f"upcasts of {event_type} form a circle")
        seen.add(event_type)
        payload = convert(payload)
    return event_type, payload
