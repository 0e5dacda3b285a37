"""What observations have been added up to, kept: the protocol, and a store in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import RLock
from typing import Protocol

import msgspec

from pipeline.contract.measures import Measure
from pipeline.ingest.observation_sums import Cell, CellKey, Row


class Series(msgspec.Struct, kw_only=True):
    """What one connector tells of one metric, as `measure` has it, in one build.

    `watermark` is the latest event in microseconds since 1970, `pruned` the instant up to which rows were forgotten;
    `accepted`, `late` and `rejected` (by reason) count events.
    """

    number: int
    connector: str
    metric: str
    measure: Measure
    watermark: int = 0
    pruned: int = 0
    accepted: int = 0
    late: int = 0
    rejected: dict[str, int] = {}


class Tables(Protocol):
    """The rows and cells of all series, within a transaction. A *build* is one derivation of all of them."""

    def live(self) -> int:
        """Return the build that samples come from."""
        ...

    def stage(self) -> int:
        """Return a new build, and forget all that were staged and not published."""
        ...

    def publish(self, build: int) -> None:
        """Make a build the live one, and forget the others."""
        ...

    def series(self, build: int) -> list[Series]:
        """Return the series of a build."""
        ...

    def add_series(self, build: int, connector: str, metric: str, measure: Measure) -> Series:
        """Return a new series."""
        ...

    def rows(self, series: int, keys: Collection[bytes]) -> dict[bytes, Row]:
        """Return those rows of a series that exist."""
        ...

    def cells(self, series: int, keys: Collection[CellKey]) -> dict[CellKey, Cell]:
        """Return those cells of a series that exist."""
        ...

    def all_cells(self, series: int) -> list[tuple[CellKey, Cell]]:
        """Return all cells of a series, by period and variant."""
        ...

    def write(self, series: Series, rows: Mapping[bytes, Row], cells: Mapping[CellKey, Cell]) -> None:
        """Replace a series' own record, and rows and cells of it."""
        ...

    def prune(self, series: int, before: int) -> None:
        """Forget the rows that nothing has touched since an instant."""
        ...


class Store(Protocol):
    """Where the tables are."""

    def transaction(self) -> AbstractContextManager[Tables]:
        """Yield the tables. What is done to them, and by this thread to the log, is kept as one, or none of it."""
        ...

    def series(self) -> list[Series]:
        """Return the live series as last kept, for health and diagnosis."""
        ...


class MemoryStore:
    """A store that lives as long as the object, for a log that does as well."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._tables = _MemoryTables()

    @contextmanager
    def transaction(self) -> Iterator[Tables]:
        """See `Store.transaction`; the log in memory keeps each of its own steps whole by itself."""
        with self._lock:
            try:
                yield self._tables
            except BaseException:
                self._tables.pending.clear()
                raise
            self._tables.settle()

    def series(self) -> list[Series]:
        """See `Store.series`."""
        with self._lock:
            return self._tables.series(self._tables.live())


class _MemoryTables:
    """See `Tables`. Changes are gathered and made when the transaction ends well."""

    def __init__(self) -> None:
        self.pending: list[Callable[[], None]] = []
        self._live = self._builds = 1
        self._numbers = 0
        self._series: dict[int, dict[int, Series]] = {}
        self._rows: dict[int, dict[bytes, Row]] = {}
        self._cells: dict[int, dict[CellKey, Cell]] = {}

    def settle(self) -> None:
        for change in self.pending:
            change()
        self.pending.clear()

    def live(self) -> int:
        return self._live

    def stage(self) -> int:
        self._builds += 1
        self.pending.append(lambda: self._forget({self._live}))
        return self._builds

    def publish(self, build: int) -> None:
        def change() -> None:
            self._live = build
            self._forget({build})

        self.pending.append(change)

    def _forget(self, kept: Collection[int]) -> None:
        for build in self._series.keys() - kept:
            for number in self._series.pop(build):
                self._rows.pop(number, None)
                self._cells.pop(number, None)

    def series(self, build: int) -> list[Series]:
        return [_copy(each) for each in self._series.get(build, {}).values()]

    def add_series(self, build: int, connector: str, metric: str, measure: Measure) -> Series:
        self._numbers += 1
        made = Series(number=self._numbers, connector=connector, metric=metric, measure=measure)
        self.pending.append(lambda: self._series.setdefault(build, {}).update({made.number: made}))
        return _copy(made)

    def rows(self, series: int, keys: Collection[bytes]) -> dict[bytes, Row]:
        rows = self._rows.get(series, {})
        return {key: rows[key] for key in keys if key in rows}

    def cells(self, series: int, keys: Collection[CellKey]) -> dict[CellKey, Cell]:
        cells = self._cells.get(series, {})
        return {key: msgspec.structs.replace(cells[key]) for key in keys if key in cells}

    def all_cells(self, series: int) -> list[tuple[CellKey, Cell]]:
        return sorted(self._cells.get(series, {}).items(), key=lambda item: item[0])

    def write(self, series: Series, rows: Mapping[bytes, Row], cells: Mapping[CellKey, Cell]) -> None:
        def change() -> None:
            for build in self._series.values():
                if series.number in build:
                    build[series.number] = series
            self._rows.setdefault(series.number, {}).update(rows)
            self._cells.setdefault(series.number, {}).update(cells)

        self.pending.append(change)

    def prune(self, series: int, before: int) -> None:
        def change() -> None:
            rows = self._rows.get(series, {})
            for key in [key for key, row in rows.items() if row.last < before]:
                del rows[key]

        self.pending.append(change)


def _copy(series: Series) -> Series:
    return msgspec.structs.replace(series, rejected=dict(series.rejected))
