"""History for Prometheus: what each day ended with, in OpenMetrics, for `promtool tsdb create-blocks-from`."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TextIO

import duckdb
import pyarrow as pa

from pipeline.events.times import DAY_US, EPOCH, SECOND_US, day_date, day_of, from_us, to_us
from pipeline.exporter.families import MAX_SCOPES, described, escaped, header, ranked
from pipeline.facts.state import State
from pipeline.metrics.catalogue import CATALOGUE, MetricPoint
from pipeline.metrics.coordination import TABLE, TeamworkCell
from pipeline.metrics.delivery import Cell

#: What is open is known as of the latest event alone; so are metrics that have no windows, and this one in part.
LEFT_OUT = tuple(metric.name for metric in CATALOGUE if not metric.windowed or metric.name == "dependency_wait")
DAY = timedelta(days=1)
_FETCH = 10_000
_POINT = pa.schema(
    {
        "metric": pa.string(),
        "scope_kind": pa.string(),
        "scope": pa.string(),
        "stat": pa.string(),
        "window_days": pa.int32(),
        "day": pa.int32(),
        "value": pa.float64(),
        "n": pa.int64(),
    }
)
_SERIES = "scope_kind, scope, stat, window_days"
_KEPT = "FROM point SEMI JOIN kept USING (scope_kind, scope) WHERE metric = ?"
_VALUES = f"SELECT {_SERIES}, day, value {_KEPT} ORDER BY {_SERIES}, day"
_SIZES = f"SELECT DISTINCT scope_kind, scope, '' AS stat, window_days, day, n {_KEPT} ORDER BY {_SERIES}, day"


@dataclass(frozen=True, kw_only=True)
class Days:
    """The UTC days that are exported, both ends included, and the time between two samples.

    What a day ended with is the value at the midnight after it and, with a step of less than a day, from there to the
    next one; with a step of several days, only every so many days have a value.
    """

    since: date
    until: date
    step: timedelta = DAY

    def ends(self) -> range:
        """Return the numbers of the days of which values are needed."""
        every = max(1, self.step // DAY)
        return range((self.since - EPOCH.date()).days, (self.until - EPOCH.date()).days + 1, every)

    def seconds(self, day: int, latest: int) -> range:
        """Return the instants, in seconds, at which the value of a day is told; none after `latest` (microseconds)."""
        midnight = (day + 1) * DAY_US
        last = min(midnight + DAY_US - 1, latest)
        return range(midnight // SECOND_US, last // SECOND_US + 1, min(DAY, self.step) // timedelta(seconds=1))


@dataclass(kw_only=True)
class Written:
    """What was written. `days` had data; `dropped` counts the scopes beyond the limit, by kind."""

    days: int = 0
    series: int = 0
    samples: int = 0
    dropped: int = 0


def first_day(state: State) -> date | None:
    """Return the earliest UTC day on which any fact counts; None without data. Reads the keys of all cells."""
    tables = (state.table("cell", Cell), state.table(TABLE, TeamworkCell))
    days = [int(key.partition("|")[0]) for table in tables for key, _ in table.items()]
    return day_date(min(days)) if days else None


def last_whole_day(latest: datetime) -> date:
    """Return the last UTC day that is over at an instant."""
    return day_date(day_of(to_us(latest)) - 1)


def write_history(
    out: TextIO,
    read: Callable[[datetime], Sequence[MetricPoint]],
    days: Days,
    latest: datetime,
    *,
    labels: Mapping[str, str] | None = None,
    max_scopes: int = MAX_SCOPES,
) -> Written:
    """Write what `read` returns as of the end of each day, without `LEFT_OUT`; `labels` are added to every series.

    Scopes are bounded as in `/metrics`, ranked over all these days. The file goes series by series, and days come one
    by one: they are put in order on disk, so that memory does not grow with the history.
    """
    with _Sorter.opened() as sorter:
        full = 0
        for day in days.ends():
            points = [each for each in read(from_us((day + 1) * DAY_US - 1)) if each.metric not in LEFT_OUT]
            sorter.add(day, points)
            full += bool(points)
        dropped = sorter.bound(max_scopes)
        writer = _Writer(out, days, to_us(latest), labels or {})
        for metric in CATALOGUE:
            writer.family(*described(metric.name, metric.unit), sorter.rows(_VALUES, metric.name))
            writer.family(*described(metric.name, None), sorter.rows(_SIZES, metric.name))
    out.write("# EOF\n")
    return Written(days=full, series=writer.series, samples=writer.samples, dropped=dropped)


class _Sorter:
    """Takes points day by day, and gives them back series by series."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._seen: Counter[tuple[str, str]] = Counter()
        connection.register("batch", _POINT.empty_table())
        connection.execute("CREATE TABLE point AS FROM batch")

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[Self]:
        """Yield one that keeps its points on disk until the end of the block."""
        with tempfile.TemporaryDirectory(prefix="leadline-export-") as folder:
            connection = duckdb.connect(Path(folder) / "points.duckdb")
            try:
                yield cls(connection)
            finally:
                connection.close()

    def add(self, day: int, points: Sequence[MetricPoint]) -> None:
        """Take the points of a day."""
        for point in points:
            self._seen[point.scope_kind, point.scope] += point.n
        taken = [name for name in _POINT.names if name != "day"]
        columns: dict[str, list[object]] = {name: [getattr(point, name) for point in points] for name in taken}
        self._connection.register("batch", pa.table({**columns, "day": [day] * len(points)}, schema=_POINT))
        self._connection.execute("INSERT INTO point BY NAME FROM batch")

    def bound(self, limit: int) -> int:
        """Forget the scopes of each kind beyond the limit, and return how many they are."""
        kept, dropped = ranked(self._seen, limit)
        kinds, names = ([scope[place] for scope in kept] for place in (0, 1))
        schema = pa.schema({"scope_kind": pa.string(), "scope": pa.string()})
        self._connection.register("batch", pa.table({"scope_kind": kinds, "scope": names}, schema=schema))
        self._connection.execute("CREATE TABLE kept AS FROM batch")
        return sum(dropped.values())

    def rows(self, query: str, metric: str) -> Iterator[tuple[Any, ...]]:
        """Yield (scope_kind, scope, stat, window_days, day, value) of a metric in the order of its series."""
        with self._connection.cursor() as cursor:
            cursor.execute(query, [metric])
            while rows := cursor.fetchmany(_FETCH):
                yield from rows


class _Writer:
    """Writes families, and counts what it writes."""

    def __init__(self, out: TextIO, days: Days, latest: int, labels: Mapping[str, str]) -> None:
        self._out, self._days, self._latest = out, days, latest
        self._labels = "".join(f',{name}="{escaped(value)}"' for name, value in sorted(labels.items()))
        self.series = self.samples = 0

    def family(self, name: str, text: str, rows: Iterator[tuple[Any, ...]]) -> None:
        """Write a family whose rows are in the order of its series; nothing if there is none."""
        before: tuple[Any, ...] = ()
        head = ""
        for *series, day, value in rows:
            if not before:
                self._out.write(header(name, text, openmetrics=True))
            if (found := tuple(series)) != before:
                before, head = found, f"{name}{{{self._told(*found)}}}"
                self.series += 1
            for second in self._days.seconds(day, self._latest):
                self._out.write(f"{head} {value!r} {second}\n")
                self.samples += 1

    def _told(self, kind: str, scope: str, stat: str, window: int) -> str:
        # As in `/metrics`: what has no percentiles has no `stat`.
        told = "" if stat in {"", "value"} else f',stat="{stat}"'
        return f'scope="{escaped(scope)}",scope_kind="{kind}"{told},window="{window}d"{self._labels}'
