"""Scrambling: the same events as an unreliable world would deliver them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

import msgspec

from pipeline.events.envelope import Event
from pipeline.events.times import SECOND_US, to_us
from pipeline.simulate.chance import Chance

HOUR_US = 3_600 * SECOND_US


class Disorder(msgspec.Struct, frozen=True, kw_only=True):
    """How unreliable: shares (0 to 1) of the events that come twice and that come late, and how late, in microseconds.

    Every event is delayed by up to `jitter_us`, a late one by up to `lateness_us`; so is each repetition.
    """

    repeated: float = 0.03
    late: float = 0.05
    jitter_us: int = 2 * HOUR_US
    lateness_us: int = 10 * 24 * HOUR_US


def scramble(events: Iterable[Event], chance: Chance, disorder: Disorder | None = None) -> Iterator[Event]:
    """Yield `events`, which come in event-time order, in an order of arrival, some more than once, none lost.

    Holds back only what is on its way: the events of `lateness_us` at most, and few of those.
    """
    how = disorder or Disorder()
    on_its_way: list[tuple[int, int, Event]] = []
    number = 0
    for event in events:
        now = to_us(event.time)
        while on_its_way and on_its_way[0][0] <= now:
            yield heappop(on_its_way)[2]
        for _ in range(1 + chance.happens(how.repeated)):
            longest = how.lateness_us if chance.happens(how.late) else how.jitter_us
            number += 1
            heappush(on_its_way, (now + chance.whole(0, longest), number, event))
    while on_its_way:
        yield heappop(on_its_way)[2]
