"""What all families of metrics share: scopes, daily cells and the items that are still open."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator
from typing import TypeVar

import msgspec

from pipeline.events.times import day_of
from pipeline.facts.state import State, Table

CellT = TypeVar("CellT", bound=msgspec.Struct)

#: (kind, name)
Scope = tuple[str, str]
ORG: Scope = ("org", "all")


class OpenCell(msgspec.Struct, array_like=True):
    """Instants of the items that are still open, of those of one day; microseconds, sorted."""

    since: list[int] = []


def day_prefix(day: int) -> str:
    """Return what the keys of all cells of a day begin with; keys sort by day, so that a window is a range."""
    return f"{day:06d}|"


def cell_key(day: int, scope: Scope) -> str:
    """Return the key of the cell of a scope on a day."""
    return f"{day:06d}|{scope[0]}|{scope[1]}"


def open_prefix(metric: str, scope: Scope) -> str:
    """Return what the keys of all open items of a scope begin with."""
    return f"{metric}|{scope[0]}|{scope[1]}|"


def mark(values: list[int], span: float | None, sign: int) -> None:
    """Put a span in seconds into a sorted list of milliseconds, or (`sign` < 0) take it out; None: nothing."""
    if span is not None:
        place(values, round(span * 1000), sign)


def place(values: list[int], value: int, sign: int) -> None:
    """Put a value into a sorted list, or (`sign` < 0) take it out."""
    if sign > 0:
        insort(values, value)
    else:
        del values[bisect_left(values, value)]


class OpenItems:
    """When the items that are still open began, or are due, by metric and scope."""

    def __init__(self, state: State) -> None:
        self._table = state.table("open", OpenCell)

    def mark(self, metric: str, scopes: Iterable[Scope], since: int, sign: int) -> None:
        """Add an item, or (`sign` < 0) take it out."""
        for scope in scopes:
            key = f"{open_prefix(metric, scope)}{day_of(since)}"
            cell = self._table.get(key) or OpenCell(since=[])
            place(cell.since, since, sign)
            if cell.since:
                self._table.put(key, cell)
            else:
                self._table.delete(key)

    def read(self, metrics: Iterable[str], scopes: Collection[Scope] | None) -> Iterator[tuple[str, Scope, list[int]]]:
        """Yield (metric, scope, instants) of what is open, in parts; `scopes` None: all."""
        prefixes = [""] if scopes is None else [open_prefix(metric, scope) for metric in metrics for scope in scopes]
        for key, cell in (item for prefix in prefixes for item in self._table.items(prefix)):
            metric, kind, rest = key.split("|", 2)
            yield metric, (kind, rest.rpartition("|")[0]), cell.since


def cells(table: Table[CellT], day: int, scopes: Collection[Scope] | None) -> Iterator[tuple[Scope, CellT]]:
    """Yield the cells of a day by scope; `scopes` None: all."""
    if scopes is None:
        for key, cell in table.items(day_prefix(day)):
            _, kind, name = key.split("|", 2)
            yield (kind, name), cell
        return
    for scope in scopes:
        found = table.get(cell_key(day, scope))
        if found is not None:
            yield scope, found
