"""How teams depend on each other: pairs that nothing was agreed between, and circles of dependencies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from pipeline.facts.rows import WaitFact
from pipeline.governance.known import Known


class Coupling(msgspec.Struct, kw_only=True):
    """The waits of one team for another. `seconds` is how long they lasted, open ones until now.

    `mode` is that of the latest; `implicit`: nothing is declared between the two.
    """

    consumer: str
    provider: str
    mode: str
    waits: int = 0
    open: int = 0
    seconds: float = 0
    initiatives: set[str] = set()
    latest: int = 0

    @property
    def pair(self) -> str:
        """The scope of its metrics."""
        return f"{self.consumer} > {self.provider}"


class Cycle(msgspec.Struct, frozen=True):
    """Tickets each of which waits for the next, and the last for the first. `waits` are those of its edges."""

    tickets: list[str]
    waits: list[str]


def is_open(wait: WaitFact, as_of: int) -> bool:
    """Tell whether a wait had begun, and had not ended, at an instant."""
    return wait.opened_at <= as_of and (wait.ended_at is None or wait.ended_at > as_of)


def couplings(known: Known, as_of: int, initiative: str | None = None) -> list[Coupling]:
    """Return the pairs of teams of which one waits, or waited, for the other; the longest waits first."""
    found: dict[tuple[str, str], Coupling] = {}
    for wait in known.of(WaitFact):
        if not wait.cross_team or wait.excluded is not None or wait.consumer is None or wait.provider is None:
            continue
        if wait.opened_at > as_of or initiative not in (None, wait.initiative):
            continue
        key = (wait.consumer, wait.provider)
        coupling = found.setdefault(key, Coupling(consumer=key[0], provider=key[1], mode=wait.mode or ""))
        ended = as_of if wait.ended_at is None else min(wait.ended_at, as_of)
        coupling.waits += 1
        coupling.open += is_open(wait, as_of)
        coupling.seconds += (ended - wait.opened_at) // 1000 / 1000
        coupling.initiatives.update([wait.initiative] if wait.initiative else [])
        if wait.opened_at >= coupling.latest:
            coupling.latest, coupling.mode = wait.opened_at, wait.mode or coupling.mode
    return sorted(found.values(), key=lambda each: (-each.seconds, each.pair))


def cycles(waits: Iterable[WaitFact], as_of: int) -> list[Cycle]:
    """Return the circles of dependencies open at an instant: of each knot of tickets the shortest way around."""
    edges: dict[str, dict[str, str]] = defaultdict(dict)
    for wait in waits:
        if wait.kind != "dependency" or wait.excluded is not None or wait.on is None:
            continue
        if is_open(wait, as_of):
            edges[wait.subject][wait.on] = wait.id
    found: list[Cycle] = []
    in_one: set[str] = set()
    for start in sorted(edges):
        way = None if start in in_one else _way_back(start, edges)
        if way is not None:
            in_one.update(way)
            found.append(Cycle(way, [edges[one][other] for one, other in zip(way, [*way[1:], way[0]], strict=True)]))
    return found


def _way_back(start: str, edges: Mapping[str, Mapping[str, str]]) -> list[str] | None:
    """Return the shortest way from a ticket over what it waits for back to itself, or None."""
    came_from: dict[str, str] = {}
    queue = [start]
    for ticket in queue:
        for blocker in sorted(edges.get(ticket, ())):
            if blocker == start:
                way = [ticket]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return way[::-1]
            if blocker not in came_from:
                came_from[blocker] = ticket
                queue.append(blocker)
    return None
