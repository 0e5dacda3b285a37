"""Deployments, pipelines and jobs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from connectors.gitlab import approvals
from connectors.gitlab.fields import second, second_or_none
from connectors.gitlab.project import Project
from connectors.gitlab.settings import read_settings
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.forges import left_out, matches
from pipeline.events.reading import Node
from pipeline.events.types import DeploymentEvent, PipelineRun

DEPLOYED, STARTED, FAILED, CANCELLED = DeploymentEvent.TYPES
RUN_QUEUED, RUN_STARTED, RUN_FINISHED = PipelineRun.TYPES

#: Status of a deployment, or of a job that deploys -> what it means.
_DEPLOYMENTS: Mapping[str, str] = {
    "running": STARTED,
    "success": DEPLOYED,
    "completed": DEPLOYED,
    "failed": FAILED,
    "canceled": CANCELLED,
}
#: It waits for its turn, for an approval or for somebody to press the button, or it never ran.
_NOT_DEPLOYED = frozenset(
    {
        "created",
        "blocked",
        "skipped",
        "undeployed",
        "pending",
        "preparing",
        "waiting_for_resource",
        "waiting_for_callback",
        "manual",
        "scheduled",
        "canceling",
    }
)

RunOutcome = Literal["success", "failure", "error", "cancel"]
_OUTCOMES: Mapping[str, RunOutcome] = {"success": "success", "failed": "failure", "canceled": "cancel"}

_COMMIT_URL = re.compile(r"/commit/([0-9a-f]{40}|[0-9a-f]{64})$")
_BRANCH = re.compile(r"(?!refs/).+", re.DOTALL)


def deployment(root: Node, project: Project, _context: Context) -> Outcome:
    """Webhook `deployment`: one message for each status that a deployment takes."""
    event_type, status = _deployed(root), root.text("status")
    if event_type is None and status != approvals.BLOCKED:
        return left_out("deployment", status)
    commit = _COMMIT_URL.search(root.text_or_none("commit_url") or "")
    data = DeploymentEvent(
        deployment=f"{project.name}/deployments/{root.key('deployment_id')}",
        environment=root.text("environment"),
        repo=project.name,
        sha=commit[1] if commit else None,
        url=root.text_or_none("deployable_url"),
    )
    at = second(root, "status_changed_at")
    if event_type is None:
        return [approvals.asked(data, project, at)]
    return [project.event(event_type, at, data.deployment, data)]


def polled_deployment(item: Node, project: Project) -> Outcome:
    """An item of a page of deployments: who had to approve it, when its job began, and what has become of it."""
    event_type = _deployed(item)
    data = DeploymentEvent(
        deployment=f"{project.name}/deployments/{item.key('id')}",
        environment=item.text("environment", "name"),
        repo=project.name,
        sha=item.text("sha"),
        url=item.text_or_none("deployable", "web_url"),
    )
    decisions = approvals.polled(item, data, project)
    if event_type is None:
        return decisions or left_out("deployment", item.text("status"))
    started_at = second_or_none(item, "deployable", "started_at")
    if event_type == STARTED:
        return [*decisions, project.event(STARTED, started_at or second(item, "created_at"), data.deployment, data)]
    finished_at = second_or_none(item, "finished_at") or second_or_none(item, "deployable", "finished_at")
    finished = project.event(event_type, finished_at or second(item, "updated_at"), data.deployment, data)
    started = [project.event(STARTED, started_at, data.deployment, data)] if started_at else []
    return [*decisions, *started, finished]


def _deployed(node: Node, field: str = "status") -> str | None:
    status = node.text(field)
    if status not in _DEPLOYMENTS and status not in _NOT_DEPLOYED:
        raise Quarantined("bad_value", f"{node.at(field).path} is {status[:80]!r}; GitLab has no such status")
    return _DEPLOYMENTS.get(status)


def pipeline(root: Node, project: Project, _context: Context) -> Outcome:
    """Webhook `pipeline`: how far it has come."""
    return _pipeline(root.child("object_attributes"), project)


def polled_pipeline(item: Node, project: Project) -> Outcome:
    """An item of a page of pipelines, or one pipeline with its details."""
    return _pipeline(item, project)


def _pipeline(item: Node, project: Project) -> Outcome:
    status, run = item.text("status"), f"{project.name}/pipelines/{item.key('id')}"
    if status == "skipped":
        return "pipeline.skipped"
    ref = item.text_or_none("ref") or ""
    of_merge_request = item.text_or_none("source") == "merge_request_event"
    data = PipelineRun(
        run=run,
        # A project has one pipeline definition. The name that a run may have can differ from run to run.
        pipeline=project.name,
        repo=project.name,
        sha=item.text_or_none("sha"),
        branch=ref if _BRANCH.fullmatch(ref) and not of_merge_request else None,
        url=f"{project.source}/-/pipelines/{item.key('id')}",
    )
    events = [project.event(RUN_QUEUED, second(item, "created_at"), run, data)]
    started_at = second_or_none(item, "started_at")
    if started_at is not None:
        events.append(project.event(RUN_STARTED, started_at, run, data))
    outcome = _OUTCOMES.get(status)
    if outcome is not None:
        # A page of pipelines, unlike one pipeline, tells no more than when it was last updated.
        at = second_or_none(item, "finished_at") or second_or_none(item, "updated_at")
        if at is not None:
            events.append(project.event(RUN_FINISHED, at, run, msgspec.structs.replace(data, outcome=outcome)))
    return events


def job(root: Node, project: Project, context: Context) -> Outcome:
    """Webhook `build`: a job tells a deployment only where the settings say that jobs of its name deploy."""
    return _job(
        project,
        context,
        root,
        name=root.text("build_name"),
        identity=root.key("build_id"),
        sha=root.text_or_none("sha"),
        prefix="build_",
    )


def polled_job(item: Node, project: Project, context: Context) -> Outcome:
    """An item of a page of jobs, or of trigger jobs."""
    sha = item.text_or_none("pipeline", "sha") or item.text_or_none("commit", "id")
    return _job(project, context, item, name=item.text("name"), identity=item.key("id"), sha=sha, prefix="")


def _job(
    project: Project, context: Context, node: Node, *, name: str, identity: str, sha: str | None, prefix: str
) -> Outcome:
    settings = read_settings(context.settings)
    if not matches(name, settings.deploy_jobs):
        return "job"
    event_type = _deployed(node, f"{prefix}status")
    if event_type is None:
        return left_out("job", node.text(f"{prefix}status"))
    data = DeploymentEvent(
        deployment=f"{project.name}/jobs/{identity}",
        environment=settings.deploy_jobs_environment,
        repo=project.name,
        sha=sha,
        url=f"{project.source}/-/jobs/{identity}",
    )
    events: list[Event] = []
    started_at = second_or_none(node, f"{prefix}started_at")
    if started_at is not None:
        events.append(project.event(STARTED, started_at, data.deployment, data))
    if event_type != STARTED:
        finished_at = second(node, f"{prefix}finished_at")
        events.append(project.event(event_type, finished_at, data.deployment, data))
    return events
