"""Deployments and workflow runs."""

from __future__ import annotations

from typing import Literal

import msgspec

from connectors.github.settings import read_settings
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome, Source, ending_of
from pipeline.events.errors import Quarantined
from pipeline.events.forges import Repository, left_out, matches
from pipeline.events.reading import Node
from pipeline.events.types import DeploymentEvent, PipelineRun

DEPLOYED, STARTED, FAILED, CANCELLED = DeploymentEvent.TYPES
RUN_QUEUED, RUN_STARTED, RUN_FINISHED = PipelineRun.TYPES

#: State of a deployment -> what it means. `inactive` is none of these: a later deployment took the place of this one.
_STATES = {
    "queued": STARTED,
    "pending": STARTED,
    "waiting": STARTED,
    "in_progress": STARTED,
    "success": DEPLOYED,
    "failure": FAILED,
    "error": FAILED,
    "cancelled": CANCELLED,
    "abandoned": CANCELLED,
}

MAX_ATTEMPT = 100_000

RunOutcome = Literal["success", "failure", "error", "cancel"]

#: Conclusion of a run -> outcome. Neutral passes wherever GitHub asks for success; a stale run was given up by GitHub.
#: A conclusion that is not listed leaves the outcome unknown.
_CONCLUSIONS: dict[str, RunOutcome] = {
    "success": "success",
    "neutral": "success",
    "failure": "failure",
    "timed_out": "error",
    "startup_failure": "error",
    "cancelled": "cancel",
    "stale": "cancel",
}
_NOT_STARTED = {"requested", "queued", "waiting", "pending"}


def deployment(root: Node, repo: Repository, _context: Context) -> Outcome:
    """Webhook `deployment`: somebody asked for one."""
    return requested(root.child("deployment"), repo)


def requested(item: Node, repo: Repository) -> Outcome:
    """Return the start of a deployment, from the deployment itself."""
    data = _placed(item, repo, item.text("environment"))
    return [repo.event(STARTED, item.moment("created_at"), data.deployment, data)]


def deployment_status(root: Node, repo: Repository, _context: Context) -> Outcome:
    """Webhook `deployment_status`."""
    return status(root.child("deployment_status"), root.child("deployment"), repo)


def status(item: Node, of: Node, repo: Repository) -> Outcome:
    """Return what a status says about its deployment `of`. The environment is the one displayed with the status."""
    state = item.text("state").lower()
    event_type = _STATES.get(state)
    if event_type is None:
        return left_out("deployment_status", state)
    data = _placed(of, repo, item.text_or_none("environment") or of.text("environment"))
    url = item.text_or_none("log_url") or item.text_or_none("target_url")
    data = msgspec.structs.replace(data, url=url)
    return [repo.event(event_type, item.moment("created_at"), data.deployment, data)]


def _placed(item: Node, repo: Repository, environment: str) -> DeploymentEvent:
    return DeploymentEvent(
        deployment=f"{repo.name}/deployments/{item.key('id')}",
        environment=environment,
        repo=repo.name,
        sha=item.text("sha"),
        started_at=item.moment("created_at"),
    )


def _pipeline(item: Node) -> str:
    # The path of a polled run may end in the ref that it was read from.
    path = (item.text_or_none("path") or "").split("@")[0]
    return item.text_or_none("name") or path or item.key("workflow_id")


def attempt_of(item: Node) -> int:
    """Return which attempt of a run this is. Raises `Quarantined` for a number that GitHub does not give."""
    told = item.integer_or_none("run_attempt")
    if told is not None and not 1 <= told <= MAX_ATTEMPT:
        raise Quarantined("bad_value", f"{item.at('run_attempt').path} is {told}; expected 1 to {MAX_ATTEMPT}")
    return told or 1


def workflow_run(root: Node, repo: Repository, _context: Context) -> Outcome:
    """Webhook `workflow_run`."""
    return run(root.child("workflow_run"), repo, root.text_or_none("action"))


def run(item: Node, repo: Repository, action: str | None = None) -> Outcome:
    """Return how far the present attempt of a run has come, from the start, so that a lost webhook costs nothing.

    `action` of a webhook bounds it: the run that it shows may have gone on since.
    """
    conclusion = (item.text_or_none("conclusion") or "").lower()
    if conclusion == "skipped":
        return "workflow_run.skipped"  # Its conditions did not hold: nothing ran.
    attempt, created_at = attempt_of(item), item.moment("created_at")
    started_at = item.moment_or_none("run_started_at") or created_at
    name = f"{repo.name}/actions/runs/{item.key('id')}"
    data = PipelineRun(
        run=name,
        pipeline=_pipeline(item),
        repo=repo.name,
        sha=item.text_or_none("head_sha"),
        branch=item.text_or_none("head_branch"),
        attempt=attempt,
        url=item.text_or_none("html_url"),
    )
    # A run is created once; a further attempt is queued when somebody starts it.
    events = [repo.event(RUN_QUEUED, started_at if attempt > 1 else created_at, name, data)]
    status = (item.text_or_none("status") or "").lower()
    if action == "requested" or status in _NOT_STARTED or conclusion == "action_required":
        return events  # Action required: it waits for somebody's approval.
    events.append(repo.event(RUN_STARTED, started_at, name, data))
    if action == "in_progress" or not conclusion:
        return events
    finished = msgspec.structs.replace(data, outcome=_CONCLUSIONS.get(conclusion))
    return [*events, repo.event(RUN_FINISHED, item.moment("updated_at"), name, finished)]


def workflow_job(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhook `workflow_job`. A job with an environment has a deployment beside it, which is told for itself."""
    if root.has("deployment"):
        return "workflow_job.deployment"
    return job(root.child("workflow_job"), repo, context)


def job(item: Node, repo: Repository, context: Context) -> Outcome:
    """Return the deployment that a job is where the settings say that jobs of its name deploy."""
    settings = read_settings(context.settings)
    if not matches(item.text("name"), settings.deploy_jobs):
        return "workflow_job"
    status, conclusion = item.text("status").lower(), (item.text_or_none("conclusion") or "").lower()
    if status in _NOT_STARTED or conclusion in {"skipped", "action_required"}:
        return left_out("workflow_job", conclusion or status)
    data = DeploymentEvent(
        deployment=f"{repo.name}/actions/jobs/{item.key('id')}",
        environment=settings.deploy_jobs_environment,
        repo=repo.name,
        sha=item.text("head_sha"),
        started_at=item.moment_or_none("started_at"),
        url=item.text_or_none("html_url"),
    )
    finished_at = item.moment("completed_at") if conclusion else None
    ending = ending_of(_CONCLUSIONS.get(conclusion))
    return Source(repo.source, repo.name).deployment(data, finished_at=finished_at, ending=ending)
