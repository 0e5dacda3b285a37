"""Tekton's cloud events and runs -> canonical events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome, RunOutcome, ending_of, joined, read_naming, translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json
from pipeline.events.remotes import commit, repository
from pipeline.events.resources import condition, identity, notes, resources, source_of
from pipeline.events.types import DeploymentEvent, PipelineRun

UNKNOWN = "unknown"
RUN = "run"
_WRAPPERS = ("pipelineRun", "taskRun", "run", "customRun")
_LEFT_OUT = {"Run", "CustomRun", "Pipeline", "Task", "ClusterTask", "EventListener"}

#: Reasons for which a run that did not succeed was stopped by somebody, or by the clock or the cluster.
_CANCELLED = re.compile(r"cancel|stopped", re.IGNORECASE)
_ERROR = re.compile(r"timeout|timedout|couldntget|invalid|imagepull|failedvalidation|resolution|evicted", re.IGNORECASE)

#: What pipelines mostly call the parameters that name what they build and deploy.
DEFAULTS: Mapping[str, str] = {
    "repo_parameters": "repo-url, repo_url, git-url, git_url, git-repo-url, repository",
    "revision_parameters": "revision, git-revision, git_revision, commit, commit-sha, sha, git-commit",
    "environment_parameters": "environment, env, target-env, target_env, deploy-env, namespace",
}
_CODE_NOTES = {
    "repo": ("pipelinesascode.tekton.dev/repo-url", "leadline.dev/repo", "org.opencontainers.image.source"),
    "sha": ("pipelinesascode.tekton.dev/sha", "leadline.dev/sha", "org.opencontainers.image.revision"),
    "branch": ("pipelinesascode.tekton.dev/source-branch", "pipelinesascode.tekton.dev/branch"),
}


def kind_of(body: bytes) -> str:
    """Return `run` for a body that holds runs, else `unknown`; never raises."""
    try:
        root = Node(parse_json(body))
        wrapped = isinstance(root.value, dict) and any(root.has(name) for name in _WRAPPERS)
        known = wrapped or any(
            item.text_or_none("kind") in {"PipelineRun", "TaskRun"} for item in resources(root, deleted=True)
        )
    except Quarantined:
        return UNKNOWN
    return RUN if known else UNKNOWN


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery of kind `run`. Pure and total: raises nothing but `Quarantined`."""
    if delivery.kind != RUN:
        raise Quarantined("unknown_kind", f"{delivery.kind[:80]!r} is not `{RUN}`, the only kind of Tekton")
    root = Node(parse_json(delivery.body))
    wrapper = next((name for name in _WRAPPERS if isinstance(root.value, dict) and root.has(name)), None)
    found = resources(root, *_WRAPPERS)
    return translation(joined(_read(item, wrapper, context) for item in found) if found else "run.none")


def _read(item: Node, wrapper: str | None, context: Context) -> Outcome:
    """An event does not repeat the kind of the run that it holds: the wrapper tells it."""
    kind = item.text_or_none("kind") or (wrapper[0].upper() + wrapper[1:] if wrapper else None)
    if kind == "PipelineRun":
        return _pipeline_run(item, context)
    if kind == "TaskRun":
        return _task_run(item, context)
    if kind in _LEFT_OUT:
        return str(kind)
    raise Quarantined("unknown_type", f"{item.at('kind').path} is {str(kind)[:80]!r}; expected PipelineRun or TaskRun")


def _outcome(item: Node) -> tuple[RunOutcome | None, datetime | None]:
    """Return how a run ended and when; (None, None) while it goes on."""
    found = condition(item, "Succeeded")
    state = found.text_or_none("status") if found else None
    if found is None or state not in {"True", "False"}:
        return None, None
    at = item.moment_or_none("status", "completionTime") or found.moment("lastTransitionTime")
    reason = found.text_or_none("reason") or ""
    if state == "True":
        return "success", at
    return ("cancel" if _CANCELLED.search(reason) else "error" if _ERROR.search(reason) else "failure"), at


def _values(item: Node) -> dict[str, str]:
    """Return the parameters and results that are texts, under lower-case names; a result says what was really used."""
    given, made = [("spec", "params")], [("status", name) for name in ("results", "pipelineResults", "taskResults")]
    found: dict[str, str] = {}
    for path in [*given, *made]:
        for entry in item.items(*path):
            value = entry.at("value").value
            if isinstance(value, str) and value:
                found[entry.text("name").lower()] = value
    return found


def _named(values: Mapping[str, str], setting: str, context: Context) -> str | None:
    names = context.settings.get(setting, "").strip() or DEFAULTS[setting]
    return next((values[key] for name in names.split(",") if (key := name.strip().lower()) in values), None)


def _run(item: Node, name: str, pipeline: str, context: Context) -> PipelineRun:
    told, values = notes(item), _values(item)
    noted = {field: next((told[note] for note in names if note in told), None) for field, names in _CODE_NOTES.items()}
    revision = _named(values, "revision_parameters", context)
    return PipelineRun(
        run=name,
        pipeline=pipeline,
        repo=repository(noted["repo"]) or repository(_named(values, "repo_parameters", context)),
        sha=commit(noted["sha"]) or commit(revision),
        branch=noted["branch"] or (revision if revision and not commit(revision) else None),
    )


def _deployment(run: PipelineRun, environment: str, started_at: datetime | None) -> DeploymentEvent:
    return DeploymentEvent(
        deployment=run.run, environment=environment, repo=run.repo, sha=run.sha, started_at=started_at
    )


def _identified(item: Node, kind: str) -> str:
    """Names of runs are used again once a run is deleted: the uid tells them apart."""
    uid = item.text_or_none("metadata", "uid")
    return f"{kind}/{identity(item)}" + (f"/{uid}" if uid else "")


def _pipeline_run(item: Node, context: Context) -> Outcome:
    told = notes(item)
    pipeline = told.get("tekton.dev/pipeline") or item.text_or_none("spec", "pipelineRef", "name")
    pipeline = pipeline or (item.text_or_none("metadata", "generateName") or item.text("metadata", "name")).rstrip("-")
    run = _run(item, _identified(item, "pipelineruns"), pipeline, context)
    outcome, finished_at = _outcome(item)
    started_at = item.moment_or_none("status", "startTime")
    data = PipelineRun(
        run=run.run, pipeline=run.pipeline, repo=run.repo, sha=run.sha, branch=run.branch, outcome=outcome
    )
    where = source_of(context, "tekton", run.repo or identity(item).partition("/")[0])
    queued_at = item.moment_or_none("metadata", "creationTimestamp")
    events = where.run(data, queued_at=queued_at, started_at=started_at, finished_at=finished_at)
    naming, values = read_naming(context.settings), _values(item)
    environment = _named(values, "environment_parameters", context) or naming.target(pipeline, identity(item))
    if not naming.run_deploys(pipeline) or environment is None:
        return events or "run.no_time"
    rolls_back = outcome == "success" and naming.rolls_back(pipeline)
    ending = "rolled_back" if rolls_back else ending_of(outcome)
    told_deployment = _deployment(run, environment, started_at)
    return [*events, *where.deployment(told_deployment, finished_at=finished_at, ending=ending)]


def _task_run(item: Node, context: Context) -> Outcome:
    """A task tells nothing unless its name says that it deploys, and its pipeline's does not."""
    told, naming = notes(item), read_naming(context.settings)
    task = told.get("tekton.dev/pipelineTask") or told.get("tekton.dev/task")
    task = task or item.text_or_none("spec", "taskRef", "name") or item.text("metadata", "name")
    pipeline = told.get("tekton.dev/pipeline")
    environment = _named(_values(item), "environment_parameters", context) or naming.target(task, pipeline)
    if not naming.deploys(task) or naming.run_deploys(pipeline) or environment is None:
        return "taskrun.not_a_deployment"
    run = _run(item, _identified(item, "taskruns"), task, context)
    outcome, finished_at = _outcome(item)
    started_at = item.moment_or_none("status", "startTime")
    ending = "rolled_back" if outcome == "success" and naming.rolls_back(task) else ending_of(outcome)
    where = source_of(context, "tekton", run.repo or identity(item).partition("/")[0])
    data = _deployment(run, environment, started_at)
    return where.deployment(data, finished_at=finished_at, ending=ending) or "taskrun.nothing_ran"
