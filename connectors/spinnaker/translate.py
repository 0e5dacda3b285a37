"""Spinnaker's Echo events and executions -> canonical events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Ending, Outcome, RunOutcome, Source, joined, read_naming, translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json
from pipeline.events.remotes import commit, repository
from pipeline.events.types import DeploymentEvent, PipelineRun

UNKNOWN = "unknown"
DEFAULT_SOURCE = "spinnaker"
BUILD = "build"
EXECUTIONS = "rest.executions"

DEFAULTS: Mapping[str, str] = {
    "deployment_stages": "deploy, deployManifest, deployCloudFormation, deployService, deployLambda, "
    "Aws.LambdaDeploymentStage, createServerGroup, cloneServerGroup",
    "rollback_stages": "rollbackCluster, rollbackServerGroup, undoRolloutManifest",
}
_MAX_DURATION_MS = 366 * 86_400_000

#: Status of an execution -> outcome. Stopped: it was ended early, without a failure. Not listed: it goes on.
_STATUS: dict[str, RunOutcome] = {
    "SUCCEEDED": "success",
    "TERMINAL": "failure",
    "FAILED_CONTINUE": "failure",
    "CANCELED": "cancel",
    "STOPPED": "cancel",
}
_ENDINGS: dict[str, Ending] = {
    "SUCCEEDED": "success",
    "TERMINAL": "failure",
    "FAILED_CONTINUE": "failure",
    "STOPPED": "failure",
    "CANCELED": "cancelled",
}
_RESULTS: dict[str, RunOutcome] = {
    "SUCCESS": "success",
    "UNSTABLE": "success",
    "FAILURE": "failure",
    "ABORTED": "cancel",
    "NOT_BUILT": "cancel",
}
#: Stages and tasks are told again when their pipeline ends; triggers say what started it, and it says that as well.
_LEFT_OUT = {
    "orca:stage:starting", "orca:stage:complete", "orca:stage:failed", "orca:task:starting", "orca:task:complete",
    "orca:task:failed", "git", "docker", "artifact", "webhook", "manual", "pubsub", "helm", "cron", "plugin",
    "pipeline", "artifactory", "nexus", "igor", "gcr", "quay", "dockerRegistry", "cdevents",
}  # fmt: skip
_PIPELINES = {
    f"orca:{what}:{how}" for what in ("pipeline", "orchestration") for how in ("starting", "complete", "failed")
}


def kind_of(body: bytes) -> str:
    """Return the type of an Echo event (`details.type`), or `rest.executions` by its shape; never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, dict) and root.has("details"):
            return root.text_or_none("details", "type") or UNKNOWN
        found = root.items() if isinstance(root.value, list) else [root.child()]
        known = any(item.has("stages") and item.has("application") for item in found)
    except Quarantined:
        return UNKNOWN
    return EXECUTIONS if known else UNKNOWN


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery whose kind is a type of Echo's events, or `rest.executions`.

    Pure and total: raises nothing but `Quarantined`.
    """
    return translation(_read(delivery, context))


def _read(delivery: Delivery, context: Context) -> Outcome:
    kind, root = delivery.kind, Node(parse_json(delivery.body))
    if kind == EXECUTIONS:
        items = root.items() if isinstance(root.value, list) else [root.child()]
        return joined(_execution(item, context) for item in items) if items else "rest.executions.empty"
    if kind in _PIPELINES:
        return _execution(root.child("content", "execution"), context)
    if kind == BUILD:
        return _build(root.child("content"), context)
    if kind in _LEFT_OUT:
        return kind
    raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither a type of Echo's events nor a page that is read")


def _source(context: Context, partitionkey: str) -> Source:
    return Source(context.settings.get("base_url", "").strip().rstrip("/") or DEFAULT_SOURCE, partitionkey)


def _build(content: Node, context: Context) -> Outcome:
    """A build that Igor saw in a CI system. While `building`, the result that it shows is not final."""
    project = content.child("project")
    build, name = project.child_or_none("lastBuild"), f"{content.text('master')}/{project.text('name')}"
    if build is None:
        return "build.none"
    started_at, result = build.moment("timestamp"), (build.text_or_none("result") or "").upper()
    outcome = None if build.flag("building") else _RESULTS.get(result)
    length = build.integer_or_none("duration") or 0
    if not 0 <= length <= _MAX_DURATION_MS:
        detail = f"{build.at('duration').path} is {length}; expected the milliseconds of a build"
        raise Quarantined("bad_value", detail)
    changes = build.items("scm")
    run = PipelineRun(
        run=f"{name}#{build.key('number')}",
        pipeline=name,
        sha=commit(changes[-1].text_or_none("sha1")) if changes else None,
        branch=changes[-1].text_or_none("branch") if changes else None,
        outcome=outcome,
        url=build.text_or_none("url"),
    )
    finished_at = started_at + timedelta(milliseconds=length) if outcome else None
    return _source(context, name).run(run, started_at=started_at, finished_at=finished_at)


def _code(execution: Node) -> tuple[str | None, str | None, str | None]:
    """Return (repository, sha, branch) of the trigger, or of the trigger of the pipeline that was its trigger."""
    trigger = execution.at("trigger")
    for _ in range(5):
        owner, slug = trigger.text_or_none("project"), trigger.text_or_none("slug")
        changes = trigger.items("buildInfo", "scm")
        sha = commit(trigger.text_or_none("hash")) or (commit(changes[-1].text_or_none("sha1")) if changes else None)
        if sha is not None:
            branch = trigger.text_or_none("branch") or (changes[-1].text_or_none("branch") if changes else None)
            remote = changes[-1].text_or_none("remoteUrl") if changes else None
            return (f"{owner}/{slug}" if owner and slug else repository(remote)), sha, branch
        if not trigger.has("parentExecution", "trigger"):
            break
        trigger = trigger.at("parentExecution", "trigger")
    return None, None, None


def _execution(item: Node, context: Context) -> Outcome:
    """A pipeline is a run; its stages, and those of an operation by hand, may be deployments."""
    application, identity, status = item.text("application"), item.text("id"), item.text("status").upper()
    repo, sha, branch = _code(item)
    where, events = _source(context, application), list[Event]()
    outcome = _STATUS.get(status)
    if (item.text_or_none("type") or "PIPELINE").upper() == "PIPELINE":
        run = PipelineRun(
            run=f"executions/{identity}",
            pipeline=f"{application}/{item.text('name')}",
            repo=repo,
            sha=sha,
            branch=branch,
            outcome=outcome,
        )
        finished_at = item.moment_or_none("endTime") if outcome else None
        times = item.moment_or_none("buildTime"), item.moment_or_none("startTime")
        events = where.run(run, queued_at=times[0], started_at=times[1], finished_at=finished_at)
    for stage in item.items("stages"):
        events += _stage(stage, item, (repo, sha), where, context)
    return events or "orchestration.not_a_deployment"


def _types(context: Context, setting: str) -> set[str]:
    text = context.settings.get(setting, "").strip() or DEFAULTS[setting]
    return {name.strip().casefold() for name in text.split(",") if name.strip()}


def _stage(
    stage: Node, execution: Node, code: tuple[str | None, str | None], where: Source, context: Context
) -> list[Event]:
    """A stage deploys by its type. One that Spinnaker put into another (`parentStageId`) is a part of that."""
    kind, status = (stage.text_or_none("type") or "").casefold(), (stage.text_or_none("status") or "").upper()
    rolls_back = kind in _types(context, "rollback_stages")
    started_at = stage.moment_or_none("startTime")
    if not rolls_back and kind not in _types(context, "deployment_stages"):
        return []
    if stage.has("parentStageId") or status in {"SKIPPED", "NOT_STARTED"} or started_at is None:
        return []
    name, about = stage.text_or_none("name"), stage.at("context")
    clusters = about.items("clusters")
    account = about.text_or_none("account") or about.text_or_none("credentials")
    account = account or (clusters[0].text_or_none("account") if clusters else None)
    naming = read_naming(context.settings)
    environment = naming.environment(account, name, execution.text_or_none("name")) or account
    environment = environment or naming.target(name)
    if environment is None:
        return []
    data = DeploymentEvent(
        deployment=f"executions/{execution.text('id')}/stages/{stage.text('id')}",
        environment=environment,
        repo=code[0],
        sha=code[1],
        service=execution.text("application"),
        started_at=started_at,
    )
    ending = _ENDINGS.get(status)
    if rolls_back and ending == "success":
        ending = "rolled_back"
    return where.deployment(data, finished_at=stage.moment_or_none("endTime"), ending=ending)
