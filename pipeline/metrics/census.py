"""What facts there are, as far as it says why a metric is empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from pipeline.facts.rows import ArtifactFact, ChangeFact, DecisionFact, DeploymentFact, Fact, TicketFact, WaitFact


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
    #: Of the waits that count, those that have a latency, that have a lag, and that ended in whatever way.
    answered: Counter[str] = msgspec.field(default_factory=Counter)
    lagging: Counter[str] = msgspec.field(default_factory=Counter)
    ended: Counter[str] = msgspec.field(default_factory=Counter)
    decisions: int = 0
    artifacts: int = 0
    #: Environments that are not production, unowned services, and what the contract has no words for.
    environments: Counter[str] = msgspec.field(default_factory=Counter)
    unowned: Counter[str] = msgspec.field(default_factory=Counter)
    statuses: Counter[str] = msgspec.field(default_factory=Counter)
    types: Counter[str] = msgspec.field(default_factory=Counter)
    teamless: Counter[str] = msgspec.field(default_factory=Counter)
    #: Ticket -> the one above it.
    parents: dict[str, str] = msgspec.field(default_factory=dict)

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
                self._wait(fact)
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

    def _wait(self, fact: WaitFact) -> None:
        counts = fact.cross_team or fact.kind == "decision"
        self.waits[fact.kind] += 1
        self.cross_team[fact.kind] += fact.cross_team
        self.answered[fact.kind] += counts and fact.latency is not None
        self.lagging[fact.kind] += counts and fact.discovery_lag is not None
        self.ended[fact.kind] += counts and fact.ended_at is not None

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
        if fact.parent is not None:
            self.parents[fact.id] = fact.parent


def census_of(facts: Iterable[Fact]) -> Census:
    """Count facts."""
    census = Census()
    for fact in facts:
        census.count(fact)
    return census
