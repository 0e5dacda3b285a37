"""A value that changes at known instants: what held at a moment is one bisection away."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: Earlier than every instant: where a version starts that holds since ever.
EVER = -(2**63)


class Timeline(Generic[T]):
    """Values, each holding from its start (microseconds since 1970) until the next start. None: nothing held."""

    __slots__ = ("starts", "values")

    def __init__(self, steps: Iterable[tuple[int, T | None]]) -> None:
        """Take `(start, value)` in the order of the starts. Of equal starts the last counts; repeated values merge."""
        self.starts: list[int] = []
        self.values: list[T | None] = []
        for start, value in steps:
            if self.starts and self.starts[-1] == start:
                self.starts.pop()
                self.values.pop()
            if value != (self.values[-1] if self.values else None):
                self.starts.append(start)
                self.values.append(value)

    def at(self, moment: int) -> T | None:
        """Return the value that holds at `moment`; None before the first start."""
        index = bisect_right(self.starts, moment)
        return self.values[index - 1] if index else None

    def steps(self) -> list[tuple[int, T | None]]:
        """Return `(start, value)` for every change, earliest first."""
        return list(zip(self.starts, self.values, strict=True))


def combine(timelines: Sequence[Timeline[T]], join: Callable[[Sequence[T | None]], R | None]) -> Timeline[R]:
    """Return the timeline of `join` over what each of `timelines` holds at the same moment, in their order."""
    starts = sorted({start for timeline in timelines for start in timeline.starts})
    return Timeline((start, join([timeline.at(start) for timeline in timelines])) for start in starts)
