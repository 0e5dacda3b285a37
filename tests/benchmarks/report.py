"""One line of the benchmark report."""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """A figure and the goal that it has to reach: at least (`>=`), at most (`<=`), or none (only stated)."""

    name: str
    figure: float
    unit: str
    goal: float | None = None
    at_most: bool = False
    note: str = ""

    def ok(self) -> bool:
        """Whether the goal is reached."""
        if self.goal is None:
            return True
        return self.figure <= self.goal if self.at_most else self.figure >= self.goal

    def text(self) -> str:
        """Return the line as it is printed."""
        sign = "<=" if self.at_most else ">="
        goal = "stated" if self.goal is None else f"{sign}{self.goal:g}"
        note = f"  ({self.note})" if self.note else ""
        return f"{self.name} {self.figure:.4g}{self.unit} {goal} {'ok' if self.ok() else 'short'}{note}"
