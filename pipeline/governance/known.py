"""All that a state knows, each kind of fact read when it is first asked for."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar, cast

from pipeline.facts.rows import FACTS, Fact, TicketFact
from pipeline.facts.state import State

F = TypeVar("F", bound=Fact)


class Known:
    """The facts of one state, as they are now."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._read: dict[str, list[Fact]] = {}

    def of(self, kind: type[F]) -> list[F]:
        """Return all facts of a kind, in the order of their ids."""
        if kind.KIND not in self._read:
            table = self._state.table(f"fact_{kind.KIND}", FACTS[kind.KIND])
            with _without_collector():
                self._read[kind.KIND] = [fact for _, fact in sorted(table.items(), key=lambda item: item[0])]
        return cast("list[F]", self._read[kind.KIND])

    def get(self, kind: type[F], key: str) -> F | None:
        """Return one fact; None: there is none of that id."""
        found: Any = self._state.table(f"fact_{kind.KIND}", FACTS[kind.KIND]).get(key)
        return cast("F | None", found)

    @cached_property
    def _below(self) -> dict[str, list[TicketFact]]:
        found: dict[str, list[TicketFact]] = defaultdict(list)
        for ticket in self.of(TicketFact):
            if ticket.parent is not None and not ticket.deleted:
                found[ticket.parent].append(ticket)
        return found

    def has_parts(self, ticket: TicketFact) -> bool:
        """Tell whether another ticket, that is not deleted, is right below this one."""
        return any(part.id != ticket.id for part in self._below.get(ticket.id, ()))

    def with_parts(self, ticket: TicketFact) -> list[TicketFact]:
        """Return a ticket and all tickets below it, each once, circles or not."""
        found, stack = {ticket.id: ticket}, [ticket]
        while stack:
            for part in self._below.get(stack.pop().id, ()):
                if part.id not in found:
                    found[part.id] = part
                    stack.append(part)
        return list(found.values())


@contextmanager
def _without_collector() -> Iterator[None]:
    """Facts form no cycles; looking for some among a hundred thousand of them takes most of the time of reading."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
