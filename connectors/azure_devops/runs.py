"""Azure Pipelines and classic releases: builds, runs, stages, jobs, deployments."""

from __future__ import annotations

from datetime import datetime

import msgspec

from connectors.azure_devops.place import branch, built_repository, source, urls_of
from pipeline.events.delivery import Context
from pipeline.events.deploying import Ending, Outcome, RunOutcome, Source, ending_of, joined, read_naming
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node
from pipeline.events.remotes import commit, repository
from pipeline.events.types import DeploymentEvent, PipelineRun

#: With which the poller says which build the records of a timeline belong to.
BUILD_HEADER = "x-leadline-build"

#: Result -> outcome. Partially succeeded: a step failed that was allowed to. XAML builds say it in `status`.
_RESULTS: dict[str, RunOutcome] = {
    "succeeded": "success",
    "succeededwithissues": "success",
    "partiallysucceeded": "success",
    "failed": "failure",
    "rejected": "failure",
    "abandoned": "error",
    "canceled": "cancel",
    "cancelled": "cancel",
    "stopped": "cancel",
}
_SKIPPED = {"skipped", "none"}


def _outcome(result: str | None) -> RunOutcome | None:
    return _RESULTS.get((result or "").lower())


def build(root: Node, context: Context) -> Outcome:
    """Hook `build.complete`."""
    return built(root.child("resource"), context)


def built(item: Node, context: Context) -> Outcome:
    """Return how far a build has come; the whole build is a deployment if its pipeline's name says so."""
    run, where = _run(item, context)
    started_at, finished_at = item.moment_or_none("startTime"), item.moment_or_none("finishTime")
    events = where.run(run, queued_at=item.moment_or_none("queueTime"), started_at=started_at, finished_at=finished_at)
    if not events:
        raise Quarantined("missing_field", f"{item.at('queueTime').path}, startTime and finishTime are absent")
    naming = read_naming(context.settings)
    environment = naming.target(run.pipeline) if naming.run_deploys(run.pipeline) else None
    if environment is None:
        return events
    data = _deployment(run, run.run, environment, started_at)
    ending = _ending(run.outcome, rolls_back=naming.rolls_back(run.pipeline))
    return [*events, *where.deployment(data, finished_at=finished_at, ending=ending)]


def _run(item: Node, context: Context) -> tuple[PipelineRun, Source]:
    repo = built_repository(item)
    project = item.text_or_none("project", "name")
    # XAML builds: `LG:refs/heads/main:<sha>`.
    version = (item.text_or_none("sourceGetVersion") or "").split(":")
    run = PipelineRun(
        run=f"builds/{item.integer('id')}",
        pipeline=item.text("definition", "name"),
        repo=repo,
        sha=item.text_or_none("sourceVersion") or commit(version[-1]),
        branch=branch(item.text_or_none("sourceBranch") or (version[1] if len(version) == 3 else None)),
        outcome=_outcome(item.text_or_none("result") or item.text_or_none("status")),
        url=item.text_or_none("_links", "web", "href"),
    )
    return run, source(context, repo or project, *urls_of(item), item.text_or_none("definition", "url"))


def _deployment(run: PipelineRun, name: str, environment: str, started_at: datetime | None) -> DeploymentEvent:
    return DeploymentEvent(
        deployment=name, environment=environment, repo=run.repo, sha=run.sha, started_at=started_at, url=run.url
    )


def _ending(outcome: RunOutcome | None, *, rolls_back: bool) -> Ending | None:
    return "rolled_back" if rolls_back and outcome == "success" else ending_of(outcome)


def run_state(root: Node, context: Context) -> Outcome:
    """Hook `ms.vss-pipelines.run-state-changed-event`: the same run as that of `build.complete`, told with less."""
    run, where = _told_run(root, context)
    item = root.child("resource", "run")
    created_at, finished_at = item.moment_or_none("createdDate"), item.moment_or_none("finishedDate")
    over = (item.text_or_none("state") or "").lower() == "completed"
    run = msgspec.structs.replace(run, outcome=_outcome(item.text_or_none("result")))
    end = finished_at or root.moment_or_none("createdDate")
    return where.run(run, queued_at=created_at, finished_at=end if over else None) or "run_state_changed.no_time"


def _told_run(root: Node, context: Context) -> tuple[PipelineRun, Source]:
    told = root.child("resource")
    run, pipeline = told.child("run"), told.child_or_none("pipeline") or told.child("run", "pipeline")
    repositories = told.items("repositories")
    repo = repository(repositories[0].text_or_none("url")) if repositories else None
    sha = commit(repositories[0].text_or_none("change", "version")) if repositories else None
    if repo and repo.startswith("repos/"):
        repo = repo.removeprefix("repos/")  # The REST URL of a repository on GitHub.
    data = PipelineRun(
        run=f"builds/{run.integer('id')}",
        pipeline=pipeline.text("name"),
        repo=repo,
        sha=sha,
        url=run.text_or_none("_links", "web", "href"),
    )
    urls = (pipeline.text_or_none("url"), run.text_or_none("url"), *urls_of(told))
    return data, source(context, repo or data.pipeline, *urls)


def stage_state(root: Node, context: Context) -> Outcome:
    """Hook `ms.vss-pipelines.stage-state-changed-event`."""
    return _part(root, context, "stage")


def job_state(root: Node, context: Context) -> Outcome:
    """Hook `ms.vss-pipelines.job-state-changed-event`; a job counts only if its stage does not."""
    return _part(root, context, "job")


def _part(root: Node, context: Context, kind: str) -> Outcome:
    """A stage or a job is a deployment if its name says so, unless that of what it is a part of does already."""
    run, where = _told_run(root, context)
    item, naming = root.child("resource", kind), read_naming(context.settings)
    above = root.text_or_none("resource", "stage", "name") if kind == "job" else None
    name, shown = item.text("name"), item.text_or_none("displayName")
    counts = naming.deploys(shown or name) or naming.deploys(name)
    environment = naming.target(shown, name, above, run.pipeline)
    if not counts or naming.run_deploys(run.pipeline) or naming.deploys(above) or environment is None:
        return f"{kind}_state_changed.not_a_deployment"
    state, result = (item.text_or_none("state") or "").lower(), item.text_or_none("result")
    if state not in {"running", "inprogress", "completed"} or (result or "").lower() in _SKIPPED:
        return f"{kind}_state_changed.nothing_ran"
    at, over = root.moment("createdDate"), state == "completed"
    started_at = item.moment_or_none("startTime") or (None if over else at)
    path = f"{run.run}/{above}/{name}" if above else f"{run.run}/{name}"
    ending = _ending(_outcome(result), rolls_back=naming.rolls_back(shown or name))
    data = _deployment(run, path, environment, started_at)
    finished_at = (item.moment_or_none("finishTime") or at) if over else None
    return where.deployment(data, finished_at=finished_at, ending=ending)


def timeline(root: Node, context: Context, named: str | None) -> Outcome:
    """Records of a build's timeline: `{"build": ..., "records": [...]}`, one, or a list of them."""
    of = root.child_or_none("build") if isinstance(root.value, dict) else None
    run, where = _run(of, context) if of else (None, source(context, None))
    many = isinstance(root.value, dict) and root.has("records")
    records = root.items("records") if many else root.items() if isinstance(root.value, list) else [root.child()]
    if not records:
        return "rest.timeline.empty"
    return joined(_record(record, run, where, context, named) for record in records)


def _record(item: Node, run: PipelineRun | None, where: Source, context: Context, named: str | None) -> Outcome:
    kind, naming = (item.text_or_none("type") or "").lower(), read_naming(context.settings)
    if kind not in {"stage", "job"}:
        return "rest.timeline.step"
    name = item.text("name")
    environment = naming.target(name, run.pipeline if run else None)
    if not naming.deploys(name) or (run and naming.run_deploys(run.pipeline)) or environment is None:
        return f"rest.timeline.{kind}_not_a_deployment"
    if (item.text_or_none("result") or "").lower() in _SKIPPED or not item.has("startTime"):
        return f"rest.timeline.{kind}_nothing_ran"
    log = item.text_or_none("log", "url") or ""
    within = log.lower().partition("/builds/")[2].split("/")[0] or named
    if run is None and not within:
        detail = f"{item.path or 'body'} names no build: send {{'build': ..., 'records': [...]}} or {BUILD_HEADER}"
        raise Quarantined("missing_field", detail)
    run = run or PipelineRun(run=f"builds/{within}", pipeline=name)
    outcome = _outcome(item.text_or_none("result"))
    where = where if where.uri.startswith("http") else source(context, None, log)
    data = _deployment(run, f"{run.run}/{name}", environment, item.moment("startTime"))
    ending = _ending(outcome, rolls_back=naming.rolls_back(name))
    return where.deployment(data, finished_at=item.moment_or_none("finishTime"), ending=ending)
