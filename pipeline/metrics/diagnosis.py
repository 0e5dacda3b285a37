"""Why a metric is empty: what it needs, what of that there is, and what to do. Pure, over a census of facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from pipeline.facts.rows import ArtifactFact, ChangeFact, DecisionFact, DeploymentFact, Fact, TicketFact, WaitFact
from pipeline.metrics.catalogue import CATALOGUE
from pipeline.metrics.coordination import LATENCIES, OPEN_WAITS

#: How many names a finding lists.
_NAMED = 5


class Census(msgspec.Struct, kw_only=True):
    """What facts there are, as far as it says why a metric is empty. Names count how often they were met."""

    changes: int = 0
    deployed: int = 0
    excluded: int = 0
    reviewed: int = 0
    authored: int = 0
    merged: int = 0
    assisted: int = 0
    deployments: int = 0
    production: int = 0
    finished: int = 0
    failed: int = 0
    failures: int = 0
    members: int = 0
    tickets: int = 0
    started: int = 0
    done: int = 0
    moves: int = 0
    waits: Counter[str] = msgspec.field(default_factory=Counter)
    cross_team: Counter[str] = msgspec.field(default_factory=Counter)
    answered: Counter[str] = msgspec.field(default_factory=Counter)
    decisions: int = 0
    artifacts: int = 0
    #: Environments that are not production, unowned services, and what the contract has no words for.
    environments: Counter[str] = msgspec.field(default_factory=Counter)
    unowned: Counter[str] = msgspec.field(default_factory=Counter)
    statuses: Counter[str] = msgspec.field(default_factory=Counter)
    types: Counter[str] = msgspec.field(default_factory=Counter)
    teamless: Counter[str] = msgspec.field(default_factory=Counter)

    def count(self, fact: Fact) -> None:
        """Add a fact."""
        match fact:
            case ChangeFact():
                self._change(fact)
            case DeploymentFact():
                self._deployment(fact)
            case TicketFact(deleted=False):
                self._ticket(fact)
            case WaitFact(excluded=None):
                self.waits[fact.kind] += 1
                self.cross_team[fact.kind] += fact.cross_team
                self.answered[fact.kind] += fact.latency is not None and (fact.cross_team or fact.kind == "decision")
            case DecisionFact():
                self.decisions += 1
            case ArtifactFact():
                self.artifacts += 1
            case _:
                self.failures += fact.KIND == "failure"

    def _change(self, fact: ChangeFact) -> None:
        self.changes += 1
        self.deployed += fact.deployed_at is not None
        self.excluded += fact.excluded is not None
        self.reviewed += fact.first_review_at is not None
        self.authored += fact.authored_at is not None
        self.merged += fact.merged_at is not None
        self.assisted += fact.assistant is not None

    def _deployment(self, fact: DeploymentFact) -> None:
        self.deployments += 1
        self.production += fact.production
        self.finished += fact.production and fact.outcome in ("success", "failure")
        self.failed += fact.production and fact.failed
        self.members += fact.production and fact.changes > 0
        if not fact.production:
            self.environments[fact.environment] += 1
        if fact.team is None:
            self.unowned[fact.service] += 1

    def _ticket(self, fact: TicketFact) -> None:
        self.tickets += 1
        self.started += fact.started_at is not None
        self.done += fact.finish == "done" and fact.started_at is not None
        self.moves += fact.moves
        if fact.canonical_status == "unmapped":
            self.statuses[f"{fact.tracker}: {fact.status or '(none told)'}"] += 1
        if fact.canonical_type == "unmapped":
            self.types[f"{fact.tracker}: {fact.kind or '(none told)'}"] += 1
        if fact.team is None:
            self.teamless[fact.project] += 1


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person should know. `fix` is what to do; empty: there is nothing to do but wait."""

    check: str
    subject: str
    finding: str
    fix: str = ""


def census_of(facts: Iterable[Fact]) -> Census:
    """Count facts."""
    census = Census()
    for fact in facts:
        census.count(fact)
    return census


def why_absent(metric: str, census: Census) -> Finding:
    """Return why a metric has no value for the whole organisation. Raises KeyError for one that does not exist."""
    told = _WHY[metric](census)
    finding, fix = told if told is not None else ("what it counts exists, but not on a day of this window", "")
    return Finding(check="metric", subject=metric, finding=finding, fix=fix)


def gaps(census: Census) -> Iterable[Finding]:
    """Yield what the contract does not know of what was told."""
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


_Why = Callable[[Census], tuple[str, str] | None]


def _listed(names: Counter[str]) -> str:
    shown = ", ".join(f"{name} ({count})" for name, count in names.most_common(_NAMED))
    return shown + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


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


def _waits(kind: str, source: str, *, open_only: bool = False) -> _Why:
    def why(census: Census) -> tuple[str, str] | None:
        if not census.waits[kind]:
            return f"no source told of {source}", ""
        if kind != "decision" and not census.cross_team[kind]:
            return (
                f"{census.waits[kind]} {source}, but not between two known teams",
                "let the contract know teams by what sources call them (`aliases`), and owners of repositories",
            )
        if open_only:
            return "none is open", ""
        return None if census.answered[kind] else ("none has been answered yet", "")

    return why


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
    "discovery_lag": _waits("dependency", _SOURCES["dependency"]),
    "late_discovery_rate": _waits("dependency", _SOURCES["dependency"]),
    "dependency_wait": _waits("dependency", _SOURCES["dependency"]),
    "handoff_return_rate": _waits("handoff", _SOURCES["handoff"]),
    "coordination_debt": _any_wait,
    "overdue_waits": _any_wait,
    **{metric: _waits(kind, _SOURCES[kind]) for kind, metric in LATENCIES.items()},
    **{metric: _waits(kind, _SOURCES[kind], open_only=True) for kind, metric in OPEN_WAITS.items()},
}

#: Metrics that this module cannot explain; a test holds it to be empty.
UNEXPLAINED = sorted({metric.name for metric in CATALOGUE} - set(_WHY))
