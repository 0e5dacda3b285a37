"""The rows that Apache DevLake derived from recorded answers, beside what Leadline told of the same answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pipeline.events.reading import parse_time
from tests.conformance.told import Row, Told, row, table

Cells = dict[str, str]
_T = TypeVar("_T")

_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def rows(path: Path) -> list[Cells]:
    """Return the rows of a table of DevLake's."""
    return [{name.strip(f'{_BYTE_ORDER_MARK}"'): value for name, value in cells.items()} for cells in table(path)]


def key_of(identity: str) -> str:
    """Return the vendor's id in one of DevLake's: `github:GithubIssue:1:346842831`."""
    return identity.rpartition(":")[2]


def when(text: str, *, to_the_second: bool = False) -> datetime | None:
    """Return an instant that DevLake wrote, None for an empty cell."""
    at = parse_time(text, zoneless_utc=True)
    return at.replace(microsecond=0) if at and to_the_second else at


def by_id(told: Iterable[Told], kind: str) -> dict[str, Told]:
    """Return what was told of single items of one kind, by the vendor's id."""
    return {str(item.body["id"]): item for item in told if item.kind == kind and isinstance(item.body, dict)}


def agree(
    name: str,
    expected: Iterable[Cells],
    find: Callable[[Cells], _T | None],
    mistakes_of: Callable[[_T, Cells], list[str]],
    note: str = "",
) -> Row:
    """Compare each row of DevLake's with what `find` returns for it; None: its answer is not in the data."""
    checked, missing, mistakes = 0, 0, list[str]()
    for cells in expected:
        found = find(cells)
        if found is None:
            missing += 1
            continue
        checked += 1
        mistakes += [f"{next(iter(cells.values()))}: {mistake}" for mistake in mistakes_of(found, cells)]
    notes = [note] if note else []
    return row(name, checked, mistakes, "; ".join([*notes, f"{missing} rows have no raw row"]))


def grouped(cells: Iterable[Cells], key: str, value: str) -> Iterator[tuple[str, set[str]]]:
    """Yield the values of each key, as a link table has them."""
    found: dict[str, set[str]] = {}
    for each in cells:
        found.setdefault(key_of(each[key]), set()).add(each[value])
    yield from found.items()
