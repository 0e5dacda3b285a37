"""Attributes that any event of a thing may tell: the latest that tells one holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Told(msgspec.Struct, Generic[T], array_like=True):
    """A value and the (time, id) of the event that told it."""

    at: int
    event: str
    value: T


def later(held: Told[T] | None, at: int, event: str, value: T) -> Told[T]:
    """Return what holds of what was told before and what is told now: the later one."""
    return Told(at, event, value) if held is None or (at, event) > (held.at, held.event) else held


def latest(told: dict[str, Told[T]], at: int, event: str, values: Mapping[str, T | None]) -> None:
    """Keep those of `values` that are told (neither None nor empty) and later than what is held."""
    for name, value in values.items():
        if value:
            told[name] = later(told.get(name), at, event, value)


def earliest(instants: dict[str, int], name: str, at: int) -> None:
    """Keep the earliest instant of a name."""
    instants[name] = min(instants.get(name, at), at)
