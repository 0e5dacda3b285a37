"""The vocabulary of coordination and outcomes: what happens between teams, and what a change was good for.

The rules of `pipeline.events.types` hold here too. Teams are named as the source names them.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from pipeline.events.types import Instant, Name, Payload, Ref

Count = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class ReviewRequest(Payload, frozen=True, kw_only=True):
    """A review of a change was asked of a team or a person, or is no longer asked, at the event's time.

    `reviewer` is a pseudonym. Neither: the source does not tell who was asked.
    """

    TYPES = (
        "dev.cdeventsx.leadline-review.requested.1.0.0",
        "dev.cdeventsx.leadline-review.withdrawn.1.0.0",
    )
    repo: Name
    change: Name
    team: Name | None = None
    reviewer: Name | None = None


class TicketTransferred(Payload, frozen=True, kw_only=True):
    """A work item went from one team (or project, where teams are projects) to another at the event's time."""

    TYPES = ("dev.cdeventsx.leadline-ticket.transferred.1.0.0",)
    tracker: str
    ticket: Name
    to_team: Name
    from_team: Name | None = None
    actor: str | None = None


class HandoffEvent(Payload, frozen=True, kw_only=True):
    """Work was asked to be taken over, was accepted, was returned, or was delivered, at the event's time.

    `handoff` is its id. What is handed over is a `ticket` or, in words, the `title`. Every event of one hand-over may
    repeat or leave out the other fields; the latest that tells one holds.
    """

    TYPES = (
        "dev.cdeventsx.leadline-handoff.requested.1.0.0",
        "dev.cdeventsx.leadline-handoff.accepted.1.0.0",
        "dev.cdeventsx.leadline-handoff.returned.1.0.0",
        "dev.cdeventsx.leadline-handoff.delivered.1.0.0",
    )
    handoff: Name
    from_team: Name | None = None
    to_team: Name | None = None
    ticket: Name | None = None
    title: str = ""
    needed_by: Instant | None = None
    refs: list[Ref] = []


class DecisionEvent(Payload, frozen=True, kw_only=True):
    """A decision was asked for, made, superseded or reversed, at the event's time.

    `decision` is its id. `category` is its class in the policy. `outcome` says how it was decided; a decision that was
    made without telling how counts as accepted. `approvers` are roles or teams, never people; they accumulate. `by`
    is the decision that superseded or reversed it. `decided` may be told repeatedly: the earliest holds.
    """

    TYPES = (
        "dev.cdeventsx.leadline-decision.requested.1.0.0",
        "dev.cdeventsx.leadline-decision.decided.1.0.0",
        "dev.cdeventsx.leadline-decision.superseded.1.0.0",
        "dev.cdeventsx.leadline-decision.reversed.1.0.0",
    )
    decision: Name
    title: str = ""
    category: Name | None = None
    outcome: Literal["accepted", "rejected"] | None = None
    approvers: list[str] = []
    by: Name | None = None
    from_team: Name | None = None
    to_team: Name | None = None
    needed_by: Instant | None = None
    ticket: Name | None = None
    url: str | None = None
    refs: list[Ref] = []


class ArtifactProposed(Payload, frozen=True, kw_only=True):
    """An assistant proposed something (a specification, a plan, a change), at the event's time.

    `initiative` is the canonical object that it was made for, as the assistant names it. `context` identifies the
    prompt or the version of the context that it was made from.
    """

    TYPES = ("dev.cdeventsx.leadline-artifact.proposed.1.0.0",)
    artifact: Name
    kind: str = ""
    title: str = ""
    agent: str | None = None
    context: str | None = None
    initiative: Name | None = None
    repo: Name | None = None
    change: Name | None = None
    ticket: Name | None = None
    url: str | None = None


class LinkDeclared(Payload, frozen=True, kw_only=True):
    """A person linked something to an initiative by hand, at the event's time; the latest link holds."""

    TYPES = ("dev.cdeventsx.leadline-link.declared.1.0.0",)
    kind: Literal["artifact", "change", "ticket", "decision"]
    subject_id: Name
    initiative: Name
    reason: str = ""
    actor: str | None = None


class AgentActed(Payload, frozen=True, kw_only=True):
    """A software agent did something by itself, at the event's time.

    `action` is a name that the policy's agent boundaries use. `approvals` are the roles or teams that agreed to it.
    """

    TYPES = ("dev.cdeventsx.leadline-agent.acted.1.0.0",)
    act: Name
    agent: Name
    action: Name
    approvals: list[str] = []
    on: str | None = None
    initiative: Name | None = None
    url: str | None = None


class GateEvaluated(Payload, frozen=True, kw_only=True):
    """A governance gate was tried at the event's time. `missing`: what it lacked; empty: it was passed.

    `rule` is the version of the rule, `evidence` the ids of events that it looked at.
    """

    TYPES = ("dev.cdeventsx.leadline-gate.evaluated.1.0.0",)
    gate: Name
    initiative: Name
    passed: bool
    missing: list[str] = []
    rule: str = ""
    evidence: list[str] = []
    exempt_until: Instant | None = None


class OutcomeSampled(Payload, frozen=True, kw_only=True):
    """What is known of a declared metric in one period [`start`, `end`), for one variant, as of the event's time.

    A sample replaces the earlier ones of its source, metric, period and variant: the one with the highest
    (`revision`, time, id) holds. `n` units were observed. `total` is the number of successes (proportion), the sum of
    the values (mean), or the quantity itself (count); `squares` the sum of squared values (mean). `variant` None:
    everybody.
    """

    TYPES = ("dev.cdeventsx.leadline-outcome.sampled.1.0.0",)
    metric: Name
    start: Instant
    end: Instant
    n: Count
    total: float
    squares: float | None = None
    variant: Name | None = None
    revision: Count = 0


class RolloutChanged(Payload, frozen=True, kw_only=True):
    """A feature flag or an experiment is so from the event's time on; the latest word holds.

    `exposure` is the share of units that get anything but the default, `variants` the share of each; None and {}: not
    told. `environment` is the source's word.
    """

    TYPES = ("dev.cdeventsx.leadline-rollout.changed.1.0.0",)
    rollout: Name
    state: Literal["on", "off", "archived"]
    environment: Name | None = None
    project: str | None = None
    title: str = ""
    exposure: Share | None = None
    variants: dict[str, Share] = {}
    tags: list[str] = []
    refs: list[Ref] = []
    actor: str | None = None
    url: str | None = None
