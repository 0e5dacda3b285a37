"""Chance: every random draw of the simulation, from an explicit seed, the same in every process and Python release."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from random import Random  # a seeded instance, passed as an argument; never the module's own state
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """Draws that use nothing of `Random` but `random()`, whose sequence for a seed Python promises never to change."""

    def __init__(self, seed: int) -> None:
        self._next = Random(seed).random

    def happens(self, probability: float) -> bool:
        """Return True with `probability` (0 to 1)."""
        return self._next() < probability

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included, each equally likely."""
        return low + int(self._next() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of `choices`, each equally likely. Raises IndexError if there is none."""
        return choices[int(self._next() * len(choices))]

    def waiting(self, mean: float) -> float:
        """Return a waiting time of the given mean: exponential, so short ones are many and a few are very long."""
        return -log(1.0 - self._next()) * mean
