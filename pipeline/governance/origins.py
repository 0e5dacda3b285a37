"""The events that a fact rests on: which to look for, and which of those found are its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

import msgspec

from pipeline.events.coordination import (
    AgentActed,
    ArtifactProposed,
    DecisionEvent,
    HandoffEvent,
    LinkDeclared,
    ReviewRequest,
    TicketTransferred,
)
from pipeline.events.types import (
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
from pipeline.facts.changes import Change
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

_CHANGE = (ChangeCreated, ChangeUpdated, ChangeReviewed, ChangeMerged, ChangeAbandoned)
_TICKET = (TicketCreated, TicketUpdated, TicketMoved, TicketClosed, TicketDeleted, TicketTransferred)


class Word(Protocol):
    """An event, as far as it is looked at here; `at` is microseconds since 1970."""

    @property
    def at(self) -> int: ...
    @property
    def id(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def data(self) -> Payload: ...


class Told(Word, Protocol):
    """An event with what it is and what it is about."""

    @property
    def type(self) -> str: ...
    @property
    def subject(self) -> str: ...


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Events about one of some subjects, with one of some payloads that has these values in its fields."""

    subjects: frozenset[str]
    payloads: tuple[type[Payload], ...]
    fields: tuple[tuple[str, str], ...] = ()
    source: str | None = None

    @property
    def types(self) -> set[str]:
        """The types of such events."""
        return {name for payload in self.payloads for name in payload.TYPES}

    def takes(self, told: Told) -> bool:
        """Tell whether an event is one of them."""
        return (
            told.subject in self.subjects
            and isinstance(told.data, self.payloads)
            and self.source in (None, told.source)
            and all(getattr(told.data, name) == value for name, value in self.fields)
        )


def wanted(fact: Fact, state: State) -> list[Wanted]:
    """Return what the events of a fact look like."""
    return list(_wanted(fact, state))


def own(wants: Iterable[Wanted], told: Collection[Told]) -> list[str]:
    """Return the ids of those events that are wanted, in their order."""
    wants = list(wants)
    return [each.id for each in told if any(want.takes(each) for want in wants)]


def _wanted(fact: Fact, state: State) -> Iterator[Wanted]:
    if isinstance(fact, ChangeFact):
        yield _about(fact.id, *_CHANGE, CommitRecorded)
        yield _linked("change", fact.id)
        change = state.table("change", Change).get(fact.id)
        shas = [] if change is None else change.claimed()
        yield Wanted(subjects=frozenset(f"{fact.repo}@{sha}" for sha in shas), payloads=(CommitRecorded,))
    elif isinstance(fact, DeploymentFact):
        # A tag is told about its service or repository, and names itself in the deployment's id.
        named = (fact.deployment, fact.deployment.rpartition("@")[0], fact.service, fact.repo or "")
        fields = (("deployment", fact.deployment),)
        subjects = frozenset(name for name in named if name)
        yield Wanted(subjects=subjects, payloads=(DeploymentEvent,), fields=fields, source=fact.source)
    elif isinstance(fact, FailureFact):
        source, _, rest = fact.id.partition(f"|{fact.kind}|")
        payload = IncidentEvent if fact.kind == "incident" else ServiceRolledBack
        yield Wanted(subjects=frozenset({rest}), payloads=(payload,), source=source)
    elif isinstance(fact, TicketFact):
        yield _about(fact.id, *_TICKET, DependencyEvent)
        yield _linked("ticket", fact.id)
    elif isinstance(fact, WaitFact):
        yield from _of_wait(fact)
    elif isinstance(fact, DecisionFact):
        yield _about(fact.id, DecisionEvent, TicketCreated, TicketUpdated, TicketMoved, TicketClosed)
        yield _linked("decision", fact.id)
    elif isinstance(fact, ArtifactFact):
        yield _about(fact.id, ArtifactProposed)
        yield _linked("artifact", fact.id)
    elif isinstance(fact, ActFact):
        yield _about(fact.id, AgentActed)


def _of_wait(wait: WaitFact) -> Iterator[Wanted]:
    parts = wait.id.split("|")
    if wait.kind == "dependency" and wait.on is not None:
        edge = (("blocked_by", wait.on),)
        yield Wanted(subjects=frozenset({wait.subject}), payloads=(DependencyEvent,), fields=edge)
        yield _about(wait.on, TicketMoved, TicketClosed, TicketDeleted)
    elif wait.kind == "review":
        asked = (("team", parts[2]),)
        yield Wanted(subjects=frozenset({wait.subject}), payloads=(ReviewRequest,), fields=asked)
        yield _about(wait.subject, ChangeReviewed, ChangeMerged, ChangeAbandoned)
    elif wait.kind == "handoff" and parts[0] == "transfer":
        yield _about(wait.subject, TicketTransferred, TicketUpdated, TicketMoved)
    elif wait.kind == "handoff":
        yield _about(wait.subject, HandoffEvent)
    elif wait.kind == "decision":
        yield _about(wait.subject, DecisionEvent, TicketCreated, TicketUpdated, TicketMoved, TicketClosed)


def _about(subject: str, *payloads: type[Payload]) -> Wanted:
    return Wanted(subjects=frozenset({subject}), payloads=payloads)


def _linked(kind: str, key: str) -> Wanted:
    fields = (("kind", kind), ("subject_id", key))
    return Wanted(subjects=frozenset({key}), payloads=(LinkDeclared,), fields=fields)
