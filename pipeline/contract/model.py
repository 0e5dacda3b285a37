"""The kinds of the contract, as people write them. `docs/contract.md` is their reference.

Unknown keys are refused and types are not coerced: `12` is no text and `"0.4"` is no number. What is written here is
checked once, when it is read from files; the fold reads declared objects through `rules.py` instead.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from pipeline.contract.fields import Day, Duration, Horizon, Name, ServiceName, Text
from pipeline.contract.metric import Metric
from pipeline.contract.parts import Object, Part, ServiceMetadata

Stage = Literal["idea", "bet", "commit", "done", "stopped"]
CanonicalStatus = Literal["proposed", "ready", "in_progress", "in_review", "blocked", "done", "cancelled"]
CanonicalType = Literal["epic", "story", "task", "bug", "incident"]
EvidenceKind = Literal["change", "review", "merge", "deployment", "decision", "outcome"]
TeamType = Literal["stream-aligned", "platform", "enabling", "complicated-subsystem"]
InteractionMode = Literal["collaboration", "x-as-a-service", "facilitating"]


class Outcome(Part):
    """A measurable result that the initiative is for."""

    metric: ServiceName
    """Name of the outcome metric: a Metric, or as a file of samples names it."""
    baseline: float | None = None
    """Value before the work."""
    target: float
    """Value that counts as reached."""
    direction: Literal["up", "down"]
    """Whether more or less of it is better."""
    horizon: Duration | None = None
    """How long after shipping the effect can be read."""

    @model_validator(mode="after")
    def _agree(self) -> Outcome:
        if self.baseline is not None:
            rises = self.target > self.baseline
            if self.target == self.baseline or rises != (self.direction == "up"):
                raise ValueError(
                    f"target {self.target} does not lie {self.direction} from baseline {self.baseline}; "
                    "correct the direction or one of the two"
                )
        return self


class Assumption(Part):
    """Something the initiative takes for true."""

    id: Name
    """Identity within the initiative."""
    text: Text
    """The assumption itself."""
    status: Literal["open", "confirmed", "refuted"] = "open"
    """What evidence has said so far."""


class Track(Part):
    """One thing in a tracker or forge that marks work of the initiative; exactly one of the three keys."""

    epic: Text | None = None
    """Key of a ticket whose descendants belong to the initiative."""
    ticket: Text | None = None
    """Key of a ticket that belongs to the initiative; its descendants do too."""
    label: Text | None = None
    """Label of tickets or changes that belong to the initiative."""

    @model_validator(mode="after")
    def _one(self) -> Track:
        told = [key for key in ("epic", "ticket", "label") if getattr(self, key) is not None]
        if len(told) != 1:
            raise ValueError(f"needs exactly one of epic, ticket, label; found {', '.join(told) or 'none'}")
        return self


class Tracks(Part):
    """Where the work of an initiative shows. A tracker that is not listed may be added under its connector's name."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, list[Track]] = Field(init=False)

    jira: list[Track] = []
    """Jira epics, tickets and labels."""
    github: list[Track] = []
    """GitHub issues and labels."""
    gitlab: list[Track] = []
    """GitLab epics, issues and labels."""
    linear: list[Track] = []
    """Linear projects, issues and labels."""
    azure: list[Track] = []
    """Azure Boards work items and tags."""
    trailer: list[Literal["Initiative"]] = []
    """Commit trailers by which people name this initiative; `Initiative` is the one that is read."""
    service: list[ServiceName] = []
    """Services whose every change serves the initiative unless something more explicit says otherwise."""


class Exemption(Part):
    """Leave to be in stage `commit` without what its gate asks for; it ends by itself."""

    until: Day
    """The last day on which it holds."""
    reason: Text
    """Why."""


class InitiativeSpec(Part):
    """A strategic intent that work is joined to."""

    owner: Name | None = None
    """The one team that answers for it."""
    stage: Stage
    """How far the organisation is committed. `commit` and `done` need owner, outcomes, horizon and decision."""
    outcomes: list[Outcome] = []
    """What it is for."""
    assumptions: list[Assumption] = []
    """What it takes for true."""
    aliases: list[Text] = []
    """Other names under which it is mentioned; compared without regard to case."""
    horizon: Horizon | None = None
    """By when evidence must be in: a date, or a duration from the decision on."""
    decision: Text | None = None
    """Id or address of the decision that committed to it."""
    commit_by: Day | None = Field(default=None, alias="commitBy")
    """The day by which its gate from `bet` to `commit` is due."""
    exemption: Exemption | None = None
    """Leave to pass that gate for a while."""
    tracks: Tracks = Tracks()
    """Where its work shows."""

    @model_validator(mode="after")
    def _distinct(self) -> InitiativeSpec:
        ids = [assumption.id for assumption in self.assumptions]
        twice = next((each for index, each in enumerate(ids) if each in ids[:index]), None)
        if twice is not None:
            raise ValueError(f"two assumptions have the id {twice!r}; give each its own")
        return self


class Initiative(Object):
    """A strategic intent: one owner, outcomes with targets, explicit assumptions, and where its work shows."""

    kind: Literal["Initiative"]
    spec: InitiativeSpec


class Expectation(Part):
    """How long the other team may take before a wait counts as overdue."""

    dependency: Duration | None = None
    """From a blocker raised to it completed."""
    review: Duration | None = None
    """From a review asked to its first answer."""
    handoff: Duration | None = None
    """From work handed over to it taken up."""
    decision: Duration | None = None
    """From a decision asked to it made."""


class Interaction(Part):
    """How this team works with another (Team Topologies)."""

    with_: Name = Field(alias="with")
    """The other team."""
    mode: InteractionMode
    """Collaboration, x-as-a-service or facilitating."""
    expect: Expectation = Expectation()
    """What this team may expect of the other."""


class TeamSpec(Part):
    """A team; its members are not listed."""

    type: TeamType = "stream-aligned"
    """Its type (Team Topologies)."""
    aliases: list[Text] = []
    """What trackers and forges call it: team fields, slugs, keys of projects; compared without regard to case."""
    interactions: list[Interaction] = []
    """Its declared interactions with other teams."""


class Team(Object):
    """A team that owns services and initiatives."""

    kind: Literal["Team"]
    spec: TeamSpec = TeamSpec()


class Environments(Part):
    """The environments of a service by what they are for, in the words of its deployment tool, whatever their case."""

    production: list[Text] = []
    """Those that real users depend on; only these count as production."""
    staging: list[Text] = []
    """Rehearsal of production."""
    test: list[Text] = []
    """Tests."""
    development: list[Text] = []
    """Development and previews."""


class ServiceSpec(Part):
    """Something that is deployed on its own."""

    owner: Name
    """The team that answers for it."""
    repos: list[Text] = []
    """Repositories that hold it, as the forge names them: `acme/shop`."""
    paths: list[Text] = []
    """Its folders (`services/api`) or globs (`libs/*/api/*.py`) where its repositories hold other services too."""
    environments: Environments | None = None
    """Its environments; without them production is recognised by name."""
    depends_on: list[ServiceName] = Field(default=[], alias="dependsOn")
    """Services that it needs at run time."""
    tier: Literal[1, 2, 3, 4] | None = None
    """Importance, 1 being the highest."""


class Service(Object):
    """Something that is deployed on its own: who owns it, where its code lives, what its production is called."""

    kind: Literal["Service"]
    metadata: ServiceMetadata
    spec: ServiceSpec


class StatusMapSpec(Part):
    """What the words of one tracker mean."""

    tracker: Name
    """The connector whose words these are: `jira`, `github` ..."""
    map: dict[str, CanonicalStatus]
    """Status as the tracker writes it -> canonical status."""
    evidence: dict[CanonicalStatus, list[EvidenceKind]] = {}
    """Canonical status -> what must be seen for it to be believed."""
    evidence_within: Duration | None = Field(default=None, alias="evidenceWithin")
    """How long after a status was claimed its evidence may take. Default `7d`."""
    types: dict[str, CanonicalType] = {}
    """Type of a work item as the tracker writes it -> canonical type."""


class StatusMap(Object):
    """What the statuses and types of one tracker mean."""

    kind: Literal["StatusMap"]
    spec: StatusMapSpec


class Patterns(Part):
    """Globs over a change's branch and labels, whatever their case; a change matches if one of them does."""

    branches: list[Text] | None = None
    """Globs over the branch name."""
    labels: list[Text] | None = None
    """Globs over each label."""


class DecisionClass(Part):
    """A class of decisions: who must agree, and how soon."""

    approvers: list[Name]
    """Roles or teams, each of which must agree."""
    latency_target: Duration = Field(alias="latencyTarget")
    """How long a decision of this class may take."""


class DecisionItems(Part):
    """Which work items of a tracker are decisions; globs, whatever their case."""

    types: list[Text] | None = None
    """Globs over the native type. Default `decision`."""
    labels: list[Text] | None = None
    """Globs over each label. Default `decision`, `decision/*` and `decision:*`; what follows is the class."""


class AgentBoundaries(Part):
    """What software agents may do alone. Actions are named freely."""

    automated: list[Text] = []
    """Without anybody's approval."""
    human: list[Text] = []
    """After one person's approval."""
    cross_functional: list[Text] = Field(default=[], alias="crossFunctional")
    """After approval by more than one function."""


class PolicySpec(Part):
    """The organisation's rules."""

    attribution_window: Duration | None = Field(default=None, alias="attributionWindow")
    """A failure is put down to the latest deployment at most this long before it. Default `72h`."""
    rework: Patterns = Patterns()
    """Changes that are unplanned. Default branches `hotfix/*`, `hotfix-*` and `revert-*`, labels `hotfix`, `incident`
    and `revert`."""
    exempt: Patterns = Patterns()
    """Changes that need no initiative. Default none."""
    decisions: dict[Name, DecisionClass] = {}
    """Decision classes by name."""
    decision_items: DecisionItems = Field(default=DecisionItems(), alias="decisionItems")
    """Work items that are decisions."""
    expectations: Expectation = Expectation()
    """How long any team may wait for another that it has agreed nothing with. Default dependency `5d`, review `1d`,
    handoff `2d`, decision `3d`."""
    agents: AgentBoundaries = AgentBoundaries()
    """What software agents may do alone."""
    dedupe_horizon: Duration | None = Field(default=None, alias="dedupeHorizon")
    """How long a repeated finding is kept silent."""


class Policy(Object):
    """The organisation's rules; one per contract."""

    kind: Literal["Policy"]
    spec: PolicySpec = PolicySpec()


AnyObject = Initiative | Team | Service | StatusMap | Policy | Metric

#: Kind -> its model.
KINDS: dict[str, type[AnyObject]] = {
    "Initiative": Initiative,
    "Team": Team,
    "Service": Service,
    "StatusMap": StatusMap,
    "Policy": Policy,
    "Metric": Metric,
}


def gate(spec: InitiativeSpec) -> list[str]:
    """Return what an initiative lacks to be at stage `commit`: keys of its spec, in their order; empty: it may pass."""
    return [key for key in ("owner", "outcomes", "horizon", "decision") if not getattr(spec, key)]
