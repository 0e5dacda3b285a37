"""Telling: how the simulated systems wrap a payload in an envelope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from pipeline.events.coordination import (
    AgentActed,
    ArtifactProposed,
    DecisionEvent,
    GateEvaluated,
    HandoffEvent,
    LinkDeclared,
    OutcomeSampled,
    ReviewRequest,
    RolloutChanged,
    TicketTransferred,
)
from pipeline.events.envelope import Event
from pipeline.events.ids import event_id
from pipeline.events.times import from_us
from pipeline.events.types import (
    ArtifactPublished,
    BranchUpdated,
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
    CommitRecorded,
    ContractDeclared,
    DependencyEvent,
    DeploymentEvent,
    IncidentEvent,
    Payload,
    PipelineRun,
    ServiceRolledBack,
    TicketClosed,
    TicketCreated,
    TicketDeleted,
    TicketMoved,
    TicketUpdated,
)

FORGE = "https://forge.acme.example"
CONVEYOR = "https://deploy.acme.example"
PAGER = "https://pager.acme.example"
TRACKER = "https://tracker.acme.example"
CONTRACT = "urn:leadline:contract"
DESK = "urn:leadline:desk"
ASSISTANT = "https://assistant.acme.example"
ANALYTICS = "https://analytics.acme.example"
FLAGS = "https://flags.acme.example"

#: (source, subject, partition key) of a payload.
Address = tuple[str, str, str]


def _change(data: Any) -> Address:
    return FORGE, data.change, data.repo


def _ticket(data: Any) -> Address:
    return TRACKER, data.ticket, data.ticket.rpartition("-")[0] or data.ticket


_ADDRESS: dict[type[Payload], Callable[[Any], Address]] = {
    CommitRecorded: lambda data: (FORGE, f"{data.repo}@{data.sha}", data.repo),
    BranchUpdated: lambda data: (FORGE, f"{data.repo}:{data.branch}", data.repo),
    ChangeCreated: _change,
    ChangeUpdated: _change,
    ChangeReviewed: _change,
    ChangeMerged: _change,
    ChangeAbandoned: _change,
    DeploymentEvent: lambda data: (CONVEYOR, data.deployment, data.repo or data.service or CONVEYOR),
    ServiceRolledBack: lambda data: (CONVEYOR, data.rollback, data.repo or data.service or CONVEYOR),
    IncidentEvent: lambda data: (PAGER, data.incident, data.service or data.repo or PAGER),
    TicketCreated: _ticket,
    TicketUpdated: _ticket,
    TicketMoved: _ticket,
    TicketClosed: _ticket,
    TicketDeleted: _ticket,
    DependencyEvent: _ticket,
    PipelineRun: lambda data: (FORGE, data.run, data.repo or FORGE),
    ArtifactPublished: lambda data: (FORGE, f"{data.repo}@{data.tag}", data.repo),
    ReviewRequest: _change,
    TicketTransferred: _ticket,
    HandoffEvent: lambda data: (DESK, data.handoff, data.handoff),
    DecisionEvent: lambda data: (DESK, data.decision, data.decision),
    LinkDeclared: lambda data: (DESK, data.subject_id, data.subject_id),
    GateEvaluated: lambda data: (DESK, f"{data.initiative}/{data.gate}", data.initiative),
    ArtifactProposed: lambda data: (ASSISTANT, data.artifact, data.artifact),
    AgentActed: lambda data: (ASSISTANT, data.act, data.agent),
    OutcomeSampled: lambda data: (ANALYTICS, data.metric, data.metric),
    RolloutChanged: lambda data: (FLAGS, data.rollout, data.rollout),
    ContractDeclared: lambda data: (CONTRACT, f"{data.kind}/{data.name}", "contract"),
}

_encoder = msgspec.json.Encoder()


def tell(event_type: str, at_us: int, data: Payload, source: str | None = None) -> Event:
    """Return the event of `data` at `at_us`; its id covers type, instant and every field, so content follows from id.

    `source` replaces the system that usually tells such a payload.
    """
    usual, subject, key = _ADDRESS[type(data)](data)
    return Event(
        id=event_id(event_type, at_us, _encoder.encode(data).decode()),
        source=source or usual,
        type=event_type,
        time=from_us(at_us),
        subject=subject,
        partitionkey=key,
        data=data,
    )
