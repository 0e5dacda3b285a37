"""History for Prometheus: what each day ended with, in OpenMetrics, for `promtool tsdb create-blocks-from`."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TextIO

import duckdb
import pyarrow as pa

from pipeline.events.times import DAY_US, SECOND_US, day_date, day_of, from_us, to_us
from pipeline.exporter.families import MAX_SCOPES, described, escaped, header, ranked
from pipeline.metrics.catalogue import CATALOGUE, Metric, MetricPoint

#: What is open is known as of now alone, and these have a part of it.
OPEN_TODAY = tuple(metric.name for metric in CATALOGUE if not metric.windowed or metric.name == "dependency_wait")
DAY = timedelta(days=1)
_FETCH = 10_000
_COLUMNS = ("metric", "scope_kind", "scope", "window_days", "stat", "value", "n")
_TABLE = (
    "CREATE TABLE point (metric VARCHAR, scope_kind VARCHAR, scope VARCHAR, window_days INTEGER, stat VARCHAR, "
    "value DOUBLE, n BIGINT, day INTEGER)"
)
_ORDER = "ORDER BY scope_kind, scope, stat, window_days, day"
#: Rows that are samples: label values, the day, and the number.
_VALUES = f"SELECT scope_kind, scope, window_days, stat, day, value FROM point SEMI JOIN kept USING (scope_kind, scope) WHERE metric = ? {_ORDER}"
_SIZES = f"SELECT DISTINCT scope_kind, scope, window_days, '' AS stat, day, n FROM point SEMI JOIN kept USING (scope_kind, scope) WHERE metric = ? {_ORDER}"


@dataclass(frozen=True, kw_only=True)
class Days:
    """The UTC days that are exported, all of them over: both ends included. `step` is the time between two samples.

    What a day ended with is the value at the midnight that follows, and, with a step of less than a day, until the next
    one; with several days, every so many days have one.
    """

    since: date
    until: date
    step: timedelta = DAY

    def ends(self) -> Iterator[int]:
        """Yield the days of which numbers are needed."""
        first, last = (day_of(_midnight(day)) for day in (self.since, self.until))
        yield from range(first, last + 1, max(1, self.step // DAY))

    def instants(self, day: int, latest: int) -> range:
        """Return the seconds at which the value of a day is told, up to an instant in microseconds."""
        midnight = (day + 1) * DAY_US
        last = min(midnight + DAY_US - 1, latest)
        return range(midnight // SECOND_US, last // SECOND_US + 1, min(DAY, self.step) // timedelta(seconds=1))


@dataclass
class Written:
    """What was written. `dropped` counts the scopes beyond the limit, by kind."""

    days: int = 0
    series: int = 0
    samples: int = 0
    dropped: Mapping[str, int] | None = None


def whole_days(first: date, latest: datetime) -> tuple[date, date] | None:
    """Return the first and the last UTC day from `first` that are over at `latest`; None if there is none."""
    last = day_date(day_of(to_us(latest)) - 1)
    return (first, last) if first <= last else None


def write_history(
    out: TextIO,
    read: Callable[[datetime], Sequence[MetricPoint]],
    days: Days,
    latest: datetime,
    *,
    labels: Mapping[str, str] | None = None,
    max_scopes: int = MAX_SCOPES,
) -> Written:
    """Write what `read` returns as of the end of each day, in OpenMetrics; `labels` are added to every series.

    Scopes are bounded as in `/metrics`, ranked over all these days. What counts open items is left out: `read` knows it
    as of `latest` alone. Days are put in the order of series on disk, so that memory does not grow with them.
    """
    extra = "".join(f',{name}="{escaped(value)}"' for name, value in sorted((labels or {}).items()))
    written = Written()
    with _scratch() as cursor:
        seen: Counter[tuple[str, str]] = Counter()
        for day in days.ends():
            points = [each for each in read(from_us((day + 1) * DAY_US - 1)) if each.metric not in OPEN_TODAY]
            _insert(cursor, points, day)
            for point in points:
                seen[point.scope_kind, point.scope] += point.n
            written.days += bool(points)
        kept, written.dropped = ranked(seen, max_scopes)
        rows = pa.table({"scope_kind": [kind for kind, _ in kept], "scope": [name for _, name in kept]}, _KEPT)
        cursor.register("rows", rows)
        cursor.execute("CREATE TABLE kept AS SELECT * FROM rows")
        for metric in CATALOGUE:
            for unit, query in ((metric.unit, _VALUES), (None, _SIZES)):
                cursor.execute(query, [metric.name])
                _write_family(out, cursor, *described(metric.name, unit), _Told(days, to_us(latest), extra), written)
    out.write("# EOF\n")
    return written
