"""Reading: rolling windows over daily cells, and the age of what is still open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime

from pipeline.events.times import day_date, day_of, to_us
from pipeline.facts.state import State
from pipeline.metrics.catalogue import BY_NAME, PERCENTILES, WINDOWS, MetricPoint
from pipeline.metrics.cells import CellT, OpenItems, Scope, cell_key, cells
from pipeline.metrics.coordination import DUE, OPEN_WAITS, OPEN_WORK, TABLE, Mapped, TeamworkCell
from pipeline.metrics.delivery import OPEN, Cell, tells_failures
from pipeline.metrics.sums import DeliverySums, TeamworkSums, Value, percentiles, quantile

_CELLS = "cell"
_DEPENDENCIES = OPEN_WAITS["dependency"]
#: The metrics that count what is open, with the ages of it.
_AGES = (*OPEN, *OPEN_WAITS.values(), OPEN_WORK)
_Window = tuple[int, Scope]


def human_seconds(seconds: float) -> str:
    """Return a span as people say it: `45 s`, `12 min`, `7.5 h`, `3.2 d`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


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
    lengths = tuple(windows)
    known = latest is None or as_of >= latest
    ages: dict[str, dict[Scope, list[int]]] = {}
    if known:
        for metric, scope, since in OpenItems(state).read((*_AGES, DUE), scopes):
            ages.setdefault(metric, {}).setdefault(scope, []).extend((now - each) // 1000 for each in since)
    open_dependencies = ages.get(_DEPENDENCIES, {}) if known else None
    points = [*_delivery(state, now, lengths, scopes), *_teamwork(state, now, lengths, scopes, open_dependencies)]
    points += _open(now, ages)
    if known:
        points += _unmapped(state, now, scopes)
    return sorted(
        points, key=lambda point: (point.scope_kind, point.scope, point.metric, point.window_days or 0, point.stat)
    )


def last_day(state: State) -> date | None:
    """Return the latest UTC day on which any fact counts; None without data. Reads the keys of all cells."""
    tables = (state.table(_CELLS, Cell), state.table(TABLE, TeamworkCell))
    days = [int(key.partition("|")[0]) for table in tables for key, _ in table.items()]
    return day_date(max(days)) if days else None


def _delivery(
    state: State, now: int, windows: Sequence[int], scopes: Collection[Scope] | None
) -> Iterator[MetricPoint]:
    sums: dict[_Window, DeliverySums] = {}
    for window, cell in _inside(state, _CELLS, Cell, now, windows, scopes):
        sums.setdefault(window, DeliverySums()).add(cell)
    instability = tells_failures(state)
    for (days, scope), found in sums.items():
        for value in found.values(days, instability=instability):
            yield _point(value, scope, days, now)


def _teamwork(
    state: State,
    now: int,
    windows: Sequence[int],
    scopes: Collection[Scope] | None,
    open_dependencies: dict[Scope, list[int]] | None,
) -> Iterator[MetricPoint]:
    """Yield the metrics of a window; `open_dependencies` (ages; None: not known) count in each of them."""
    waiting = open_dependencies or ()
    sums: dict[_Window, TeamworkSums] = {(days, scope): TeamworkSums() for days in windows for scope in waiting}
    for window, cell in _inside(state, TABLE, TeamworkCell, now, windows, scopes):
        sums.setdefault(window, TeamworkSums()).add(cell)
    for (days, scope), found in sums.items():
        for value in found.values():
            yield _point(value, scope, days, now)
        if open_dependencies is not None:
            still = [age for age in open_dependencies.get(scope, ()) if age >= 0]
            for value in percentiles("dependency_wait", [*found.waits["dependency_latency"], *still]):
                yield _point(value, scope, days, now)


def _inside(
    state: State,
    name: str,
    kind: type[CellT],
    now: int,
    windows: Sequence[int],
    scopes: Collection[Scope] | None,
) -> Iterator[tuple[_Window, CellT]]:
    """Yield the cells of every window that ends with the day of `now`, each once for each window that holds it."""
    table, today = state.table(name, kind), day_of(now)
    inside = range(today - max(windows, default=0) + 1, today + 1)
    table.prefetch(cell_key(day, scope) for day in inside for scope in scopes or ())
    for day in inside:
        for scope, cell in cells(table, day, scopes):
            for days in windows:
                if day > today - days:
                    yield (days, scope), cell


def _open(now: int, ages: dict[str, dict[Scope, list[int]]]) -> Iterator[MetricPoint]:
    for metric, by_scope in ages.items():
        for scope, spans in by_scope.items():
            if metric == DUE:
                overdue = [span for span in spans if span > 0]
                yield _point((DUE, "value", sum(overdue) / 1000, len(spans)), scope, None, now)
                yield _point(("overdue_waits", "value", len(overdue), len(spans)), scope, None, now)
                continue
            known = sorted(span for span in spans if span >= 0)
            if known:
                yield _point((metric, "value", len(known), len(known)), scope, None, now)
                for stat in ("p50", "p85"):
                    yield _point(
                        (metric, stat, quantile(known, PERCENTILES[stat]) / 1000, len(known)), scope, None, now
                    )


def _unmapped(state: State, now: int, scopes: Collection[Scope] | None) -> Iterator[MetricPoint]:
    for key, mapped in state.table("mapped", Mapped).items():
        kind, _, name = key.partition("|")
        if scopes is None or (kind, name) in scopes:
            yield _point(("unmapped_work", "value", mapped.unmapped, mapped.tickets), (kind, name), None, now)


def _point(value: Value, scope: Scope, days: int | None, now: int) -> MetricPoint:
    metric, stat, number, n = value
    is_age = BY_NAME[metric].unit == "count" and stat != "value"
    return MetricPoint(
        metric=metric,
        stat=stat,
        scope_kind=scope[0],
        scope=scope[1],
        window_days=days,
        value=round(float(number), 9),
        n=n,
        unit="seconds" if is_age else BY_NAME[metric].unit,
        as_of=now,
    )
