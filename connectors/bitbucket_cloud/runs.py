"""Deployments, pipelines and build statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from connectors.bitbucket_cloud.repository import Repository, left_out
from pipeline.events.deploying import Outcome
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node
from pipeline.events.types import DeploymentEvent, PipelineRun, ServiceRolledBack

DEPLOYED, STARTED, FAILED, CANCELLED = DeploymentEvent.TYPES
RUN_QUEUED, RUN_STARTED, RUN_FINISHED = PipelineRun.TYPES
(ROLLED_BACK,) = ServiceRolledBack.TYPES

#: State of a deployment, or the status of a completed one -> what it means.
_DEPLOYMENTS: Mapping[str, str] = {
    "IN_PROGRESS": STARTED,
    "COMPLETED": DEPLOYED,
    "SUCCESSFUL": DEPLOYED,
    "ROLLED_BACK": DEPLOYED,
    "FAILED": FAILED,
    "ERROR": FAILED,
    "STOPPED": CANCELLED,
    "CANCELLED": CANCELLED,
}
_NOT_DEPLOYED = {"UNDEPLOYED", "PENDING", "PAUSED", "UNKNOWN"}

RunOutcome = Literal["success", "failure", "error", "cancel"]
_OUTCOMES: Mapping[str, RunOutcome] = {
    "SUCCESSFUL": "success",
    "PASSED": "success",
    "COMPLETED": "success",
    "FAILED": "failure",
    "ERROR": "error",
    "EXPIRED": "error",
    "STOPPED": "cancel",
}
_PIPELINES_URL = "/addon/pipelines/"


def deployment(item: Node, repo: Repository) -> Outcome:
    """An item of a page of deployments."""
    state = item.text_or_none("state", "status", "name") or item.text("state", "name")
    event_type = _DEPLOYMENTS.get(state)
    if event_type is None:
        if state not in _NOT_DEPLOYED:
            raise Quarantined("bad_value", f"{item.at('state').path} is {state[:80]!r}; Bitbucket has no such state")
        return left_out("deployment", state)
    data = DeploymentEvent(
        deployment=f"{repo.name}/deployments/{item.key('uuid')}",
        environment=item.text("environment", "name"),
        repo=repo.name,
        sha=item.text_or_none("release", "commit", "hash") or item.text("deployable", "commit", "hash"),
        url=item.text_or_none("state", "url"),
    )
    started_at = item.moment_or_none("state", "started_on")
    if event_type == STARTED:
        started_at = started_at or item.moment("last_update_time")
    events = [repo.event(STARTED, started_at, data.deployment, data)] if started_at else []
    if event_type != STARTED:
        finished_at = item.moment_or_none("state", "completed_on") or item.moment("last_update_time")
        events.append(repo.event(event_type, finished_at, data.deployment, data))
    if state == "ROLLED_BACK":
        undone = ServiceRolledBack(
            rollback=data.deployment,
            environment=data.environment,
            repo=data.repo,
            sha=data.sha,
            rolled_back=data.deployment,
            url=data.url,
        )
        events.append(repo.event(ROLLED_BACK, item.moment("last_update_time"), data.deployment, undone))
    return events


def pipeline(item: Node, repo: Repository) -> Outcome:
    """An item of a page of pipelines."""
    run = f"{repo.name}/pipelines/{item.key('uuid')}"
    data = PipelineRun(
        run=run,
        pipeline=repo.name,
        repo=repo.name,
        sha=item.text_or_none("target", "commit", "hash"),
        branch=item.text_or_none("target", "ref_name"),
    )
    events = [repo.event(RUN_QUEUED, item.moment("created_on"), run, data)]
    outcome = _OUTCOMES.get(item.text_or_none("state", "result", "name") or item.text("state", "name"))
    completed_at = item.moment_or_none("completed_on")
    if outcome is not None and completed_at is not None:
        finished = msgspec.structs.replace(data, outcome=outcome)
        events.append(repo.event(RUN_FINISHED, completed_at, run, finished))
    return events


def commit_status(root: Node, repo: Repository) -> Outcome:
    """Webhooks `repo:commit_status_created` and `_updated`: the one way in which a pipeline's end is pushed."""
    item = root.child("commit_status")
    key, url = item.key("key"), item.text_or_none("url") or ""
    sha = item.text_or_none("commit", "hash") or (item.text_or_none("links", "commit", "href") or "").rpartition("/")[2]
    run = f"{repo.name}/commit/{sha}/statuses/{key}"
    data = PipelineRun(
        run=run,
        # The key of Bitbucket's own pipelines is one of the run; other tools name their plan.
        pipeline=repo.name if _PIPELINES_URL in url else key,
        repo=repo.name,
        sha=sha or None,
        branch=item.text_or_none("refname"),
        url=url or None,
    )
    events = [repo.event(RUN_STARTED, item.moment("created_on"), run, data)]
    outcome = _OUTCOMES.get(item.text("state"))
    if outcome is not None:
        finished = msgspec.structs.replace(data, outcome=outcome)
        events.append(repo.event(RUN_FINISHED, item.moment("updated_on"), run, finished))
    return events
