"""Argo Rollouts' rollouts -> canonical events: each revision is a deployment."""

from __future__ import annotations

from datetime import datetime

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import FAILED, Ending, Outcome, joined, translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json
from pipeline.events.remotes import commit, image_tag
from pipeline.events.resources import condition, identity, notes, placed, resources, source_of
from pipeline.events.types import DeploymentEvent

UNKNOWN = "unknown"
ROLLOUT = "rollout"
_WRAPPERS = ("rollout",)
#: What an analysis or an experiment finds ends its rollout, and the rollout tells it.
_LEFT_OUT = {"AnalysisRun", "AnalysisTemplate", "ClusterAnalysisTemplate", "Experiment"}
_REVISION = "rollout.argoproj.io/revision"
_WORKLOAD = "rollout.argoproj.io/workload-generation"
_DEADLINE = {"ProgressDeadlineExceeded", "ReplicaSetCreateError", "FailedCreate"}


def kind_of(body: bytes) -> str:
    """Return `rollout` for a body that holds rollouts or their like, else `unknown`; never raises."""
    try:
        found = resources(Node(parse_json(body)), *_WRAPPERS, deleted=True)
        known = any(item.text_or_none("kind") in {"Rollout", *_LEFT_OUT} or item.has("spec") for item in found)
    except Quarantined:
        return UNKNOWN
    return ROLLOUT if known else UNKNOWN


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery of kind `rollout`. Pure and total: raises nothing but `Quarantined`."""
    if delivery.kind != ROLLOUT:
        raise Quarantined("unknown_kind", f"{delivery.kind[:80]!r} is not `{ROLLOUT}`, the only kind of Argo Rollouts")
    found = resources(Node(parse_json(delivery.body)), *_WRAPPERS)
    return translation(joined(_rollout(item, context) for item in found) if found else "rollout.none")


def _rollout(item: Node, context: Context) -> Outcome:
    kind = item.text_or_none("kind") or "Rollout"
    if kind in _LEFT_OUT:
        return kind
    if kind != "Rollout":
        raise Quarantined("unknown_type", f"{item.at('kind').path} is {kind[:80]!r}; expected Rollout")
    if not _observed(item):
        return "rollout.not_observed"
    if item.text_or_none("status", "message") == "InvalidSpec" or _holds(item, "InvalidSpec"):
        return "rollout.invalid_spec"
    return _told(item, context)


def _observed(item: Node) -> bool:
    """Whether the status is that of the present spec. Before 1.0 it names the generation by a hash."""
    if not item.child_or_none("status") or not item.has("status", "currentPodHash"):
        return False
    observed, present = item.key_or_none("status", "observedGeneration"), item.integer_or_none("metadata", "generation")
    if observed and observed.isascii() and observed.isdigit() and present is not None and int(observed) < present:
        return False
    workload = notes(item).get(_WORKLOAD)
    return workload is None or workload == item.key_or_none("status", "workloadObservedGeneration")


def _holds(item: Node, kind: str) -> bool:
    found = condition(item, kind)
    return found is not None and found.text_or_none("status") == "True"


def _told(item: Node, context: Context) -> Outcome:
    name, status, told = identity(item), item.child("status"), notes(item)
    pod_hash = status.text("currentPodHash")
    place = placed(told, name.partition("/")[2], item.text_or_none("metadata", "namespace"), context)
    containers = item.items("spec", "template", "spec", "containers")
    tag = next((found for each in containers if (found := image_tag(each.text_or_none("image")))), None)
    ending, at = _ending(item)
    data = DeploymentEvent(
        deployment=f"{name}:{told.get(_REVISION) or pod_hash}",
        environment=place.environment,
        repo=place.repo,
        sha=place.sha or commit(tag),
        service=place.service,
        version=tag,
        started_at=_started_at(item) if ending is None else None,
    )
    where = source_of(context, "argo_rollouts", place.service)
    if ending == "rolled_back" and at is not None:
        # An abort brings all traffic back to the stable revision: this one failed, and was undone with that.
        return [where.event(FAILED, at, data.deployment, data), where.rollback(data, at, data.deployment)]
    return where.deployment(data, finished_at=at, ending=ending) or "rollout.in_progress"


def _ending(item: Node) -> tuple[Ending | None, datetime | None]:
    """Return how the present revision ended and when; (None, None) while it goes on."""
    status, progressing = item.child("status"), condition(item, "Progressing")
    reason = progressing.text_or_none("reason") if progressing else None
    if status.flag("abort"):
        turned_at = progressing.moment_or_none("lastTransitionTime") if progressing else None
        at = status.moment_or_none("abortedAt") or turned_at
        if at is None:
            raise Quarantined("missing_field", f"{status.at('abortedAt').path} is absent, and so is a condition's time")
        return "rolled_back", at
    if progressing is not None and reason in _DEADLINE:
        return "failure", progressing.moment("lastTransitionTime")
    if status.text_or_none("phase") in {None, "Healthy"} and _complete(item, reason):
        return "success", _completed_at(item)
    return None, None


def _complete(item: Node, reason: str | None) -> bool:
    """Whether the new pods took over: they are the stable ones (canary) or the active ones (blue-green)."""
    status = item.child("status")
    stable = status.text_or_none("stableRS") or status.text_or_none("blueGreen", "activeSelector")
    stable = stable or status.text_or_none("canary", "stableRS")
    if status.text_or_none("phase") is None and reason != "NewReplicaSetAvailable":
        return False
    return stable is None or stable == status.text_or_none("currentPodHash")


def _completed_at(item: Node) -> datetime:
    for kind, field in (("Completed", "lastTransitionTime"), ("Progressing", "lastUpdateTime")):
        found = condition(item, kind)
        at = found.moment_or_none(field) if found and found.text_or_none("status") == "True" else None
        if at is not None:
            return at
    raise Quarantined("missing_field", f"{item.at('status', 'conditions').path} tells no time of completion")


def _started_at(item: Node) -> datetime | None:
    """A new revision makes the rollout incomplete; the first one begins with the rollout."""
    completed = condition(item, "Completed")
    if completed is not None and completed.text_or_none("status") == "False":
        return completed.moment_or_none("lastTransitionTime")
    first = notes(item).get(_REVISION) == "1"
    return item.moment_or_none("metadata", "creationTimestamp") if first else None
