"""Argo CD's applications -> canonical events: each sync is a deployment.

A notification's body is what its template says; the README's template sends the whole application. Polled or pushed, an
application tells its last operation and its history, so that a lost notification costs nothing.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Ending, Outcome, Source, joined, translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json
from pipeline.events.remotes import commit, repository
from pipeline.events.resources import Place, identity, notes, placed, resources, source_of
from pipeline.events.types import DeploymentEvent

UNKNOWN = "unknown"
APPLICATION = "application"
_WRAPPERS = ("app", "application")
_LEFT_OUT = {"ApplicationSet", "AppProject"}
_IN_CLUSTER = {"in-cluster", "https://kubernetes.default.svc"}
#: How many syncs back one looks for what was there before. The history is cut at its old end: an entry is told only
#: while all of these are there, so that it is told alike however late.
_LOOK_BACK = 4
_ENDINGS: dict[str, Ending] = {"Succeeded": "success", "Failed": "failure", "Error": "failure"}


class Code(msgspec.Struct, frozen=True):
    """A source of an application at a revision."""

    repo: str | None
    revision: str


class Synced(msgspec.Struct, frozen=True, kw_only=True):
    """A sync, of the history or the one of the last operation."""

    started_at: datetime
    codes: list[Code]
    finished_at: datetime | None = None
    ending: Ending | None = None
    automated: bool = False


def kind_of(body: bytes) -> str:
    """Return `application` for a body that holds applications or their like, else `unknown`; never raises."""
    try:
        found = resources(Node(parse_json(body)), *_WRAPPERS, deleted=True)
        known = {"Application", *_LEFT_OUT}
        return APPLICATION if any(item.text_or_none("kind") in known or item.has("spec") for item in found) else UNKNOWN
    except Quarantined:
        return UNKNOWN


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery of kind `application`. Pure and total: raises nothing but `Quarantined`."""
    if delivery.kind != APPLICATION:
        raise Quarantined("unknown_kind", f"{delivery.kind[:80]!r} is not `{APPLICATION}`, the only kind of Argo CD")
    found = resources(Node(parse_json(delivery.body)), *_WRAPPERS)
    return translation(joined(_application(item, context) for item in found) if found else "application.none")


def _application(app: Node, context: Context) -> Outcome:
    kind = app.text_or_none("kind") or "Application"
    if kind in _LEFT_OUT:
        return kind
    if kind != "Application":
        raise Quarantined("unknown_type", f"{app.at('kind').path} is {kind[:80]!r}; expected Application")
    name, destination = identity(app), app.at("spec", "destination")
    server = destination.text_or_none("server")
    clusters = [each for each in (destination.text_or_none("name"), server) if each and each not in _IN_CLUSTER]
    place = placed(notes(app), name.partition("/")[2], destination.text_or_none("namespace"), context, *clusters)
    where, history = source_of(context, "argo_cd", place.service), _history(app)
    operation, events = _operation(app), list[Event]()
    last = operation if isinstance(operation, Synced) else None
    for index, sync in enumerate(history):
        if (last is None or sync.started_at != last.started_at) and (index >= _LOOK_BACK or not _trimmed(app)):
            events += _told(sync, history[:index], name, place, where)
    if last is not None:
        events += _told(last, [sync for sync in history if sync.started_at < last.started_at], name, place, where)
    return events or (operation if isinstance(operation, str) else "application.nothing_new")


def _trimmed(app: Node) -> bool:
    """Return whether the oldest entries are gone."""
    entries = app.items("status", "history")
    return bool(entries) and (entries[0].integer_or_none("id") or 0) > 0


def _told(sync: Synced, before: list[Synced], name: str, place: Place, where: Source) -> list[Event]:
    """A sync to what was there before the last change is a rollback, unless Argo CD did it by itself."""
    code = _changed(sync.codes, before[-1].codes if before else [])
    data = DeploymentEvent(
        deployment=f"{name}@{sync.started_at.isoformat()}",
        environment=place.environment,
        repo=code.repo if code else place.repo,
        sha=commit(code.revision) if code else place.sha,
        service=place.service,
        version=None if code and commit(code.revision) else code.revision if code else None,
        started_at=sync.started_at,
    )
    again = [earlier.codes for earlier in before[-_LOOK_BACK:-1]]
    back = bool(before) and sync.codes != before[-1].codes and sync.codes in again and not sync.automated
    ending: Ending | None = "rolled_back" if back and sync.ending == "success" else sync.ending
    return where.deployment(data, finished_at=sync.finished_at, ending=ending)


def _changed(codes: list[Code], before: list[Code]) -> Code | None:
    """Return the source that tells what was deployed: of several, a commit that changed, else a commit, else any."""
    commits = [code for code in codes if commit(code.revision)]
    new = [code for code in commits if code not in before]
    return next(iter(new or commits or codes), None)


def _codes(told: Node, otherwise: Node) -> list[Code]:
    """Return the sources with their revisions: `revision` and `source`, or `revisions` and `sources`, side by side."""
    revisions = told.texts("revisions") or [each for each in (told.text_or_none("revision"),) if each]
    sources = told.items("sources") or [told.at("source")]
    if not any(source.has("repoURL") for source in sources):
        sources = otherwise.items("sources") or [otherwise.at("source")]
    urls = [source.text_or_none("repoURL") for source in sources]
    return [
        Code(repository(urls[index]) if index < len(urls) else None, revision)
        for index, revision in enumerate(revisions)
    ]


def _history(app: Node) -> list[Synced]:
    """Return the finished syncs that the application remembers, the oldest first."""
    found = []
    for entry in app.items("status", "history"):
        deployed_at = entry.moment("deployedAt")
        sync = Synced(
            started_at=entry.moment_or_none("deployStartedAt") or deployed_at,
            codes=_codes(entry, app.at("spec")),
            finished_at=deployed_at,
            ending="success",
            automated=entry.flag("initiatedBy", "automated"),
        )
        found.append(sync)
    return sorted(found, key=lambda sync: sync.started_at)


def _operation(app: Node) -> Synced | str:
    """Return the last operation, or why it is no deployment."""
    state = app.child_or_none("status", "operationState")
    if state is None:
        return "application.no_operation"
    sync = state.at("operation", "sync")
    # A template of notifications may leave out what was asked for; the result says that it was a sync.
    if sync.value is None and not state.has("syncResult"):
        return "application.no_sync"
    if sync.flag("dryRun"):
        return "application.dry_run"
    if sync.items("resources"):
        return "application.partial_sync"
    if (sync.integer_or_none("autoHealAttemptsCount") or 0) > 0:
        return "application.self_heal"  # The cluster drifted; nothing new was deployed.
    phase = state.text("phase")
    ending = _ENDINGS.get(phase)
    if ending == "failure" and "terminated" in (state.text_or_none("message") or "").lower():
        ending = "cancelled"
    return Synced(
        started_at=state.moment("startedAt"),
        codes=_codes(state.at("syncResult"), app.at("spec")) or _codes(sync, app.at("spec")),
        finished_at=state.moment_or_none("finishedAt") if ending else None,
        ending=ending,
        automated=state.flag("operation", "initiatedBy", "automated"),
    )
