"""Reading: rolling windows over daily cells, and the age of what is still open."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime

from pipeline.events.times import day_date, day_of, to_us
from pipeline.facts.state import State
from pipeline.metrics.catalogue import BY_NAME, CATALOGUE, PERCENTILES, WINDOWS, MetricPoint
from pipeline.metrics.delivery import OPEN, Cell, OpenCell, Scope, cell_key, day_prefix, open_prefix, tells_failures

_LATENCIES = tuple(metric.name for metric in CATALOGUE if metric.unit == "seconds")
_COUNTS = ("delivered", "finished", "failed", "rework", "traced", "ambiguous", "orphan")


def quantile(ordered: list[int], share: float) -> float:
    """Return the linearly interpolated quantile of a sorted, non-empty list (DuckDB's `quantile_cont`)."""
    place = (len(ordered) - 1) * share
    lower = int(place)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (ordered[upper] - ordered[lower]) * (place - lower)


def human_seconds(seconds: float) -> str:
    """Return a span as people say it: `45 s`, `12 min`, `7.5 h`, `3.2 d`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


class _Window:
    """What one scope adds up to in one window."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(_COUNTS, 0)
        self.spans: dict[str, list[int]] = {name: [] for name in _LATENCIES}

    def add(self, cell: Cell) -> None:
        for name in _COUNTS:
            self.counts[name] += getattr(cell, name)
        for name in _LATENCIES:
            self.spans[name] += getattr(cell, name)

    def values(self, days: int, *, instability: bool) -> Iterable[tuple[str, str, float, int]]:
        """Yield (metric, stat, value, n); what has no data is not yielded. `instability`: it is known at all."""
        counts = self.counts
        if counts["delivered"]:
            yield "deployment_frequency", "value", counts["delivered"] / days, counts["delivered"]
        if counts["finished"] and instability:
            yield "change_fail_rate", "value", counts["failed"] / counts["finished"], counts["finished"]
            yield "deployment_rework_rate", "value", counts["rework"] / counts["finished"], counts["finished"]
        traceable = counts["traced"] + counts["ambiguous"] + counts["orphan"]
        if traceable:
            yield "traceability_coverage", "value", counts["traced"] / traceable, traceable
            yield "orphan_deployments", "value", counts["orphan"], traceable
            yield "ambiguous_deployments", "value", counts["ambiguous"], traceable
        for name, spans in self.spans.items():
            if spans:
                spans.sort()
                for stat, share in PERCENTILES.items():
                    yield name, stat, quantile(spans, share) / 1000, len(spans)


def read_metrics(
    state: State,
    as_of: datetime,
    *,
    latest: datetime | None,
    windows: Iterable[int] = WINDOWS,
    scopes: Collection[Scope] | None = None,
) -> list[MetricPoint]:
    """Return every metric that has data, by scope and window, as of an instant; sorted.

    `latest` is the instant of the latest event (None: no event gives one). State holds what is open then and no longer
    what was open before: an earlier `as_of` has no metric of what is open. `scopes` None: all of them. Cost: the cells
    of these scopes in the longest window, and their days with open items; never the history. Values are rounded to 9
    decimals.
    """
    now = to_us(as_of)
    points = [*_windowed(state, now, tuple(windows), scopes)]
    if latest is None or as_of >= latest:
        points += _open(state, now, scopes)
    return sorted(
        points, key=lambda point: (point.scope_kind, point.scope, point.metric, point.window_days or 0, point.stat)
    )


def last_day(state: State) -> date | None:
    """Return the latest UTC day on which any fact counts; None without data. Reads the keys of all cells."""
    days = [int(key.partition("|")[0]) for key, _ in state.table("cell", Cell).items()]
    return day_date(max(days)) if days else None


def _windowed(
    state: State, now: int, windows: tuple[int, ...], scopes: Collection[Scope] | None
) -> Iterable[MetricPoint]:
    today = day_of(now)
    sums: dict[tuple[int, Scope], _Window] = {}
    inside = range(today - max(windows, default=0) + 1, today + 1)
    state.table("cell", Cell).prefetch(cell_key(day, scope) for day in inside for scope in scopes or ())
    for day in inside:
        for where, cell in _cells(state, day, scopes):
            for days in windows:
                if day > today - days:
                    sums.setdefault((days, where), _Window()).add(cell)
    instability = tells_failures(state)
    for (days, (kind, scope)), window in sums.items():
        for metric, stat, value, n in window.values(days, instability=instability):
            yield MetricPoint(
                metric=metric,
                stat=stat,
                scope_kind=kind,
                scope=scope,
                window_days=days,
                value=round(value, 9),
                n=n,
                unit=BY_NAME[metric].unit,
                as_of=now,
            )


def _cells(state: State, day: int, scopes: Collection[Scope] | None) -> Iterable[tuple[Scope, Cell]]:
    cells = state.table("cell", Cell)
    if scopes is None:
        for key, cell in cells.items(day_prefix(day)):
            _, kind, name = key.split("|", 2)
            yield (kind, name), cell
        return
    for scope in scopes:
        found = cells.get(cell_key(day, scope))
        if found is not None:
            yield scope, found


def _open(state: State, now: int, scopes: Collection[Scope] | None) -> Iterable[MetricPoint]:
    table = state.table("open", OpenCell)
    prefixes = [""] if scopes is None else [open_prefix(metric, scope) for metric in OPEN for scope in scopes]
    ages: dict[tuple[str, str, str], list[int]] = {}
    for key, cell in (item for prefix in prefixes for item in table.items(prefix)):
        metric, kind, rest = key.split("|", 2)
        scope = rest.rpartition("|")[0]
        known = [(now - since) // 1000 for since in cell.since if since <= now]
        if known:
            ages.setdefault((metric, kind, scope), []).extend(known)
    for (metric, kind, scope), spans in ages.items():
        spans.sort()
        values = {
            "value": float(len(spans)),
            **{stat: quantile(spans, PERCENTILES[stat]) / 1000 for stat in ("p50", "p85")},
        }
        for stat, value in values.items():
            yield MetricPoint(
                metric=metric,
                stat=stat,
                scope_kind=kind,
                scope=scope,
                window_days=None,
                value=round(value, 9),
                n=len(spans),
                unit="count" if stat == "value" else "seconds",
                as_of=now,
            )
