"""The catalogue: the one list of metrics. Every surface, query, dashboard and document is held to it by tests."""

from __future__ import annotations

from typing import Literal

import msgspec

Unit = Literal["per_day", "seconds", "ratio", "count"]
ScopeKind = Literal["org", "team", "service", "initiative", "pair", "mode"]

#: The windows, in UTC days, that end with the day of `as_of`.
WINDOWS: tuple[int, ...] = (7, 28, 90)
#: A pair is `consumer > provider`; a mode is how two teams interact, or `implicit`.
SCOPE_KINDS: tuple[ScopeKind, ...] = ("org", "team", "service", "initiative", "pair", "mode")
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
    Metric(
        name="dependency_latency",
        unit="seconds",
        stats=_LATENCY,
        title="Dependency latency",
        help="Cross-team dependency added to the blocker completed.",
        source=_HOUSE,
        beside=("open_dependencies",),
    ),
    Metric(
        name="dependency_wait",
        unit="seconds",
        stats=_LATENCY,
        title="Dependency wait",
        help="Latencies of the cross-team dependencies that ended, and the ages of all that are open: it "
        "grows before anything closes.",
        source=_HOUSE,
        beside=("open_dependencies",),
    ),
    Metric(
        name="open_dependencies",
        unit="count",
        stats=("value", "p50", "p85"),
        title="Open dependencies",
        help="Cross-team dependencies that wait for their blocker; p50 and p85 are their ages in seconds.",
        source=_HOUSE,
        windowed=False,
    ),
    Metric(
        name="discovery_lag",
        unit="seconds",
        stats=_LATENCY,
        title="Discovery lag",
        help="Work on a ticket begun to its cross-team dependency added; negative if it was known before.",
        source=_HOUSE,
        beside=("late_discovery_rate",),
    ),
    Metric(
        name="late_discovery_rate",
        unit="ratio",
        stats=("value",),
        title="Late discovery rate",
        help="Cross-team dependencies added after work on the ticket had begun, of those where that is known.",
        source=_HOUSE,
    ),
    Metric(
        name="review_wait",
        unit="seconds",
        stats=_LATENCY,
        title="Cross-team review wait",
        help="Review asked of another team to its first answer.",
        source=_HOUSE,
        beside=("open_reviews",),
    ),
    Metric(
        name="open_reviews",
        unit="count",
        stats=("value", "p50", "p85"),
        title="Open cross-team reviews",
        help="Reviews asked of another team without an answer; p50 and p85 are their ages in seconds.",
        source=_HOUSE,
        windowed=False,
    ),
    Metric(
        name="handoff_wait",
        unit="seconds",
        stats=_LATENCY,
        title="Hand-off wait",
        help="Work handed to another team to its first act on it.",
        source=_HOUSE,
        beside=("open_handoffs",),
    ),
    Metric(
        name="open_handoffs",
        unit="count",
        stats=("value", "p50", "p85"),
        title="Open hand-offs",
        help="Work handed to another team that has not taken it up; p50 and p85 are ages in seconds.",
        source=_HOUSE,
        windowed=False,
    ),
    Metric(
        name="handoff_return_rate",
        unit="ratio",
        stats=("value",),
        title="Hand-off return rate",
        help="Hand-offs that came back to where they came from, of those that ended.",
        source=_HOUSE,
    ),
    Metric(
        name="decision_latency",
        unit="seconds",
        stats=_LATENCY,
        title="Decision latency",
        help="Decision asked to accepted or rejected; superseded ones are left out.",
        source=_HOUSE,
        beside=("open_decisions",),
    ),
    Metric(
        name="open_decisions",
        unit="count",
        stats=("value", "p50", "p85"),
        title="Open decisions",
        help="Decisions asked for and not made; p50 and p85 are their ages in seconds.",
        source=_HOUSE,
        windowed=False,
    ),
    Metric(
        name="coordination_debt",
        unit="seconds",
        stats=("value",),
        title="Coordination debt",
        help="Time by which the open cross-team waits and decisions are overdue, summed up; n is how many are open.",
        source=_HOUSE,
        windowed=False,
        beside=("overdue_waits",),
    ),
    Metric(
        name="overdue_waits",
        unit="count",
        stats=("value",),
        title="Overdue waits",
        help="Open cross-team waits and decisions beyond what was expected: the slope of the debt.",
        source=_HOUSE,
        windowed=False,
    ),
    Metric(
        name="flow_time",
        unit="seconds",
        stats=_LATENCY,
        title="Flow time",
        help="Work on a ticket begun to the ticket done.",
        source=_HOUSE,
        beside=("open_work",),
    ),
    Metric(
        name="flow_efficiency",
        unit="ratio",
        stats=("value",),
        title="Flow efficiency",
        help="Active time of done tickets, of their active and waiting time.",
        source=_HOUSE,
        beside=("flow_time",),
    ),
    Metric(
        name="blocked_time",
        unit="seconds",
        stats=_LATENCY,
        title="Blocked time",
        help="Time during which a done ticket was blocked: by its status, a flag or a dependency.",
        source=_HOUSE,
        beside=("open_work",),
    ),
    Metric(
        name="open_work",
        unit="count",
        stats=("value", "p50", "p85"),
        title="Work in progress",
        help="Tickets begun and not finished; p50 and p85 are their ages in seconds.",
        source=_HOUSE,
        windowed=False,
    ),
    Metric(
        name="reasoned_moves",
        unit="ratio",
        stats=("value",),
        title="Moves with a reason",
        help="Status changes of done tickets that tell why, of all of them.",
        source=_HOUSE,
    ),
    Metric(
        name="unmapped_work",
        unit="count",
        stats=("value",),
        title="Unmapped work",
        help="Tickets whose status or type the contract does not know.",
        source=_HOUSE,
        windowed=False,
    ),
    Metric(
        name="assisted_share",
        unit="ratio",
        stats=("value",),
        title="Assisted share",
        help="Deployed changes that an assistant made or helped to make, of all.",
        source=_HOUSE,
        beside=("context_integrity",),
    ),
    Metric(
        name="context_integrity",
        unit="ratio",
        stats=("value",),
        title="Context integrity",
        help="Proposals of assistants that refer to a canonical initiative, of all.",
        source=_HOUSE,
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
