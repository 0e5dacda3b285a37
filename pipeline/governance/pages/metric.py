"""What lies behind a number: its meaning, its parts, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.governance.known import Known
from pipeline.governance.members import members
from pipeline.governance.pages.line import Line, line_of
from pipeline.metrics.catalogue import BY_NAME, MetricPoint
from pipeline.metrics.cells import Scope

#: Page of docs/metrics -> the metrics that it describes.
_PAGES = {
    "deployments": (
        "deployment_frequency",
        "change_fail_rate",
        "failed_deployment_recovery_time",
        "deployment_rework_rate",
        "open_recoveries",
    ),
    "lead_time": ("change_lead_time", "coding_time", "pickup_time", "review_time", "deploy_time", "open_changes"),
    "traceability": ("traceability_coverage", "orphan_deployments", "ambiguous_deployments"),
    "dependencies": (
        "dependency_latency",
        "dependency_wait",
        "open_dependencies",
        "discovery_lag",
        "late_discovery_rate",
    ),
    "handovers": ("review_wait", "open_reviews", "handoff_wait", "open_handoffs", "handoff_return_rate"),
    "decisions": ("decision_latency", "open_decisions"),
    "debt": ("coordination_debt", "overdue_waits"),
    "flow": ("flow_time", "flow_efficiency", "blocked_time", "open_work", "reasoned_moves", "unmapped_work"),
    "assistants": ("assisted_share", "context_integrity"),
}
_PAGE_OF = {metric: page for page, metrics in _PAGES.items() for metric in metrics}


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
    yield Line(section="definition", item="page", detail=f"{page_of(metric)} ({about.source})")
    yield Line(section="definition", item="formula version", value=derivation)
    yield Line(section="definition", item="scope", value="/".join(scope))
    yield Line(section="definition", item="window", value=None if days is None else f"{days}d", at=as_of, detail=window)
    found = members(known, metric, scope, days, as_of)
    yield Line(section="definition", item="n", value=found.n, detail=f"{len(found.counted)} facts")
    for reason, count in found.left_out.items():
        yield Line(section="left out", item=reason, value=count)
    for member in found.counted[:limit]:
        yield line_of("members", member.fact, value=member.value, at=member.at)


def page_of(metric: str) -> str:
    """Return where a metric is described."""
    return f"docs/metrics/{_PAGE_OF[metric]}.md#{metric}"


def _read(point: MetricPoint) -> str:
    window = "" if point.window_days is None else f", {point.window_days}d"
    return f"{point.unit}{window}, n = {point.n}"
