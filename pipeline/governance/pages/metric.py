"""What lies behind a number: its meaning, its parts, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.governance.known import Known
from pipeline.governance.members import members
from pipeline.governance.pages.line import Line, line_of
from pipeline.metrics.catalogue import BY_NAME, MetricPoint
from pipeline.metrics.cells import Scope
from pipeline.metrics.coordination import LATENCIES, OPEN_WAITS

_COORDINATION = {
    *LATENCIES.values(),
    *OPEN_WAITS.values(),
    *("dependency_wait", "discovery_lag", "late_discovery_rate", "handoff_return_rate", "coordination_debt"),
    *("overdue_waits", "flow_time", "blocked_time", "flow_efficiency", "reasoned_moves", "open_work"),
    *("unmapped_work", "assisted_share", "context_integrity"),
}


def metric_page(
    known: Known,
    metric: str,
    scope: Scope,
    window_days: int,
    as_of: int,
    *,
    points: Sequence[MetricPoint],
    derivation: str,
    limit: int,
) -> Iterator[Line]:
    """Yield the explanation of one metric of a scope. `points` are those that the scope has as of that instant.

    `derivation` is the version of the formulas; at most `limit` members are listed, the greatest first.
    """
    about = BY_NAME[metric]
    days = window_days if about.windowed else None
    window = f"the {days} UTC days that end with the day of the instant" if days else "all that is open"
    for name in (metric, *about.beside):
        shown = [point for point in points if point.metric == name and point.window_days in (None, window_days)]
        for point in shown:
            yield Line(section="number", item=f"{name} {point.stat}", value=point.value, at=as_of, detail=_read(point))
        if not shown:
            yield Line(section="number", item=name, at=as_of, detail="no data, which is not zero")
    yield Line(section="definition", item="meaning", detail=about.help)
    page = "coordination" if metric in _COORDINATION else "definitions"
    yield Line(section="definition", item="page", detail=f"docs/{page}.md#metrics ({about.source})")
    yield Line(section="definition", item="formula version", value=derivation)
    yield Line(section="definition", item="scope", value="/".join(scope))
    yield Line(section="definition", item="window", value=None if days is None else f"{days}d", at=as_of, detail=window)
    found = members(known, metric, scope, days, as_of)
    yield Line(section="definition", item="n", value=found.n, detail=f"{len(found.counted)} facts")
    for reason, count in found.left_out.items():
        yield Line(section="left out", item=reason, value=count)
    for member in found.counted[:limit]:
        yield line_of("members", member.fact, value=member.value, at=member.at)


def _read(point: MetricPoint) -> str:
    window = "" if point.window_days is None else f", {point.window_days}d"
    return f"{point.unit}{window}, n = {point.n}"
