"""The catalogue: the one list of metrics. Every surface, query, dashboard and document is held to it by tests."""

from __future__ import annotations

from typing import Literal

import msgspec

Unit = Literal["per_day", "seconds", "ratio", "count"]
ScopeKind = Literal["org", "team", "service", "initiative"]

#: The windows, in UTC days, that end with the day of `as_of`.
WINDOWS: tuple[int, ...] = (7, 28, 90)
SCOPE_KINDS: tuple[ScopeKind, ...] = ("org", "team", "service", "initiative")
PERCENTILES: dict[str, float] = {"p50": 0.50, "p85": 0.85, "p95": 0.95}


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric: what it means, its unit, which statistics exist, and what has to be shown beside it.

    `windowed` False: it looks at all that is open, which is known as of the latest event only. `beside`: the metric
    without which it must not be shown, since throughput without instability, or a latency without what is still open,
    misleads; where it has no data, that has to be said.
    """

    name: str
    unit: Unit
    stats: tuple[str, ...]
    title: str
    help: str
    source: str
    windowed: bool = True
    beside: tuple[str, ...] = ()


_LATENCY = tuple(PERCENTILES)
_DORA = "DORA, Accelerate State of DevOps 2025"
_HOUSE = "Leadline"

CATALOGUE: tuple[Metric, ...] = (
    Metric(
        name="deployment_frequency",
        unit="per_day",
        stats=("value",),
        title="Deployment frequency",
        help="Successful production deployments per day of the window; n is their number.",
        source=_DORA,
        beside=("change_fail_rate",),
    ),
    Metric(
        name="change_lead_time",
        unit="seconds",
        stats=_LATENCY,
        title="Change lead time",
        help="First commit authored to the finish of the first successful production deployment that contains it.",
        source=_DORA,
        beside=("open_changes",),
    ),
    Metric(
        name="coding_time",
        unit="seconds",
        stats=_LATENCY,
        title="Coding time",
        help="First commit authored to the change opened.",
        source=_HOUSE,
        beside=("open_changes",),
    ),
    Metric(
        name="pickup_time",
        unit="seconds",
        stats=_LATENCY,
        title="Pickup time",
        help="Change opened to the first word on it by somebody else.",
        source=_HOUSE,
        beside=("open_changes",),
    ),
    Metric(
        name="review_time",
        unit="seconds",
        stats=_LATENCY,
        title="Review time",
        help="First word by somebody else to the merge.",
        source=_HOUSE,
        beside=("open_changes",),
    ),
    Metric(
        name="deploy_time",
        unit="seconds",
        stats=_LATENCY,
        title="Deploy time",
        help="Merge to the finish of the first successful production deployment that contains it.",
        source=_HOUSE,
        beside=("open_changes",),
    ),
    Metric(
        name="change_fail_rate",
        unit="ratio",
        stats=("value",),
        title="Change fail rate",
        help="Production deployments that failed or have a linked incident or rollback, of all finished ones. "
        "Absent while no source has told of any failure.",
        source=_DORA,
        beside=("deployment_frequency",),
    ),
    Metric(
        name="failed_deployment_recovery_time",
        unit="seconds",
        stats=_LATENCY,
        title="Failed deployment recovery time",
        help="Finish of a failed deployment to incidents resolved, rollback, or the next success after a failure.",
        source=_DORA,
        beside=("open_recoveries",),
    ),
    Metric(
        name="deployment_rework_rate",
        unit="ratio",
        stats=("value",),
        title="Deployment rework rate",
        help="Unplanned production deployments made because of an incident, of all finished ones. "
        "Absent while no source has told of any failure.",
        source=_DORA,
        beside=("deployment_frequency",),
    ),
    Metric(
        name="traceability_coverage",
        unit="ratio",
        stats=("value",),
        title="Traceability coverage",
        help="Successful production deployments that reach an initiative by an explicit link, of the traceable ones.",
        source=_HOUSE,
    ),
    Metric(
        name="orphan_deployments",
        unit="count",
        stats=("value",),
        title="Orphan deployments",
        help="Successful production deployments none of whose changes leads to an initiative.",
        source=_HOUSE,
        beside=("traceability_coverage",),
    ),
    Metric(
        name="ambiguous_deployments",
        unit="count",
        stats=("value",),
        title="Ambiguous deployments",
        help="Successful production deployments whose changes point to several initiatives and to none for certain.",
        source=_HOUSE,
        beside=("traceability_coverage",),
    ),
    Metric(
        name="open_changes",
        unit="count",
        stats=("value", "p50", "p85"),
        title="Open changes",
        help="Pull requests neither in production nor abandoned; p50 and p85 are their ages in seconds.",
        source=_HOUSE,
        windowed=False,
    ),
    Metric(
        name="open_recoveries",
        unit="count",
        stats=("value", "p50", "p85"),
        title="Open recoveries",
        help="Failed deployments not yet recovered from; p50 and p85 are their ages in seconds.",
        source=_HOUSE,
        windowed=False,
    ),
)

BY_NAME: dict[str, Metric] = {metric.name: metric for metric in CATALOGUE}


class MetricPoint(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """One number as every surface shows it. `as_of` is in microseconds since 1970; `window_days` None: not windowed.

    `value` is rounded to 9 decimals, so that a sum taken in another order is the same number. `unit` is that of the
    value: the p50 of a count metric is an age in seconds.
    """

    metric: str
    stat: str
    scope_kind: str
    scope: str
    window_days: int | None
    value: float
    n: int
    unit: str
    as_of: int
