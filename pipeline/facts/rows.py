"""Facts: what the fold concludes about a change, a ticket, a wait ... See `docs/definitions.md`, `coordination.md`.

A fact is identified by (kind, id) and replaced as a whole: a later revision retracts the earlier one. Instants are
integer microseconds since 1970 (UTC), spans float seconds; None means not known.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pipeline.events.types import Ref


class Fact(msgspec.Struct, kw_only=True, array_like=True):
    """Base of all facts."""

    KIND: ClassVar[str] = ""

    def day_us(self) -> int | None:
        """The instant that decides under which month a snapshot files the fact; None: not yet dated."""
        return None


class ChangeFact(Fact):
    """A change (pull request, merge request or a commit that belongs to none)."""

    KIND = "change"
    id: str  # "acme/shop#7" or "acme/shop@<sha>"
    kind: str  # "pull_request" | "commit"
    repo: str
    services: list[str]
    service: str | None  # the one whose deployment delivered it, else the only one it has, else None
    team: str | None
    title: str
    status: str  # "open" | "abandoned" | "merged" | "deployed"
    created_at: int | None = None
    authored_at: int | None = None
    first_review_at: int | None = None
    merged_at: int | None = None
    deployed_at: int | None = None
    deployment: str | None = None  # id of the DeploymentFact
    method: str | None = None  # "ancestry" | "time"
    excluded: str | None = None  # "seed"
    lead_time: float | None = None
    coding_time: float | None = None
    pickup_time: float | None = None
    review_time: float | None = None
    deploy_time: float | None = None
    negative: int = 0  # how many of the five spans were negative and are therefore null
    unplanned: bool = False
    exempt: bool = False
    refs: list[Ref] = []
    # filled by identity
    initiative: str | None = None
    confidence: str | None = None  # "declared" | "linked" | "inferred" | "ambiguous" | None (orphan)
    candidates: list[str] = []  # the initiatives among which an ambiguous change could not choose
    evidence: str | None = None  # what linked it, e.g. "trailer Initiative=x", "GROW-12 > GROW-3"
    assistant: str | None = None

    def day_us(self) -> int | None:
        return self.deployed_at or self.merged_at or self.created_at or self.authored_at


class DeploymentFact(Fact):
    """A deployment of one service to one environment."""

    KIND = "deployment"
    id: str
    source: str
    deployment: str  # the source's own id
    service: str
    team: str | None
    repo: str | None
    sha: str | None
    environment: str
    production: bool
    outcome: str  # "success" | "failure" | "cancelled" | "running"
    started_at: int | None = None
    finished_at: int | None = None
    version: str | None = None
    url: str | None = None
    previous: str | None = None
    seed: bool = False
    failed: bool = False
    failures: list[str] = []  # ids of linked FailureFacts
    recovered_at: int | None = None
    recovery_time: float | None = None
    negative: int = 0
    caused_by: str | None = None
    # filled by identity, from the member changes
    rework: bool = False
    changes: int = 0
    trace: str = "empty"  # "traced" | "ambiguous" | "orphan" | "exempt" | "empty"
    initiatives: list[str] = []

    def day_us(self) -> int | None:
        return self.finished_at or self.started_at


class FailureFact(Fact):
    """An incident or a rollback, and the deployment it is put down to."""

    KIND = "failure"
    id: str
    kind: str  # "incident" | "rollback"
    service: str | None
    team: str | None
    environment: str | None
    severity: str | None
    title: str
    detected_at: int
    resolved_at: int | None = None
    deployment: str | None = None  # id of the DeploymentFact
    method: str | None = None  # "explicit" | "window"
    excluded: str | None = None  # "not_production"
    url: str | None = None

    def day_us(self) -> int | None:
        return self.detected_at


class TicketFact(Fact):
    """A work item and the initiative that it serves."""

    KIND = "ticket"
    id: str  # the tracker's key, e.g. "GROW-12", "acme/shop#7"
    tracker: str
    project: str
    kind: str
    title: str
    status: str
    parent: str | None = None
    labels: list[str] = []
    created_at: int | None = None
    updated_at: int | None = None
    closed_at: int | None = None
    deleted: bool = False
    # filled by identity
    initiative: str | None = None
    candidates: list[str] = []
    evidence: str | None = None
    link: str | None = None  # the initiative to which a person linked it
    team: str | None = None
    canonical_type: str = "unmapped"
    canonical_status: str = "unmapped"
    status_since: int | None = None
    started_at: int | None = None
    finished_at: int | None = None
    finish: str | None = None  # "done" | "cancelled" | "deleted"
    flow_time: float | None = None
    active_time: float | None = None
    waiting_time: float | None = None
    blocked_time: float | None = None
    blocked_since: int | None = None
    moves: int = 0
    reasoned: int = 0
    last_decision_at: int | None = None
    # filled by identity, from the changes that name it
    last_change_at: int | None = None
    last_review_at: int | None = None
    last_merge_at: int | None = None
    last_deployment_at: int | None = None

    def day_us(self) -> int | None:
        return self.created_at or self.updated_at


class WaitFact(Fact):
    """Time that one team spends because of another: a dependency, a review, a hand-off or a decision."""

    KIND = "wait"
    id: str
    kind: str  # "dependency" | "review" | "handoff" | "decision"
    subject: str  # what waits: a ticket, a change, or the id of a hand-over or decision
    on: str | None  # what it waits for: the blocker; None where that is the provider itself
    opened_at: int
    consumer: str | None = None
    provider: str | None = None
    cross_team: bool = False
    mode: str | None = None  # "collaboration" | "x-as-a-service" | "facilitating" | "implicit"
    due_at: int | None = None
    ended_at: int | None = None
    end: str | None = None  # answers: "completed" | "answered" | "accepted" | "decided"; censored: the others
    latency: float | None = None
    negative: int = 0
    excluded: str | None = None  # "self" | "alias" | "already_done"
    discovery_lag: float | None = None
    stub: bool = False
    bounces: int = 0
    missing: list[str] = []
    title: str = ""
    refs: list[Ref] = []
    # filled by identity
    initiative: str | None = None
    candidates: list[str] = []

    def day_us(self) -> int | None:
        return self.opened_at


class DecisionFact(Fact):
    """A decision: when it was asked for and made, by whose agreement, and what became of it."""

    KIND = "decision"
    id: str
    title: str
    status: str  # "open" | "accepted" | "rejected" | "superseded" | "reversed"
    category: str | None = None
    from_team: str | None = None
    to_team: str | None = None
    ticket: str | None = None
    asked_at: int | None = None
    decided_at: int | None = None
    due_at: int | None = None
    outcome: str | None = None
    latency: float | None = None
    negative: int = 0
    approvers: list[str] = []
    lacking: list[str] = []
    superseded_at: int | None = None
    reversed_at: int | None = None
    by: str | None = None
    url: str | None = None
    refs: list[Ref] = []
    # filled by identity
    initiative: str | None = None
    candidates: list[str] = []

    def day_us(self) -> int | None:
        return self.asked_at or self.decided_at or self.superseded_at or self.reversed_at


class ArtifactFact(Fact):
    """Something that an assistant proposed, and whether it refers to the canonical initiative."""

    KIND = "artifact"
    id: str
    kind: str
    title: str
    proposed_at: int
    status: str  # "linked" | "missing" | "unknown" | "closed"
    agent: str | None = None
    context: str | None = None
    named: str | None = None
    initiative: str | None = None
    relinked_at: int | None = None
    repo: str | None = None
    change: str | None = None
    ticket: str | None = None
    url: str | None = None

    def day_us(self) -> int | None:
        return self.proposed_at


class ActFact(Fact):
    """What a software agent did by itself, and whether it was allowed to."""

    KIND = "act"
    id: str
    agent: str
    action: str
    acted_at: int
    rule: str | None = None  # "automated" | "human" | "crossFunctional" | "undeclared"
    approvals: list[str] = []
    violation: bool = False
    on: str | None = None
    initiative: str | None = None
    url: str | None = None

    def day_us(self) -> int | None:
        return self.acted_at


FACTS: dict[str, type[Fact]] = {
    fact.KIND: fact
    for fact in (ChangeFact, DeploymentFact, FailureFact, TicketFact, WaitFact, DecisionFact, ArtifactFact, ActFact)
}


class Revision(msgspec.Struct, frozen=True):
    """One fact as it now is, and as it was before: `old` None: new; `new` None: retracted for good."""

    kind: str
    id: str
    old: Fact | None
    new: Fact | None
