"""One-to-many relations in keyed state, written at constant cost however many members one side has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from pipeline.facts.state import State

#: Members in one object. A fan of 10,000 is 157 objects, and adding to it rewrites one of at most this many.
CHUNK = 64


class Fan(msgspec.Struct, array_like=True):
    """The newest members, and how many full chunks of older ones stand beside them."""

    items: list[str] = []
    full: int = 0


class Fans:
    """Sets that only grow.

    A member that has moved away stays listed: readers check each member's own side of the relation, so nothing has to
    be searched for and removed.
    """

    def __init__(self, state: State, name: str) -> None:
        self._table = state.table(name, Fan)

    def add(self, name: str, item: str) -> None:
        """Add a member. One that is already among the newest is not added twice; elsewhere a repeat is harmless."""
        fan = self._table.get(name)
        if fan is None:
            fan = Fan(items=[])
        if item in fan.items:
            return
        if len(fan.items) >= CHUNK:
            self._table.put(f"{name}\x1f{fan.full}", Fan(items=fan.items))
            fan.items, fan.full = [], fan.full + 1
        fan.items.append(item)
        self._table.put(name, fan)

    def prefetch(self, names: Iterable[str]) -> None:
        """Load the newest members of several names in one go."""
        self._table.prefetch(names)

    def members(self, name: str) -> Iterator[str]:
        """Yield everything that was ever added; may repeat."""
        fan = self._table.get(name)
        if fan is None:
            return
        for number in range(fan.full):
            chunk = self._table.get(f"{name}\x1f{number}")
            if chunk is not None:
                yield from chunk.items
        yield from list(fan.items)
