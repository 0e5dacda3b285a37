"""Bamboo's webhooks and REST results -> canonical events.

Webhooks and the REST API differ in how exact their times are: all are cut to the second, so that they tell one event.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Ending, Outcome, RunOutcome, Source, joined, read_naming, translation
from pipeline.events.errors import Quarantined
from pipeline.events.names import named, read_names
from pipeline.events.reading import Node, parse_json, parse_time
from pipeline.events.remotes import commit, repository
from pipeline.events.types import DeploymentEvent, PipelineRun

UNKNOWN = "unknown"
DEFAULT_SOURCE = "bamboo"
BUILD, DEPLOYMENT = "build", "deployment"
PLAN_BUILDS, JOB_BUILDS, DEPLOYMENTS = "rest.plan_builds", "rest.job_builds", "rest.deploy_builds"

#: State of a build that is over -> outcome.
_STATES: dict[str, RunOutcome] = {
    "successful": "success",
    "success": "success",
    "failed": "failure",
    "unknown": "error",
}
#: State of a deployment that is over -> how it ended. Replaced: a newer one took its place in the queue.
_ENDINGS: dict[str, Ending] = {
    "success": "success",
    "successful": "success",
    "failed": "failure",
    "unknown": "failure",
}
_NEVER_RAN: dict[str, Ending] = {"replaced": "cancelled", "skipped": "cancelled", "never": "cancelled"}
_OVER, _NOT_BUILT = "finished", "notbuilt"
_LIFE_CYCLES = {_OVER, _NOT_BUILT, "pending", "queued", "inprogress"}
_NOT_A_LETTER = re.compile(r"[^a-z]+")


def kind_of(body: bytes) -> str:
    """Return what a body holds, by its shape; never raises."""
    try:
        root = Node(parse_json(body))
        item = next(iter(_results(root)), Node(None))
        if root.value is not item.value:
            return _kind(item)
        pushed = next((kind for kind in (BUILD, DEPLOYMENT) if isinstance(root.at(kind).value, dict)), None)
        return pushed or _kind(item)
    except Quarantined:
        return UNKNOWN


def _kind(item: Node) -> str:
    if item.has("deploymentVersion") or item.has("deploymentState"):
        return DEPLOYMENTS
    if not item.has("buildResultKey") and not item.has("planResultKey"):
        return UNKNOWN
    return JOB_BUILDS if item.at("plan", "type").value == "job" else PLAN_BUILDS


def _results(root: Node) -> list[Node]:
    """Return the results on a page, in a list, or the one."""
    if isinstance(root.value, list):
        return root.items()
    if isinstance(root.at("results").value, dict):
        return root.items("results", "result")
    return root.items("results") or [root.child()]


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a webhook of the kind `build` or `deployment`, or a page of the kinds `rest.*`.

    Pure and total: raises nothing but `Quarantined`.
    """
    return translation(_read(delivery, context))


def _read(delivery: Delivery, context: Context) -> Outcome:
    kind, root = delivery.kind, Node(parse_json(delivery.body))
    if kind == BUILD:
        return _pushed_build(root.child().child(BUILD), context)
    if kind == DEPLOYMENT:
        return _pushed_deployment(root.child().child(DEPLOYMENT), context)
    if kind == PLAN_BUILDS:
        return joined(_build(item.child(), context) for item in _results(root))
    if kind == JOB_BUILDS:
        return "job"
    if kind == DEPLOYMENTS:
        return joined(_deployment(item.child(), context) for item in _results(root))
    raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither a webhook of Bamboo's nor a page that is read")


def _word(node: Node, field: str) -> str:
    """Return a state as one word: `IN_PROGRESS`, `InProgress` and `In progress` are the same."""
    return _NOT_A_LETTER.sub("", node.text(field).lower())


def _second(moment: datetime | None) -> datetime | None:
    return moment.replace(microsecond=0) if moment else None


def _at(node: Node, field: str) -> datetime | None:
    """Return a time of a webhook; where there is none, Bamboo sends the name of the variable."""
    value = node.at(field)
    if isinstance(value.value, str) and value.value.startswith("${"):
        return None
    return _second(parse_time(value.value, value.path))


def _source(context: Context, partitionkey: str) -> Source:
    return Source(context.settings.get("base_url", "").strip().rstrip("/") or DEFAULT_SOURCE, partitionkey)


def _checked(state: str, known: Iterable[str], node: Node, field: str) -> str:
    if state not in known:
        raise Quarantined("bad_value", f"{node.at(field).path} is {state[:80]!r}; Bamboo has no such state")
    return state


def _build(item: Node, context: Context) -> Outcome:
    """The result of a plan is a run. One that was not built was stopped in the queue."""
    cycle = _checked(_word(item, "lifeCycleState"), _LIFE_CYCLES, item, "lifeCycleState")
    revisions = item.items("vcsRevisions", "vcsRevision")
    alone = revisions[0] if len(revisions) == 1 else Node({})
    outcome: RunOutcome | None = None
    if cycle == _OVER:
        outcome = _STATES[_checked(_word(item, "buildState"), _STATES, item, "buildState")]
    elif cycle == _NOT_BUILT:
        outcome = "cancel"
    run = PipelineRun(
        run=item.text_or_none("key") or item.text("buildResultKey"),
        pipeline=item.text_or_none("plan", "key") or item.text("planName"),
        repo=repository(named(context.settings, alone.text_or_none("repositoryName") or "")),
        sha=commit(alone.text_or_none("vcsRevisionKey") or item.text_or_none("vcsRevisionKey")),
        outcome=outcome,
    )
    started_at, queued_at = _at(item, "buildStartedTime"), _at(item, "queueStartedTime")
    if cycle in {"pending", "queued"}:  # Bamboo dates the start of what still waits; it is when it was asked for.
        started_at, queued_at = None, queued_at or started_at
    finished_at = _at(item, "buildCompletedTime") if outcome else None
    where = _source(context, run.pipeline)
    return where.run(run, queued_at=queued_at, started_at=started_at, finished_at=finished_at) or "build.waits"


def _pushed_build(build: Node, context: Context) -> Outcome:
    """A webhook tells neither plan nor commit: the plan is what comes before the number in the result's key."""
    key, state = build.text("buildResultKey"), _word(build, "status")
    outcome = _STATES.get(state) if _at(build, "finishedAt") else None
    run = PipelineRun(run=key, pipeline=key.rpartition("-")[0] or key, outcome=outcome)
    where = _source(context, run.pipeline)
    finished_at = _at(build, "finishedAt") if outcome else None
    return where.run(run, started_at=_at(build, "startedAt"), finished_at=finished_at) or "build.waits"


def _deployment(item: Node, context: Context) -> Outcome:
    """The result of a deployment. What was replaced or skipped is over, whatever its life cycle says."""
    project, _, environment = item.text("key", "entityKey", "key").rpartition("-")
    state = _word(item, "deploymentState")
    cycle = _checked(_word(item, "lifeCycleState"), _LIFE_CYCLES, item, "lifeCycleState")
    ending: Ending | None = _NEVER_RAN.get(state)
    if ending is None and cycle == _OVER:
        ending = _ENDINGS[_checked(state, _ENDINGS, item, "deploymentState")]
    elif ending is None and cycle == _NOT_BUILT:
        ending = "cancelled"
    started_at = item.moment_or_none("startedDate") or item.moment_or_none("executedDate")
    return _told(
        item,
        context,
        identity=item.key("id"),
        place=(project, environment, None),
        version=item.text_or_none("deploymentVersionName") or item.text_or_none("deploymentVersion", "name"),
        reason=item.text_or_none("reasonSummary"),
        times=(_second(started_at), _second(item.moment_or_none("finishedDate"))),
        ending=ending,
    )


def _pushed_deployment(item: Node, context: Context) -> Outcome:
    finished_at, state = _at(item, "finishedAt"), _word(item, "status")
    ending = (_NEVER_RAN.get(state) or _ENDINGS.get(state)) if finished_at else None
    return _told(
        item,
        context,
        identity=item.key("deploymentResultId"),
        place=(
            item.key_or_none("deploymentProjectId") or "",
            item.key("environmentId"),
            item.text_or_none("environmentName"),
        ),
        version=item.text_or_none("deploymentVersionName"),
        reason=item.text_or_none("triggerSentence") or item.text_or_none("triggerReason"),
        times=(_at(item, "startedAt"), finished_at),
        ending=ending,
    )


def _told(
    item: Node,
    context: Context,
    *,
    identity: str,
    place: tuple[str, str, str | None],
    version: str | None,
    reason: str | None,
    times: tuple[datetime | None, datetime | None],
    ending: Ending | None,
) -> Outcome:
    project, environment, told_name = place
    known, naming = read_names(context.settings), read_naming(context.settings)
    rolls_back = ending == "success" and (naming.rolls_back(reason) or naming.rolls_back(version))
    data = DeploymentEvent(
        deployment=f"deployments/{identity}",
        environment=known.get(environment) or told_name or environment or item.text("environmentName"),
        service=known.get(project, project) or None,
        version=version,
        started_at=times[0],
    )
    where = _source(context, project or data.environment)
    ending = "rolled_back" if rolls_back else ending
    return where.deployment(data, finished_at=times[1], ending=ending) or "deployment.waits"
