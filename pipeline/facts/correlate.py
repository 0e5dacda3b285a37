"""The first stage of the fold: events in, facts out, in whatever order the events come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pipeline.contract.resolve import Contract
from pipeline.events.envelope import Event
from pipeline.events.types import (
    BranchUpdated,
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
    CommitRecorded,
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
from pipeline.facts.changes import Changes
from pipeline.facts.commits import Commits, node_key
from pipeline.facts.deployments import Deployments, deployment_id, with_recovery
from pipeline.facts.incidents import Failures
from pipeline.facts.rows import ChangeFact, DeploymentFact, Fact, FailureFact, TicketFact
from pipeline.facts.state import State
from pipeline.facts.work import Work

#: (kind, id, the fact as it now is; None: it is no fact any more).
Settled = tuple[str, str, Fact | None]
Handler = Callable[[Event, Any], None]


class Correlator:
    """Joins commits, changes, deployments, failures and tickets.

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
        return [*self._tickets(), *self._settled_changes(), *self._settled_failures(), *self._settled_deployments()]

    def prefetch(self, events: Iterable[Event]) -> None:
        """Load in bulk the objects that these events name directly; what they lead to is loaded when it is met."""
        wanted: dict[str, set[str]] = {"node": set(), "change": set(), "deployment": set(), "ticket": set()}
        for event in events:
            data = event.data
            if isinstance(data, CommitRecorded):
                wanted["node"].add(node_key(data.repo, data.sha))
            elif isinstance(data, (ChangeCreated, ChangeUpdated, ChangeReviewed, ChangeMerged)):
                wanted["change"].add(data.change)
            elif isinstance(data, DeploymentEvent):
                wanted["deployment"].add(deployment_id(event.source, data))
            elif isinstance(data, (TicketCreated, TicketUpdated, TicketMoved)):
                wanted["ticket"].add(data.ticket)
        for name, keys in wanted.items():
            self._state.tables[name].prefetch(keys)

    def _pushed(self, _: Event, data: BranchUpdated) -> None:
        self._commits.push(data)
        self._changes.pushed(data)

    def _tickets(self) -> list[Settled]:
        keys, self._work.touched = sorted(self._work.touched), set()
        return [(TicketFact.KIND, key, self._work.settle(key)) for key in keys]

    def _settled_changes(self) -> list[Settled]:
        keys = sorted(self._changes.touched)
        self._changes.touched.clear()
        settled: list[Settled] = [(ChangeFact.KIND, key, self._changes.settle(key)) for key in keys]
        commits = sorted(self._commits.touched_commits)
        self._commits.touched_commits.clear()
        for key in commits:
            outcome = self._changes.settle_commit(key)
            if outcome is not None:
                settled.append((ChangeFact.KIND, *outcome))
        return settled

    def _settled_failures(self) -> list[Settled]:
        keys, self._failures.touched = sorted(self._failures.touched), set()
        return [(FailureFact.KIND, key, self._failures.settle(key)) for key in keys]

    def _settled_deployments(self) -> list[Settled]:
        keys, self._deployments.touched = sorted(self._deployments.touched), set()
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
