"""The whole vocabulary: the table from event type to the struct of its payload."""

from __future__ import annotations

from pipeline.events import coordination, types
from pipeline.events.types import Payload

PAYLOADS: tuple[type[Payload], ...] = (
    types.CommitRecorded,
    types.BranchUpdated,
    types.ChangeCreated,
    types.ChangeUpdated,
    types.ChangeReviewed,
    types.ChangeMerged,
    types.ChangeAbandoned,
    types.DeploymentEvent,
    types.ServiceRolledBack,
    types.IncidentEvent,
    types.TicketCreated,
    types.TicketUpdated,
    types.TicketMoved,
    types.TicketClosed,
    types.TicketDeleted,
    types.DependencyEvent,
    types.PipelineRun,
    types.ArtifactPublished,
    types.ContractDeclared,
    coordination.AgentActed,
    coordination.ArtifactProposed,
    coordination.DecisionEvent,
    coordination.GateEvaluated,
    coordination.HandoffEvent,
    coordination.LinkDeclared,
    coordination.OutcomeSampled,
    coordination.ReviewRequest,
    coordination.RolloutChanged,
    coordination.TicketTransferred,
)

#: Event type -> the struct of its payload.
TYPES: dict[str, type[Payload]] = {name: payload for payload in PAYLOADS for name in payload.TYPES}
