"""The first stage of the fold: events in, facts out, in whatever order the events come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pipeline.contract.resolve import Contract
from pipeline.events.coordination import (
    AgentActed,
    ArtifactProposed,
    DecisionEvent,
    HandoffEvent,
    LinkDeclared,
    ReviewRequest,
    TicketTransferred,
)
from pipeline.events.envelope import Event
from pipeline.events.types import (
    BranchUpdated,
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
    CommitRecorded,
    DependencyEvent,
    DeploymentEvent,
    IncidentEvent,
    Payload,
    ServiceRolledBack,
    TicketClosed,
    TicketCreated,
    TicketDeleted,
    TicketMoved,
    TicketUpdated,
)
from pipeline.facts.artifacts import Acts, Artifacts
from pipeline.facts.changes import Changes
from pipeline.facts.commits import Commits, node_key
from pipeline.facts.decisions import Decisions
from pipeline.facts.deployments import Deployments, deployment_id, with_recovery
from pipeline.facts.handoffs import Handoffs, Reviews
from pipeline.facts.incidents import Failures
from pipeline.facts.rows import (
    ActFact,
    ArtifactFact,
    ChangeFact,
    DecisionFact,
    DeploymentFact,
    Fact,
    FailureFact,
    TicketFact,
    WaitFact,
)
from pipeline.facts.state import State
from pipeline.facts.tickets import Tickets
from pipeline.facts.work import Work

#: (kind, id, the fact as it now is; None: it is no fact any more).
Settled = tuple[str, str, Fact | None]
Handler = Callable[[Event, Any], None]


class Correlator:
    """Joins commits, changes, deployments, failures, tickets, waits, decisions and what assistants do.

    `apply(events)` is pure in (state, events): it reads and writes nothing but its tables, and applying a batch in two
    halves leaves the same state as applying it whole. It returns the facts that the batch may have changed; a fact
    that is returned unchanged is allowed, a changed one that is not returned would be an error.
    """

    def __init__(self, state: State, contract: Contract) -> None:
        self._commits = Commits(state)
        self._changes = Changes(state, contract, self._commits)
        self._deployments = Deployments(state, contract, self._commits, self._changes)
        self._failures = Failures(state, contract, self._deployments)
        self._work = Work(state)
        self._tickets = Tickets(state, contract, self._work)
        self._reviews = Reviews(state, contract, self._changes)
        self._handoffs = Handoffs(state, contract)
        self._decisions = Decisions(state, contract)
        self._artifacts = Artifacts(state, contract)
        self._acts = Acts(state, contract)
        self._state = state
        self._handlers: dict[type[Payload], Handler] = {
            CommitRecorded: lambda _, data: self._commits.record(data),
            BranchUpdated: self._pushed,
            ChangeCreated: self._changes.created,
            ChangeUpdated: self._changes.updated,
            ChangeReviewed: self._changes.reviewed,
            ChangeMerged: self._changes.merged,
            ChangeAbandoned: self._changes.abandoned,
            DeploymentEvent: self._deployments.observe,
            ServiceRolledBack: self._failures.observe_rollback,
            IncidentEvent: self._failures.observe_incident,
            TicketCreated: self._work.created,
            TicketUpdated: self._work.updated,
            TicketMoved: self._work.moved,
            TicketClosed: self._work.closed,
            TicketDeleted: self._work.deleted,
            TicketTransferred: self._work.transferred,
            DependencyEvent: self._tickets.depends,
            ReviewRequest: self._reviews.observe,
            HandoffEvent: self._handoffs.observe,
            DecisionEvent: self._decisions.observe,
            ArtifactProposed: self._artifacts.proposed,
            AgentActed: self._acts.acted,
            LinkDeclared: self._linked,
        }

    def apply(self, events: Iterable[Event]) -> list[Settled]:
        """Take in a batch and return the facts that it touched, ordered by kind and id."""
        handlers = self._handlers
        for event in events:
            handler = handlers.get(type(event.data))
            if handler is not None:
                handler(event, event.data)
        self._failures.relink()
        for key in sorted(self._commits.linked):
            self._deployments.graph_appeared(key)
        self._commits.linked.clear()
        return [
            *self._settled_tickets(),
            *self._settled_changes(),
            *self._settled_failures(),
            *self._settled_deployments(),
            *self._settled_requests(),
        ]

    def prefetch(self, events: Iterable[Event]) -> None:
        """Load in bulk the objects that these events name directly; what they lead to is loaded when it is met."""
        wanted: dict[str, set[str]] = {
            name: set() for name in ("node", "change", "review_requests", "deployment", "ticket", "blocks")
        }
        for event in events:
            data = event.data
            if isinstance(data, CommitRecorded):
                wanted["node"].add(node_key(data.repo, data.sha))
            elif isinstance(data, (ChangeCreated, ChangeUpdated, ChangeReviewed, ChangeMerged)):
                wanted["change"].add(data.change)
            elif isinstance(data, DeploymentEvent):
                wanted["deployment"].add(deployment_id(event.source, data))
            elif isinstance(data, (TicketCreated, TicketUpdated, TicketMoved, DependencyEvent)):
                wanted["ticket"].add(data.ticket)
        wanted["review_requests"], wanted["blocks"] = wanted["change"], wanted["ticket"]
        for name, keys in wanted.items():
            self._state.tables[name].prefetch(keys)

    def _pushed(self, _: Event, data: BranchUpdated) -> None:
        self._commits.push(data)
        self._changes.pushed(data)

    def _linked(self, event: Event, data: LinkDeclared) -> None:
        owners: dict[str, Callable[[Event, LinkDeclared], None]] = {
            "artifact": self._artifacts.linked,
            "change": self._changes.linked,
            "ticket": self._work.linked,
            "decision": self._decisions.linked,
        }
        owners[data.kind](event, data)

    def _settled_tickets(self) -> list[Settled]:
        settled: list[Settled] = []
        for key, ticket, life, fact, waits in self._tickets.settle():
            settled.append((TicketFact.KIND, key, fact))
            settled += [(WaitFact.KIND, wait, found) for wait, found in waits.items()]
            # A ticket may be a decision by its type or labels, or be one no more.
            item = self._decisions.item(ticket, life) if fact is not None and not fact.deleted else None
            if item is not None or ticket.decides:
                ticket.decides = True
                self._work.keep(key, ticket)
                self._decisions.of_ticket(key, item)
        return settled

    def _settled_requests(self) -> list[Settled]:
        settled: list[Settled] = []
        for key in sorted(_taken(self._decisions.touched)):
            decision, wait = self._decisions.settle(key)
            settled += [(DecisionFact.KIND, key, decision), (WaitFact.KIND, f"decision|{key}", wait)]
        settled += [
            (WaitFact.KIND, f"handoff|{key}", self._handoffs.settle(key))
            for key in sorted(_taken(self._handoffs.touched))
        ]
        for change in sorted(_taken(self._reviews.touched)):
            settled += [(WaitFact.KIND, key, wait) for key, wait in self._reviews.settle(change)]
        artifacts, acts = sorted(_taken(self._artifacts.touched)), sorted(_taken(self._acts.touched))
        settled += [(ArtifactFact.KIND, key, self._artifacts.settle(key)) for key in artifacts]
        settled += [(ActFact.KIND, key, self._acts.settle(key)) for key in acts]
        return settled

    def _settled_changes(self) -> list[Settled]:
        keys = sorted(_taken(self._changes.touched))
        self._reviews.touched.update(keys)
        settled: list[Settled] = [(ChangeFact.KIND, key, self._changes.settle(key)) for key in keys]
        commits = sorted(_taken(self._commits.touched_commits))
        for key in commits:
            outcome = self._changes.settle_commit(key)
            if outcome is not None:
                settled.append((ChangeFact.KIND, *outcome))
        return settled

    def _settled_failures(self) -> list[Settled]:
        keys = sorted(_taken(self._failures.touched))
        return [(FailureFact.KIND, key, self._failures.settle(key)) for key in keys]

    def _settled_deployments(self) -> list[Settled]:
        keys = sorted(_taken(self._deployments.touched))
        settled: list[Settled] = []
        for key in keys:
            fact = self._deployments.settle(key)
            if fact is not None and fact.failed:
                ends = self._failures.recoveries(fact.failures)
                if fact.outcome == "failure":
                    later = self._deployments.next_success(key)
                    ends += [] if later is None else [later]
                fact = with_recovery(fact, ends)
            settled.append((DeploymentFact.KIND, key, fact))
        return settled


def _taken(touched: set[str]) -> set[str]:
    """Return what a set holds, and empty it."""
    taken = set(touched)
    touched.clear()
    return taken
