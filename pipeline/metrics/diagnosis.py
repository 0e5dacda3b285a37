"""Why a metric is empty: what it needs, what of that there is, and what to do. Pure, over a census of facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from pipeline.metrics.catalogue import CATALOGUE
from pipeline.metrics.census import Census
from pipeline.metrics.coordination import LATENCIES, OPEN_WAITS

#: How many names a finding lists.
_NAMED = 5


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person should know. `fix` is what to do; empty: there is nothing to do but wait."""

    check: str
    subject: str
    finding: str
    fix: str = ""


def why_absent(metric: str, census: Census) -> Finding:
    """Return why a metric has no value for the whole organisation. Raises KeyError for one that does not exist."""
    told = _WHY[metric](census)
    finding, fix = told if told is not None else ("what it counts exists, but not on a day of this window", "")
    return Finding(check="metric", subject=metric, finding=finding, fix=fix)


def gaps(census: Census) -> Iterable[Finding]:
    """Yield what the contract does not know of what was told, and what contradicts itself."""
    known = (
        (
            "environments",
            census.environments if not census.production else Counter[str](),
            "none of the environments that were told is production",
            "name it under the Service's `environments.production`",
        ),
        (
            "services",
            census.unowned,
            "deployed, and owned by no team",
            "declare a Service with an owner, or its repositories",
        ),
        ("statuses", census.statuses, "no StatusMap says what these statuses mean", "add them to `map` of a StatusMap"),
        ("types", census.types, "no StatusMap says what these types mean", "add them to `types` of a StatusMap"),
        (
            "teams",
            census.teamless,
            "tickets of these projects belong to no team",
            "add the project to a Team's `aliases`",
        ),
    )
    for subject, names, finding, fix in known:
        if names:
            yield Finding(check="contract", subject=subject, finding=f"{finding}: {_listed(names)}", fix=fix)
    for circle in _circles(census.parents):
        yield Finding(
            check="tickets",
            subject=circle[0],
            finding=f"is above itself, so that nothing above it is known: {' > '.join([*circle, circle[0]])}",
            fix="take one of the parents away in the tracker",
        )


_Why = Callable[[Census], tuple[str, str] | None]


def _listed(names: Counter[str]) -> str:
    shown = ", ".join(f"{name} ({count})" for name, count in names.most_common(_NAMED))
    return shown + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _circles(parents: Mapping[str, str]) -> Iterator[list[str]]:
    """Yield each circle of tickets that are each below the next, beginning with the first by name."""
    seen: set[str] = set()
    for start in sorted(parents):
        way: dict[str, None] = {}
        key: str | None = start
        while key is not None and key not in seen and key not in way:
            way[key] = None
            key = parents.get(key)
        if key in way:
            circle = list(way)
            yield circle[circle.index(key) :]
        seen.update(way)


def _deployments(census: Census) -> tuple[str, str] | None:
    if not census.deployments:
        return "no source told of a deployment", "connect CI/CD, or ingest a repository whose tags are releases"
    if not census.production:
        return (
            f"{census.deployments} deployments, none of them to production: {_listed(census.environments)}",
            "name your production under the Service's `environments.production`",
        )
    return None if census.finished else ("no production deployment has finished", "")


def _rates(census: Census) -> tuple[str, str] | None:
    if (missing := _deployments(census)) is not None:
        return missing
    if not census.failures and not census.failed:
        return "no source has ever told of a failure, so that a rate is not known", "connect incidents or alerts"
    return None


def _lead_time(census: Census) -> tuple[str, str] | None:
    if not census.changes and not census.deployments:
        return "no source told of changes", "connect a forge, or ingest a git repository"
    if (missing := _deployments(census)) is not None:
        return missing
    if not census.deployed:
        return (
            "no deployment is known to contain a change",
            "ingest the repository's commits, and let deployments tell repository and commit",
        )
    if census.excluded >= census.deployed:
        return "every change was first reached by the oldest known deployment, which is no measure", ""
    return None


def _part(needs: str, count: Callable[[Census], int], fix: str) -> _Why:
    def why(census: Census) -> tuple[str, str] | None:
        return _lead_time(census) or (None if count(census) else (f"no change tells {needs}", fix))

    return why


def _recovery(census: Census) -> tuple[str, str] | None:
    return _rates(census) or (None if census.failed else ("no production deployment failed", ""))


def _trace(census: Census) -> tuple[str, str] | None:
    return _deployments(census) or (None if census.members else ("no deployment is known to contain a change", ""))


def _tickets(count: Callable[[Census], int], finding: str, fix: str) -> _Why:
    def why(census: Census) -> tuple[str, str] | None:
        if not census.tickets:
            return "no source told of tickets", "connect an issue tracker"
        return None if count(census) else (finding, fix)

    return why


def _waits(kind: str, counted: Callable[[Census], Counter[str]], otherwise: str) -> _Why:
    source = _SOURCES[kind]

    def why(census: Census) -> tuple[str, str] | None:
        if not census.waits[kind]:
            return f"no source told of {source}", ""
        if kind != "decision" and not census.cross_team[kind]:
            return (
                f"{census.waits[kind]} {source}, but not between two known teams",
                "let the contract know teams by what sources call them (`aliases`), and owners of repositories",
            )
        return None if counted(census)[kind] else (otherwise, "")

    return why


def _answered(kind: str) -> _Why:
    return _waits(kind, lambda census: census.answered, "none has been answered yet")


def _any_wait(census: Census) -> tuple[str, str] | None:
    return None if sum(census.waits.values()) else ("no wait between teams was told", "connect an issue tracker")


_STARTED = _tickets(
    lambda census: census.started,
    "no ticket has a status that means work has begun",
    "map statuses to in_progress, in_review or blocked in a StatusMap",
)
_DONE = _tickets(
    lambda census: census.done,
    "no ticket was seen to begin and to be done",
    "map statuses to in_progress and done in a StatusMap; backfill the tracker's history",
)
_SOURCES = {
    "dependency": "dependencies between tickets",
    "review": "reviews asked of a team",
    "handoff": "work handed from team to team",
    "decision": "decisions asked for",
}

_BEGUN = _waits("dependency", lambda census: census.lagging, "work has begun on no ticket that depends on another")

_WHY: dict[str, _Why] = {
    "deployment_frequency": _deployments,
    "change_lead_time": _lead_time,
    "coding_time": _part("when it was authored", lambda census: census.authored, "ingest the repository's commits"),
    "pickup_time": _part("a review", lambda census: census.reviewed, "let the forge's hook send reviews and comments"),
    "review_time": _part("a review", lambda census: census.reviewed, "let the forge's hook send reviews and comments"),
    "deploy_time": _part("its merge", lambda census: census.merged, "connect the forge: commits alone have no merge"),
    "change_fail_rate": _rates,
    "deployment_rework_rate": _rates,
    "failed_deployment_recovery_time": _recovery,
    "traceability_coverage": _trace,
    "orphan_deployments": _trace,
    "ambiguous_deployments": _trace,
    "open_changes": lambda census: ("no pull request is open", "") if census.changes else _lead_time(census),
    "open_recoveries": lambda _: ("no failed deployment waits to be recovered from", ""),
    "flow_time": _DONE,
    "flow_efficiency": _DONE,
    "blocked_time": _DONE,
    "reasoned_moves": _tickets(
        lambda census: census.moves, "no source told of a ticket's moves", "backfill the tracker's history"
    ),
    "open_work": _STARTED,
    "unmapped_work": _tickets(lambda census: census.tickets, "", ""),
    "assisted_share": _lead_time,
    "context_integrity": lambda census: (
        None
        if census.artifacts
        else ("no assistant told of a proposal", "send `artifact.proposed` from your assistants")
    ),
    "discovery_lag": _BEGUN,
    "late_discovery_rate": _BEGUN,
    "dependency_wait": _answered("dependency"),
    "handoff_return_rate": _waits("handoff", lambda census: census.ended, "none has ended yet"),
    "coordination_debt": _any_wait,
    "overdue_waits": _any_wait,
    **{metric: _answered(kind) for kind, metric in LATENCIES.items()},
    **{metric: _waits(kind, lambda _: Counter(), "none is open") for kind, metric in OPEN_WAITS.items()},
}

#: Metrics that this module cannot explain; a test holds it to be empty.
UNEXPLAINED = sorted({metric.name for metric in CATALOGUE} - set(_WHY))
