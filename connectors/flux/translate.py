"""Flux's events and resources -> canonical events: each revision that is applied or released is a deployment."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Ending, Outcome, joined, translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json
from pipeline.events.remotes import commit
from pipeline.events.resources import condition, identity, notes, placed, resources, source_of
from pipeline.events.types import DeploymentEvent

UNKNOWN = "unknown"
EVENT = "event"
OBJECT = "object"
#: The kinds that deploy.
_DEPLOYING = {"Kustomization", "HelmRelease"}
#: Sources fetch, images are scanned, the rest notifies or is composed of what deploys.
_LEFT_OUT = {
    "GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket", "ExternalArtifact",
    "ArtifactGenerator", "ImageRepository", "ImagePolicy", "ImageUpdateAutomation", "Alert", "Provider", "Receiver",
    "ResourceSet", "ResourceSetInputProvider", "FluxInstance", "FluxReport", "Terraform",
}  # fmt: skip

_SUCCESS = {"ReconciliationSucceeded", "InstallSucceeded", "UpgradeSucceeded", "info"}
_ROLLED_BACK = {"RollbackSucceeded"}
_FAILURE = {
    "BuildFailed", "ValidationFailed", "ReconciliationFailed", "HealthCheckFailed", "PruneFailed", "InstallFailed",
    "UpgradeFailed", "TestFailed", "RollbackFailed", "UninstallFailed", "RemediationFailed", "RetriesExceeded",
    "Stalled", "error",
}  # fmt: skip
#: The resource waits for a source or for another one: nothing was tried.
_WAITS = {"ArtifactFailed", "ArtifactNotFound", "DependencyNotReady", "SourceNotReady", "HealthCheckCanceled"}
#: A changed object in the message of an apply: `Deployment/apps/webapp configured`.
_APPLIED = re.compile(r"^\S+/\S+ (?:created|configured)\b|^Health check passed", re.MULTILINE)
_FIELD = re.compile(r"(?:.*/)?([\w.-]+)")


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a deployment, by an event or by the resource itself."""

    name: str
    revision: str | None
    origin: str | None
    at: datetime
    ending: Ending | None
    notes: dict[str, str]


def kind_of(body: bytes) -> str:
    """Return `event` for a notification's body, `object` for one that holds resources, else `unknown`."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, dict) and root.has("involvedObject"):
            return EVENT
        known = any(item.text_or_none("kind") in _DEPLOYING | _LEFT_OUT for item in resources(root, deleted=True))
    except Quarantined:
        return UNKNOWN
    return OBJECT if known else UNKNOWN


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery of kind `event` or `object`. Pure and total: raises nothing but `Quarantined`."""
    root = Node(parse_json(delivery.body))
    if delivery.kind == EVENT:
        return translation(_event(root.child(), context))
    if delivery.kind == OBJECT:
        found = resources(root)
        return translation(joined(_object(item, context) for item in found) if found else "object.none")
    raise Quarantined("unknown_kind", f"{delivery.kind[:80]!r} is neither `{EVENT}` nor `{OBJECT}`")


def _deploys(kind: str, path: str) -> bool:
    if kind not in _DEPLOYING | _LEFT_OUT:
        raise Quarantined("unknown_type", f"{path} is {kind[:80]!r}; expected a kind of Flux's")
    return kind in _DEPLOYING


def _event(root: Node, context: Context) -> Outcome:
    about = root.child("involvedObject")
    kind, reason = about.text("kind"), root.text("reason")
    if not _deploys(kind, about.at("kind").path):
        return kind
    message = root.text_or_none("message") or ""
    failed = (root.text_or_none("severity") or "info") == "error"
    ending = _ending(reason, message, failed=failed)
    if ending is None:
        return f"{kind}.{'waits' if reason in _WAITS else 'other'}"
    namespace = about.text_or_none("namespace") or "default"
    metadata = root.child_or_none("metadata")
    fields = _fields(metadata) if metadata else {}
    told = Told(
        name=f"{namespace}/{about.text('name')}",
        revision=fields.get("revision"),
        origin=fields.get("originRevision"),
        at=root.moment("timestamp"),
        ending=ending,
        notes=fields,
    )
    return _told(told, context)


def _fields(metadata: Node) -> dict[str, str]:
    """Return metadata under plain names: controllers prefix theirs with their group, alerts add what they like."""
    values = metadata.value if isinstance(metadata.value, dict) else {}
    found = {}
    for key, value in values.items():
        plain = _FIELD.fullmatch(key)
        if isinstance(value, str) and value:
            found[key] = value
            found.setdefault(plain[1] if plain else key, value)
    if "repo" in found:
        found.setdefault("leadline.dev/repo", found["repo"])
    return found


def _ending(reason: str, message: str, *, failed: bool) -> Ending | None:
    if reason in _WAITS:
        return None
    if reason in _FAILURE or failed:
        return "failure"
    if reason in _ROLLED_BACK:
        return "rolled_back"
    # An apply is told as progress, with the list of what it changed. If a health check fails later, that is told too.
    applied = reason == "Progressing" and _APPLIED.search(message) is not None
    return "success" if reason in _SUCCESS or applied else None


def _object(item: Node, context: Context) -> Outcome:
    kind = item.text("kind")
    if not _deploys(kind, item.at("kind").path):
        return kind
    ready = condition(item, "Ready")
    if ready is None:
        return f"{kind}.no_status"
    status = item.child("status")
    state, reason = ready.text("status"), ready.text_or_none("reason") or ""
    observed, present = ready.integer_or_none("observedGeneration"), item.integer_or_none("metadata", "generation")
    if observed is not None and present is not None and observed < present:
        return f"{kind}.not_observed"
    if state == "Unknown" or reason in _WAITS:
        return f"{kind}.{'waits' if reason in _WAITS else 'in_progress'}"
    ending: Ending = "failure" if state == "False" else "success"
    if reason in _ROLLED_BACK:
        ending = "rolled_back"
    attempted = status.text_or_none("lastAttemptedRevision")
    applied = status.text_or_none("lastAppliedRevision") or attempted
    told = Told(
        name=identity(item),
        revision=attempted if ending == "failure" else applied,
        origin=status.text_or_none("lastAppliedOriginRevision"),
        at=ready.moment("lastTransitionTime"),
        ending=ending,
        notes=notes(item),
    )
    return _told(told, context)


def _told(told: Told, context: Context) -> Outcome:
    namespace, _, plain = told.name.partition("/")
    place = placed(told.notes, plain, namespace, context, told.notes.get("cluster"))
    sha = commit(told.origin) or commit(told.revision) or place.sha
    data = DeploymentEvent(
        deployment=f"{told.name}@{told.revision or told.at.isoformat()}",
        environment=place.environment,
        repo=place.repo,
        sha=sha,
        service=place.service,
        version=told.revision if told.revision and not commit(told.revision) else None,
    )
    where = source_of(context, "flux", place.service)
    return where.deployment(data, finished_at=told.at, ending=told.ending)
