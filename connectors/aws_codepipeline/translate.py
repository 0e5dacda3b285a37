"""CodePipeline's events and executions -> canonical events.

An event tells when something began to the millisecond and when it was told to the second: all times are cut to the
second, so that every event of an execution tells the same beginning.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import (
    Ending,
    Naming,
    Outcome,
    RunOutcome,
    Source,
    ending_of,
    joined,
    read_naming,
    translation,
)
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json, parse_object
from pipeline.events.remotes import commit, repository
from pipeline.events.types import DeploymentEvent, PipelineRun

UNKNOWN = "unknown"
DEFAULT_SOURCE = "aws_codepipeline"
#: With which whoever asks says which pipeline a list of executions belongs to.
PIPELINE_HEADER = "x-leadline-pipeline"
EXECUTIONS = "rest.executions"
_SNS = "Notification"
_SNS_CONTROL = {"SubscriptionConfirmation", "UnsubscribeConfirmation"}
_PIPELINE, _STAGE, _ACTION = (
    f"CodePipeline {level} Execution State Change" for level in ("Pipeline", "Stage", "Action")
)

#: State of an event, or status of the API in capitals -> outcome. Superseded: a newer execution overtook it.
_STATES: dict[str, RunOutcome] = {
    "SUCCEEDED": "success",
    "FAILED": "failure",
    "CANCELED": "cancel",
    "CANCELLED": "cancel",
    "SUPERSEDED": "cancel",
    "STOPPED": "cancel",
    "ABANDONED": "cancel",
    "SKIPPED": "cancel",
}
_GOES_ON = {"STARTED", "RESUMED", "STOPPING", "INPROGRESS"}


class Told(msgspec.Struct, frozen=True):
    """One execution of a pipeline, and in it of a stage or an action; `told_at`: when its state was so."""

    run: PipelineRun
    outcome: RunOutcome | None
    rolls_back: bool
    started_at: datetime | None
    told_at: datetime


def describe(body: bytes) -> tuple[str, str | None]:
    """Return (`detail-type` of an event, its id), or what SNS or the API sent and None; never raises."""
    try:
        root = _unwrapped(parse_object(body))
        kind = root.text_or_none("detail-type") or root.text_or_none("detailType") or root.text_or_none("Type")
        if kind is None and _is_execution(root):
            return EXECUTIONS, None
        return kind or UNKNOWN, root.text_or_none("id")
    except Quarantined:
        return UNKNOWN, None


def _is_execution(root: Node) -> bool:
    names = ("pipelineExecutionSummaries", "pipelineExecution", "pipelineExecutionId")
    return any(root.has(name) for name in names) or (
        isinstance(root.at("pipeline").value, dict) and root.has("pipeline", "executionId")
    )


def _unwrapped(root: Node) -> Node:
    """Return the event in a message of SNS, else the body itself."""
    if root.at("Type").value != _SNS:
        return root
    found = Node(parse_json(root.text("Message").encode("utf-8", "surrogatepass")), "Message")
    return found.child()


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery whose kind is a `detail-type` of CodePipeline's, or `rest.executions`.

    Pure and total: raises nothing but `Quarantined`.
    """
    return translation(_read(delivery, context))


def _read(delivery: Delivery, context: Context) -> Outcome:
    kind, root = delivery.kind, _unwrapped(parse_object(delivery.body))
    if kind == EXECUTIONS:
        return _executions(root, delivery.headers.get(PIPELINE_HEADER), context)
    if kind in _SNS_CONTROL:
        return kind
    if kind in {_PIPELINE, _STAGE, _ACTION}:
        told, detail = _told(root), root.child("detail")
        if kind == _PIPELINE:
            return _pipeline(told, context)
        return _part(detail, told, kind, context)
    raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither a detail-type of CodePipeline nor a page")


def _outcome(node: Node, field: str) -> RunOutcome | None:
    state = node.text(field).upper()
    if state not in _STATES and state not in _GOES_ON:
        raise Quarantined("bad_value", f"{node.path or 'body'}.{field} is {state[:80]!r}; there is no such state")
    return _STATES.get(state)


def _second(moment: datetime | None) -> datetime | None:
    return moment.replace(microsecond=0) if moment else None


def _identity(execution: str, attempt: int) -> str:
    """A second attempt of one execution is something else, so that the failure of the first one is not forgotten."""
    return f"executions/{execution}" + (f"/attempts/{attempt}" if attempt > 1 else "")


def _told(root: Node) -> Told:
    detail, told_at = root.child("detail"), root.moment("time")
    trigger, attempt = detail.at("execution-trigger"), detail.integer_or_none("pipeline-execution-attempt") or 1
    outcome = _outcome(detail, "state")
    began = detail.moment_or_none("start-time") or (told_at if detail.text("state").upper() == "STARTED" else None)
    run = PipelineRun(
        run=_identity(detail.text("execution-id"), attempt),
        pipeline=detail.text("pipeline"),
        repo=repository(trigger.text_or_none("full-repository-name")),
        sha=commit(trigger.text_or_none("commit-id")),
        branch=trigger.text_or_none("branch-name"),
        attempt=attempt if 0 < attempt < 2**31 else 1,
    )
    rolls_back = "rollback" in (trigger.text_or_none("trigger-type") or "").lower() or detail.has("rollback-metadata")
    return Told(run, outcome, rolls_back, _second(began), told_at.replace(microsecond=0))


def _ending(told: Told, naming: Naming, *names: str | None) -> Ending | None:
    rolls_back = told.rolls_back or any(naming.rolls_back(name) for name in names)
    return "rolled_back" if rolls_back and told.outcome == "success" else ending_of(told.outcome)


def _source(told: Told, context: Context) -> Source:
    uri = context.settings.get("base_url", "").strip().rstrip("/") or DEFAULT_SOURCE
    return Source(uri, told.run.repo or told.run.pipeline)


def _pipeline(told: Told, context: Context) -> Outcome:
    """A run, and a deployment as a whole if the name of the pipeline says so."""
    where, naming, pipeline = _source(told, context), read_naming(context.settings), told.run.pipeline
    run = msgspec.structs.replace(told.run, outcome=told.outcome)
    finished_at = told.told_at if told.outcome else None
    events = where.run(run, started_at=told.started_at, finished_at=finished_at)
    environment = naming.target(pipeline)
    if not naming.run_deploys(pipeline) or environment is None:
        return events or "execution.goes_on"
    data = _deployment(told, told.run.run, environment)
    deployment = where.deployment(data, finished_at=finished_at, ending=_ending(told, naming, pipeline))
    return [*events, *deployment] or "execution.goes_on"


def _deployment(told: Told, name: str, environment: str) -> DeploymentEvent:
    run = told.run
    return DeploymentEvent(
        deployment=name,
        environment=environment,
        repo=run.repo,
        sha=run.sha,
        service=None if run.repo else run.pipeline,
        started_at=told.started_at,
    )


def _part(detail: Node, told: Told, kind: str, context: Context) -> Outcome:
    """A stage that deploys by its name; in other stages, an action of the category *Deploy*.

    Nothing counts in a pipeline that deploys as a whole.
    """
    naming, pipeline, stage = read_naming(context.settings), told.run.pipeline, detail.text("stage")
    name = f"{told.run.run}/stages/{stage}"
    environment = naming.target(stage, pipeline)
    counts = naming.deploys(stage)
    action = None
    if kind == _ACTION:
        action = detail.text("action")
        name, environment = f"{name}/actions/{action}", naming.target(action, stage, pipeline)
        counts = not counts and (detail.text_or_none("type", "category") or "").lower() == "deploy"
    if naming.run_deploys(pipeline) or not counts or environment is None:
        return f"{'action' if action else 'stage'}.not_a_deployment"
    data = _deployment(told, name, environment)
    ending, finished_at = _ending(told, naming, stage, action), told.told_at if told.outcome else None
    return _source(told, context).deployment(data, finished_at=finished_at, ending=ending) or "stage.goes_on"


def _executions(root: Node, header: str | None, context: Context) -> Outcome:
    """Executions as the API lists them. One that is asked for alone carries no time, so that it tells nothing."""
    if not root.has("pipelineExecutionSummaries"):
        return "execution.no_time" if _is_execution(root) else "rest.executions.empty"
    pipeline = root.text_or_none("pipelineName") or header
    if not pipeline:
        raise Quarantined("missing_field", f"the pipeline is not told; give it in the header {PIPELINE_HEADER}")
    items = root.items("pipelineExecutionSummaries")
    return joined(_summary(item, pipeline, context) for item in items) if items else "rest.executions.empty"


def _summary(item: Node, pipeline: str, context: Context) -> Outcome:
    revisions = item.items("sourceRevisions")
    run = PipelineRun(
        run=_identity(item.text("pipelineExecutionId"), 1),
        pipeline=pipeline,
        sha=commit(revisions[0].text_or_none("revisionId")) if len(revisions) == 1 else None,
    )
    rolls_back = (item.text_or_none("executionType") or "").upper() == "ROLLBACK"
    told_at = item.moment("lastUpdateTime").replace(microsecond=0)
    started_at = _second(item.moment_or_none("startTime"))
    return _pipeline(Told(run, _outcome(item, "status"), rolls_back, started_at, told_at), context)
