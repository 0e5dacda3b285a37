"""Whether a fact is counted by a metric, with which value and on which day, or why it is left out.

This is the second half of every explanation: it says, fact by fact, what the daily cells only add up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pipeline.events.times import seconds_between
from pipeline.facts.rows import ArtifactFact, ChangeFact, DeploymentFact, Fact, TicketFact, WaitFact
from pipeline.metrics.coordination import LATENCIES, OPEN_WAITS


class Judged(NamedTuple):
    """`at`: the instant that decides the day, microseconds; None: not windowed, it is counted if it is open.

    `left_out`: why it does not count; None: it does, with `value`, as `weight` observations.
    """

    at: int | None
    value: float | None = None
    left_out: str | None = None
    weight: int = 1


#: (fact, as of) -> what a metric makes of it; None: nothing, it is not about such facts at all.
Judge = Callable[[Any, int], Judged | None]

_AN_END = "an end is not known"
_NEGATIVE = "negative"


def _finished(fact: DeploymentFact) -> Judged | None:
    """Return why a deployment is not among the finished ones of production; None: it is."""
    at = fact.finished_at if fact.finished_at is not None else fact.started_at
    if not fact.production:
        return Judged(at, left_out="not production")
    return Judged(at, left_out=fact.outcome) if fact.outcome not in ("success", "failure") else None


def _delivered(value: Callable[[DeploymentFact], float], *, traceable: bool = False) -> Judge:
    def judge(fact: DeploymentFact, _: int) -> Judged | None:
        if (out := _finished(fact)) is not None:
            return out
        if fact.outcome != "success":
            return Judged(fact.finished_at, left_out=fact.outcome)
        if traceable and fact.trace in ("exempt", "empty"):
            return Judged(fact.finished_at, left_out=fact.trace)
        return Judged(fact.finished_at, value(fact))

    return judge


def _rate(value: Callable[[DeploymentFact], float]) -> Judge:
    return lambda fact, _: _finished(fact) or Judged(fact.finished_at, value(fact))


def _recovery(fact: DeploymentFact, _: int) -> Judged | None:
    if _finished(fact) is not None or not fact.failed:
        return None
    if fact.recovered_at is None:
        return Judged(fact.finished_at, left_out="not recovered")
    value = fact.recovery_time
    return Judged(fact.recovered_at, value, _NEGATIVE if value is None else None)


def _unrecovered(fact: DeploymentFact, now: int) -> Judged | None:
    if _finished(fact) is not None or not fact.failed or fact.recovered_at is not None or fact.finished_at is None:
        return None
    return _aged(fact.finished_at, now)


def _span(name: str, start: Callable[[ChangeFact], int | None], end: str) -> Judge:
    def judge(fact: ChangeFact, _: int) -> Judged | None:
        if fact.deployed_at is None:
            return None
        if fact.excluded is not None:
            return Judged(fact.deployed_at, left_out=fact.excluded)
        value = getattr(fact, name)
        if value is not None:
            return Judged(fact.deployed_at, value)
        known = start(fact) is not None and getattr(fact, end) is not None
        return Judged(fact.deployed_at, left_out=_NEGATIVE if known and fact.kind == "pull_request" else _AN_END)

    return judge


def _began(fact: ChangeFact) -> int | None:
    return fact.created_at if fact.authored_at is None else fact.authored_at


def _open_change(fact: ChangeFact, now: int) -> Judged | None:
    began = _began(fact)
    if fact.deployed_at is not None or fact.kind != "pull_request" or fact.created_at is None or began is None:
        return None
    return Judged(None, left_out="abandoned") if fact.status == "abandoned" else _aged(began, now)


def _assisted(fact: ChangeFact, _: int) -> Judged | None:
    if fact.deployed_at is None:
        return None
    return Judged(fact.deployed_at, float(fact.assistant is not None), fact.excluded)


def _left_out_wait(fact: WaitFact) -> Judged | None:
    """Return why a wait counts nowhere; None: it counts."""
    if fact.excluded is not None:
        return Judged(fact.opened_at, left_out=fact.excluded)
    if fact.cross_team or fact.kind == "decision":
        return None
    known = fact.consumer is not None and fact.provider is not None
    return Judged(fact.opened_at, left_out="within one team" if known else "a team is not known")


def _latency(kind: str, *, and_open: bool = False) -> Judge:
    def judge(fact: WaitFact, now: int) -> Judged | None:
        if fact.kind != kind:
            return None
        if (out := _left_out_wait(fact)) is not None:
            return out
        if fact.ended_at is None:
            return _aged(fact.opened_at, now) if and_open else Judged(now, left_out="open")
        if fact.latency is not None:
            return Judged(fact.ended_at, fact.latency)
        return Judged(fact.ended_at, left_out=_NEGATIVE if fact.negative else f"ended without an answer: {fact.end}")

    return judge


def _open_wait(kind: str) -> Judge:
    def judge(fact: WaitFact, now: int) -> Judged | None:
        if fact.kind != kind or fact.ended_at is not None:
            return None
        return _left_out_wait(fact) or _aged(fact.opened_at, now)

    return judge


def _lag(value: Callable[[float], float]) -> Judge:
    def judge(fact: WaitFact, _: int) -> Judged | None:
        if fact.kind != "dependency":
            return None
        if (out := _left_out_wait(fact)) is not None:
            return out
        if fact.discovery_lag is None:
            return Judged(fact.opened_at, left_out="work has not begun")
        return Judged(fact.opened_at, value(fact.discovery_lag))

    return judge


def _returned(fact: WaitFact, _: int) -> Judged | None:
    if fact.kind != "handoff":
        return None
    if (out := _left_out_wait(fact)) is not None:
        return out
    if fact.ended_at is None:
        return None
    return Judged(fact.ended_at, float(fact.end == "returned"))


def _overdue(value: Callable[[int], float]) -> Judge:
    def judge(fact: WaitFact, now: int) -> Judged | None:
        if fact.ended_at is not None or fact.due_at is None:
            return None
        return _left_out_wait(fact) or Judged(None, value((now - fact.due_at) // 1000))

    return judge


def _flow(value: Callable[[TicketFact], float | None]) -> Judge:
    def judge(fact: TicketFact, _: int) -> Judged | None:
        if fact.finished_at is None:
            return None
        if fact.deleted or fact.finish != "done":
            return Judged(fact.finished_at, left_out="deleted" if fact.deleted else fact.finish)
        found = value(fact)
        return Judged(fact.finished_at, found, _AN_END if found is None else None)

    return judge


def _efficiency(fact: TicketFact) -> float | None:
    if fact.active_time is None or fact.waiting_time is None:
        return None
    whole = fact.active_time + fact.waiting_time
    return fact.active_time / whole if whole else 0.0


def _reasoned(fact: TicketFact, _: int) -> Judged | None:
    if fact.finished_at is None or fact.deleted or fact.finish != "done" or not fact.moves:
        return None
    return Judged(fact.finished_at, fact.reasoned / fact.moves, weight=fact.moves)


def _under_way(fact: TicketFact, now: int) -> Judged | None:
    if fact.started_at is None or fact.finished_at is not None:
        return None
    return Judged(None, left_out="deleted") if fact.deleted else _aged(fact.started_at, now)


def _unmapped(fact: TicketFact, _: int) -> Judged | None:
    if fact.deleted:
        return Judged(None, left_out="deleted")
    return Judged(None, float("unmapped" in (fact.canonical_status, fact.canonical_type)))


def _aged(since: int, now: int) -> Judged:
    age = seconds_between(since, now)
    return Judged(None, age) if age >= 0 else Judged(None, left_out="begins later")


_WAITED = {metric: kind for kind, metric in LATENCIES.items()}
_WAITING = {metric: kind for kind, metric in OPEN_WAITS.items()}

#: Metric -> (kind of fact that it is made of, what it makes of one).
JUDGES: dict[str, tuple[type[Fact], Judge]] = {
    "deployment_frequency": (DeploymentFact, _delivered(lambda _: 1.0)),
    "change_fail_rate": (DeploymentFact, _rate(lambda fact: float(fact.failed))),
    "deployment_rework_rate": (DeploymentFact, _rate(lambda fact: float(fact.rework))),
    "failed_deployment_recovery_time": (DeploymentFact, _recovery),
    "open_recoveries": (DeploymentFact, _unrecovered),
    "traceability_coverage": (DeploymentFact, _delivered(lambda fact: float(fact.trace == "traced"), traceable=True)),
    "orphan_deployments": (DeploymentFact, _delivered(lambda fact: float(fact.trace == "orphan"), traceable=True)),
    "ambiguous_deployments": (
        DeploymentFact,
        _delivered(lambda fact: float(fact.trace == "ambiguous"), traceable=True),
    ),
    "change_lead_time": (ChangeFact, _span("lead_time", _began, "deployed_at")),
    "coding_time": (ChangeFact, _span("coding_time", lambda fact: fact.authored_at, "created_at")),
    "pickup_time": (ChangeFact, _span("pickup_time", lambda fact: fact.created_at, "first_review_at")),
    "review_time": (ChangeFact, _span("review_time", lambda fact: fact.first_review_at, "merged_at")),
    "deploy_time": (ChangeFact, _span("deploy_time", lambda fact: fact.merged_at, "deployed_at")),
    "open_changes": (ChangeFact, _open_change),
    "assisted_share": (ChangeFact, _assisted),
    **{metric: (WaitFact, _latency(kind)) for metric, kind in _WAITED.items()},
    **{metric: (WaitFact, _open_wait(kind)) for metric, kind in _WAITING.items()},
    "dependency_wait": (WaitFact, _latency("dependency", and_open=True)),
    "discovery_lag": (WaitFact, _lag(lambda lag: lag)),
    "late_discovery_rate": (WaitFact, _lag(lambda lag: float(lag > 0))),
    "handoff_return_rate": (WaitFact, _returned),
    "coordination_debt": (WaitFact, _overdue(lambda late: max(late, 0) / 1000)),
    "overdue_waits": (WaitFact, _overdue(lambda late: float(late > 0))),
    "flow_time": (TicketFact, _flow(lambda fact: fact.flow_time)),
    "blocked_time": (TicketFact, _flow(lambda fact: fact.blocked_time)),
    "flow_efficiency": (TicketFact, _flow(_efficiency)),
    "reasoned_moves": (TicketFact, _reasoned),
    "open_work": (TicketFact, _under_way),
    "unmapped_work": (TicketFact, _unmapped),
    "context_integrity": (ArtifactFact, lambda fact, _: Judged(fact.proposed_at, float(fact.status == "linked"))),
}
