"""CDEvents of other tools, spec 0.1 to 0.5, by subject and predicate: in what is read here they differ little."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from connectors.cdevents.purl import Artifact, read_purl
from pipeline.events.delivery import Context, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.ids import event_id
from pipeline.events.reading import Node
from pipeline.events.references import in_text
from pipeline.events.types import (
    ArtifactPublished,
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
    DeploymentEvent,
    IncidentEvent,
    Payload,
    PipelineRun,
    ServiceRolledBack,
    TicketClosed,
    TicketCreated,
    TicketUpdated,
)

MAX_TITLE = 500

#: Left out on purpose: they say nothing about changes, deployments, incidents or work items, or others say it better.
IGNORED = frozenset(
    [f"approval.{predicate}" for predicate in ("created", "updated", "closed")]
    + [f"artifact.{predicate}" for predicate in ("packaged", "signed", "downloaded", "deleted")]
    + [f"branch.{predicate}" for predicate in ("created", "deleted")]
    + [f"build.{predicate}" for predicate in ("queued", "started", "finished")]
    + [
        f"{what}.{predicate}"
        for what in ("environment", "repository")
        for predicate in ("created", "modified", "deleted")
    ]
    + ["service.published", "service.removed", "taskrun.started", "taskrun.finished", "testoutput.published"]
    + [
        f"{subject}.{predicate}"
        for subject in ("testcase", "testsuite", "testcaserun", "testsuiterun")
        for predicate in ("queued", "started", "finished", "skipped")
    ]
)

Outcome = Literal["success", "failure", "error", "cancel"]
_OUTCOMES: Mapping[str, Outcome] = {
    "success": "success",
    "failure": "failure",
    "error": "error",
    "cancel": "cancel",
    "cancelled": "cancel",
    "canceled": "cancel",
}
_numbered = re.compile(r"(.+?)[-#]\d+")


class Told(msgspec.Struct, frozen=True):
    """One CDEvent as read. `source` and `id` are as told; `custom` is whatever the sender added."""

    type: str
    id: str
    source: str
    time: datetime
    subject: str
    content: Node
    custom: Node
    context: Context

    def reference(self, name: str) -> str | None:
        """Return the id of a reference such as `environment`: an object with an `id`, or in old versions a text."""
        found = self.content.at(name)
        return found.key_or_none("id") if isinstance(found.value, dict) else found.text_or_none()

    def artifact(self) -> Artifact:
        """Return what is known about the deployed artifact."""
        return read_purl(self.content.text_or_none("artifactId"))

    def link(self) -> str | None:
        """Return the address of the subject; it was named `url` before 0.4."""
        return self.content.text_or_none("uri") or self.content.text_or_none("url")


Mapped = list[tuple[str, Payload]]


def _repo(told: Told) -> str:
    return told.reference("repository") or told.source


def _change_created(told: Told) -> Mapped:
    repo = _repo(told)
    mapped: Mapped = [("change.created.0.4.0", ChangeCreated(repo=repo, change=told.subject, created_at=told.time))]
    return mapped + _described(told, repo)


def _change_updated(told: Told) -> Mapped:
    return _described(told, _repo(told))


def _described(told: Told, repo: str) -> Mapped:
    """A snapshot, where the event says what the change is about. An empty one would erase what is known."""
    text = told.content.text_or_none("description")
    if text is None:
        return []
    title = text.splitlines()[0][:MAX_TITLE] if text.strip() else ""
    refs = in_text(text, "body", repo)
    return [("change.updated.0.3.0", ChangeUpdated(repo=repo, change=told.subject, title=title, refs=refs))]


def _change_reviewed(told: Told) -> Mapped:
    data = ChangeReviewed(repo=_repo(told), change=told.subject, verdict="commented")
    return [("change.reviewed.0.3.0", data)]


def _change_merged(told: Told) -> Mapped:
    return [("change.merged.0.3.0", ChangeMerged(repo=_repo(told), change=told.subject))]


def _change_abandoned(told: Told) -> Mapped:
    return [("change.abandoned.0.3.0", ChangeAbandoned(repo=_repo(told), change=told.subject))]


def _environment(told: Told) -> str:
    environment = told.reference("environment")
    if environment is None:
        raise Quarantined("missing_field", "subject.content.environment.id is absent or empty")
    return environment


def _service_deployed(told: Told) -> Mapped:
    artifact = told.artifact()
    data = DeploymentEvent(
        deployment=told.id,
        environment=_environment(told),
        repo=artifact.repo,
        sha=artifact.sha,
        service=told.subject,
        version=artifact.version,
    )
    return [("service.deployed.0.3.0", data)]


def _service_rolledback(told: Told) -> Mapped:
    artifact = told.artifact()
    data = ServiceRolledBack(
        rollback=told.id,
        environment=_environment(told),
        repo=artifact.repo,
        sha=artifact.sha,
        service=told.subject,
    )
    return [("service.rolledback.0.3.0", data)]


def _incident(predicate: str) -> Callable[[Told], Mapped]:
    def build(told: Told) -> Mapped:
        custom = told.custom.value
        severity = custom.get("severity") if isinstance(custom, dict) else None
        data = IncidentEvent(
            incident=told.subject,
            service=told.reference("service"),
            repo=told.artifact().repo,
            environment=told.reference("environment"),
            severity=severity if isinstance(severity, str) and severity else None,
            title=(told.content.text_or_none("description") or "")[:MAX_TITLE],
            url=told.content.text_or_none("ticketURI"),
        )
        return [(f"incident.{predicate}.0.3.0", data)]

    return build


def _ticket_created(told: Told) -> Mapped:
    creator = told.context.actor(told.content.text_or_none("creator"))
    project = _project(told.subject, told.source)
    data = TicketCreated(tracker=told.source, ticket=told.subject, project=project, creator=creator)
    return [("ticket.created.0.2.0", data), *_ticket_updated(told)]


def _project(ticket: str, tracker: str) -> str:
    """The part of a key before its number (`GROW-12`, `acme/shop#7`); else the whole tracker is one project."""
    found = _numbered.fullmatch(ticket)
    return found[1] if found else tracker


def _ticket_updated(told: Told) -> Mapped:
    content = told.content
    data = TicketUpdated(
        tracker=told.source,
        ticket=told.subject,
        project=_project(told.subject, told.source),
        title=(content.text_or_none("summary") or "")[:MAX_TITLE],
        kind=content.text_or_none("ticketType") or "",
        labels=content.texts("labels"),
        team=content.text_or_none("group"),
        assignee=told.context.actor(next(iter(content.texts("assignees")), None)),
        priority=content.text_or_none("priority"),
        resolution=content.text_or_none("resolution"),
    )
    return [("ticket.updated.0.2.0", data)]


def _ticket_closed(told: Told) -> Mapped:
    resolution = told.content.text_or_none("resolution")
    data = TicketClosed(tracker=told.source, ticket=told.subject, resolution=resolution)
    # A closing that tells nothing but itself must not erase the title and the labels.
    snapshot = _ticket_updated(told) if told.content.has("summary") else []
    return [("ticket.closed.0.2.0", data), *snapshot]


def _pipeline_run(predicate: str) -> Callable[[Told], Mapped]:
    def build(told: Told) -> Mapped:
        data = PipelineRun(
            run=told.subject,
            pipeline=told.content.text_or_none("pipelineName") or told.subject,
            outcome=_outcome(told) if predicate == "finished" else None,
            url=told.link(),
        )
        return [(f"pipelinerun.{predicate}.0.3.0", data)]

    return build


def _outcome(told: Told) -> Outcome | None:
    text = told.content.text_or_none("outcome")
    if text is None:
        return None
    outcome = _OUTCOMES.get(text.lower())
    if outcome is None:
        expected = ", ".join(_OUTCOMES)
        raise Quarantined("bad_value", f"subject.content.outcome is {text[:80]!r}; expected one of {expected}")
    return outcome


def _artifact_published(told: Told) -> Mapped:
    artifact = read_purl(told.subject)
    tag = artifact.version or artifact.sha
    if artifact.name is None or tag is None:
        raise Quarantined("bad_value", f"subject.id is {told.subject[:80]!r}; expected a package URL with a version")
    data = ArtifactPublished(repo=artifact.repo or artifact.name, tag=tag, sha=artifact.sha, version=artifact.version)
    return [("artifact.published.0.3.0", data)]


MAPPED: Mapping[str, Callable[[Told], Mapped]] = {
    "change.created": _change_created,
    "change.updated": _change_updated,
    "change.reviewed": _change_reviewed,
    "change.merged": _change_merged,
    "change.abandoned": _change_abandoned,
    "service.deployed": _service_deployed,
    "service.upgraded": _service_deployed,
    "service.rolledback": _service_rolledback,
    "incident.detected": _incident("detected"),
    "incident.reported": _incident("reported"),
    "incident.resolved": _incident("resolved"),
    "ticket.created": _ticket_created,
    "ticket.updated": _ticket_updated,
    "ticket.closed": _ticket_closed,
    "pipelinerun.queued": _pipeline_run("queued"),
    "pipelinerun.started": _pipeline_run("started"),
    "pipelinerun.finished": _pipeline_run("finished"),
    "artifact.published": _artifact_published,
}


def translate_foreign(name: str, told: Told) -> Translation:
    """Map one CDEvent whose `subject.predicate` is in `MAPPED`; raises `Quarantined`.

    Some tools give every event of a subject one id, so the id of a canonical event covers what else identifies it.
    """
    events = [_event(told, f"dev.cdevents.{target}", data) for target, data in MAPPED[name](told)]
    return Translation(events=events, ignored=None if events else f"{name} without content")


def partition_of(data: Payload, source: str) -> str:
    """Return what orders the events of a payload: its repository, project or service, else the source."""
    ticket = getattr(data, "ticket", None)
    if ticket is not None:
        return getattr(data, "project", None) or _project(ticket, source)
    return getattr(data, "repo", None) or getattr(data, "service", None) or source


def _event(told: Told, event_type: str, data: Payload) -> Event:
    return Event(
        id=event_id(told.source, told.id, told.type, told.subject, told.time.isoformat(), event_type),
        source=told.source,
        type=event_type,
        time=told.time,
        subject=told.subject,
        partitionkey=partition_of(data, told.source),
        data=data,
    )
