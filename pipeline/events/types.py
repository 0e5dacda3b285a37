"""The vocabulary of delivery and work: one struct per kind of payload.

Types are CDEvents 0.5 where one exists, else `dev.cdeventsx.leadline-<subject>.<predicate>.1.0.0`. A released shape
is never edited: a new field with a default may be added, anything else gets a new version and an upcast.

Two rules hold for every struct. An event's content is a function of its id: what can change later is not in a
`created` event but in an `updated` snapshot whose id covers its fields. And None means *not known*, never *empty*.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

import msgspec

#: A `datetime` with a zone: one without is refused when it is read, since it would mean the time of this machine.
Instant = Annotated[datetime, msgspec.Meta(tz=True)]

#: What identifies something is never empty: what is not known is left out, so that it has one spelling.
Name = Annotated[str, msgspec.Meta(min_length=1)]

RefKind = Literal["initiative", "ticket", "label", "incident"]
RefVia = Literal["trailer", "label", "title", "branch", "commit", "body", "field"]


class Ref(msgspec.Struct, frozen=True, order=True):
    """A mention of something else, as found: not yet known to exist.

    `kind` initiative: a name given in an `Initiative:` trailer or field; ticket: a tracker key such as `GROW-12` or
    `acme/shop#12`; label: a label's text; incident: an incident's id or key. `via` says where it was found.
    """

    kind: RefKind
    value: str
    via: RefVia


class Payload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all payloads."""

    #: CDEvents types that carry this payload.
    TYPES: ClassVar[tuple[str, ...]] = ()


class CommitRecorded(Payload, frozen=True, kw_only=True):
    """A commit exists. `parents` None: not told (a push payload); []: a root commit. Times as git has them."""

    TYPES = ("dev.cdeventsx.leadline-commit.recorded.1.0.0",)
    repo: Name
    sha: Name
    authored_at: Instant
    committed_at: Instant
    parents: list[str] | None = None
    title: str = ""
    author: str | None = None
    #: The assistant that made or helped to make it, by its product's name: `claude`, `copilot`.
    assistant: str | None = None
    refs: list[Ref] = []
    #: Changed paths, where the source tells them (at most 300), for repositories that hold several services.
    paths: list[str] | None = None


class BranchUpdated(Payload, frozen=True, kw_only=True):
    """A branch moved from `before` to `after`: whatever `commits` lists, and `before` unless `forced`, is now
    contained in `after`. `distinct` are those of `commits` that were new to the repository.

    `before` is None for a new branch, `after` None for a deleted one. `commits` may be shorter than what moved.
    """

    TYPES = ("dev.cdeventsx.leadline-branch.updated.1.0.0",)
    repo: Name
    branch: str
    before: str | None = None
    after: str | None = None
    forced: bool = False
    commits: list[str] = []
    distinct: list[str] = []


class ChangeCreated(Payload, frozen=True, kw_only=True):
    """A change (pull request, merge request) was opened. Only what cannot change later.

    `change` is unique among all repositories: the repository and the number, such as `acme/shop#7`.
    """

    TYPES = ("dev.cdevents.change.created.0.4.0",)
    repo: Name
    change: Name
    created_at: Instant
    author: str | None = None
    #: The assistant whose account opened it.
    assistant: str | None = None


class ChangeUpdated(Payload, frozen=True, kw_only=True):
    """What a change looks like as of the event's time; the latest snapshot wins.

    `commits` are the shas of the change where the source lists them (they accumulate, as does `head_sha`).
    `refs` are all references found in title, body, branch and labels, and replace the earlier ones.
    """

    TYPES = ("dev.cdevents.change.updated.0.3.0",)
    repo: Name
    change: Name
    title: str = ""
    branch: str | None = None
    base: str | None = None
    head_sha: Name | None = None
    labels: list[str] = []
    refs: list[Ref] = []
    commits: list[str] | None = None
    #: The assistant that its text names as author or helper.
    assistant: str | None = None
    draft: bool = False
    #: True when the change was closed (merged or not) at that time: a label set afterwards does not reopen it.
    closed: bool = False


class ChangeReviewed(Payload, frozen=True, kw_only=True):
    """Somebody said something on a change. `verdict` commented: a comment of any kind, inline or not."""

    TYPES = ("dev.cdevents.change.reviewed.0.3.0",)
    repo: Name
    change: Name
    verdict: Literal["approved", "changes_requested", "commented", "dismissed"]
    reviewer: str | None = None
    #: True when the reviewer is known to be an automation; such reviews do not end the pickup time.
    automated: bool = False


class ChangeMerged(Payload, frozen=True, kw_only=True):
    """A change was merged at the event's time. `merge_sha`: the commit on the base branch that holds it, if told."""

    TYPES = ("dev.cdevents.change.merged.0.3.0",)
    repo: Name
    change: Name
    merge_sha: Name | None = None


class ChangeAbandoned(Payload, frozen=True, kw_only=True):
    """A change was closed without a merge at the event's time."""

    TYPES = ("dev.cdevents.change.abandoned.0.3.0",)
    repo: Name
    change: Name


class DeploymentEvent(Payload, frozen=True, kw_only=True):
    """A deployment began, ended well, failed or was cancelled, at the event's time.

    `deployment` is its id, unique within the event's source. Placement (`repo`, `sha`, `service`, `environment`) is
    part of its identity: the same id at another place is another deployment, and every event of one deployment
    carries the same placement. `service` and `environment` are the source's words; the contract maps them.
    """

    TYPES = (
        "dev.cdevents.service.deployed.0.3.0",
        "dev.cdeventsx.leadline-deployment.started.1.0.0",
        "dev.cdeventsx.leadline-deployment.failed.1.0.0",
        "dev.cdeventsx.leadline-deployment.cancelled.1.0.0",
    )
    deployment: Name
    environment: Name
    repo: Name | None = None
    sha: Name | None = None
    service: Name | None = None
    version: str | None = None
    started_at: Instant | None = None
    url: str | None = None
    #: The incident that made this deployment necessary, if the source says so.
    caused_by: str | None = None


class ServiceRolledBack(Payload, frozen=True, kw_only=True):
    """A rollback of a service finished at the event's time. `rolled_back`: the deployment that was undone, if told."""

    TYPES = ("dev.cdevents.service.rolledback.0.3.0",)
    rollback: Name
    environment: Name
    repo: Name | None = None
    sha: Name | None = None
    service: Name | None = None
    rolled_back: str | None = None
    url: str | None = None


class IncidentEvent(Payload, frozen=True, kw_only=True):
    """An incident was detected (by a machine), reported (by a person), resolved or reopened, at the event's time."""

    TYPES = (
        "dev.cdevents.incident.detected.0.3.0",
        "dev.cdevents.incident.reported.0.3.0",
        "dev.cdevents.incident.resolved.0.3.0",
        "dev.cdeventsx.leadline-incident.reopened.1.0.0",
    )
    incident: Name
    service: Name | None = None
    repo: Name | None = None
    environment: Name | None = None
    severity: str | None = None
    title: str = ""
    #: The deployment that caused it, if the source names one.
    deployment: Name | None = None
    url: str | None = None


class TicketCreated(Payload, frozen=True, kw_only=True):
    """A work item exists since the event's time. Only what cannot change later."""

    TYPES = ("dev.cdevents.ticket.created.0.2.0",)
    tracker: str
    ticket: Name
    project: str
    creator: str | None = None


class TicketUpdated(Payload, frozen=True, kw_only=True):
    """What a work item looks like as of the event's time; the latest snapshot wins. Statuses and types are native.

    `parent` is the ticket above it: parent or epic. `labels` are as written. `components` name parts of the product.
    """

    TYPES = ("dev.cdevents.ticket.updated.0.2.0",)
    tracker: str
    ticket: Name
    project: str
    title: str = ""
    kind: str = ""
    status: str = ""
    parent: str | None = None
    labels: list[str] = []
    components: list[str] = []
    team: str | None = None
    assignee: str | None = None
    priority: str | None = None
    resolution: str | None = None
    flagged: bool = False
    #: Whether it was closed at that time; None: the source does not tell.
    closed: bool | None = None


class TicketMoved(Payload, frozen=True, kw_only=True):
    """A work item went from one native status to another at the event's time."""

    TYPES = ("dev.cdeventsx.leadline-ticket.moved.1.0.0",)
    tracker: str
    ticket: Name
    to_status: str
    from_status: str | None = None
    actor: str | None = None
    #: Why, as far as the source tells: a resolution, a reason, the decision that moved it.
    reason: str | None = None


class TicketClosed(Payload, frozen=True, kw_only=True):
    """A work item was closed at the event's time. `resolution` as the tracker says it."""

    TYPES = ("dev.cdevents.ticket.closed.0.2.0",)
    tracker: str
    ticket: Name
    resolution: str | None = None


class TicketDeleted(Payload, frozen=True, kw_only=True):
    """A work item was deleted in its tracker (a tombstone)."""

    TYPES = ("dev.cdeventsx.leadline-ticket.deleted.1.0.0",)
    tracker: str
    ticket: Name


class DependencyEvent(Payload, frozen=True, kw_only=True):
    """`ticket` cannot go on without `blocked_by` (added), or no longer needs it (removed)."""

    TYPES = (
        "dev.cdeventsx.leadline-dependency.added.1.0.0",
        "dev.cdeventsx.leadline-dependency.removed.1.0.0",
    )
    tracker: str
    ticket: Name
    blocked_by: Name


class PipelineRun(Payload, frozen=True, kw_only=True):
    """A pipeline run (workflow run, build) was queued, started or finished at the event's time."""

    TYPES = (
        "dev.cdevents.pipelinerun.queued.0.3.0",
        "dev.cdevents.pipelinerun.started.0.3.0",
        "dev.cdevents.pipelinerun.finished.0.3.0",
    )
    run: str
    pipeline: str
    repo: Name | None = None
    sha: Name | None = None
    branch: str | None = None
    attempt: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = 1
    outcome: Literal["success", "failure", "error", "cancel"] | None = None
    url: str | None = None


class ArtifactPublished(Payload, frozen=True, kw_only=True):
    """A release was published at the event's time (a tag or a release page)."""

    TYPES = ("dev.cdevents.artifact.published.0.3.0",)
    repo: Name
    tag: str
    sha: Name | None = None
    version: str | None = None
    prerelease: bool = False
    url: str | None = None


class ContractDeclared(Payload, frozen=True, kw_only=True):
    """One object of the semantic contract holds from `effective_from` on (None: since ever). `spec` None: withdrawn."""

    TYPES = ("dev.cdeventsx.leadline-contract.declared.1.0.0",)
    kind: Literal["Initiative", "Team", "Service", "StatusMap", "Policy", "Metric"]
    name: str
    spec: dict[str, Any] | None = None
    metadata: dict[str, Any] = {}
    effective_from: Instant | None = None
