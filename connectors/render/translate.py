"""Render's webhooks and deploys -> canonical events."""

from __future__ import annotations

import re
from datetime import datetime

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Ending, Outcome, RunOutcome, Source, joined, read_naming, translation
from pipeline.events.errors import Quarantined
from pipeline.events.names import read_names
from pipeline.events.reading import Node, parse_json
from pipeline.events.remotes import commit, repository
from pipeline.events.types import DeploymentEvent, PipelineRun

UNKNOWN = "unknown"
DEFAULT_SOURCE = "https://dashboard.render.com"
#: With which whoever asks says which service a list of deploys belongs to.
SERVICE_HEADER = "x-leadline-service"
DEPLOYS = "rest.deploys"
DEPLOY_STARTED, DEPLOY_ENDED = "deploy_started", "deploy_ended"
BUILD_STARTED, BUILD_ENDED = "build_started", "build_ended"

#: Status of what ended, in a webhook -> how.
_ENDED: dict[str, Ending] = {"succeeded": "success", "failed": "failure", "canceled": "cancelled"}
_OUTCOMES: dict[str, RunOutcome] = {"succeeded": "success", "failed": "failure", "canceled": "cancel"}
#: Status of a deploy of the API -> how it ended; None: it goes on. Deactivated: it was live until a later one was.
_STATUS: dict[str, Ending | None] = {
    "created": None,
    "queued": None,
    "build_in_progress": None,
    "update_in_progress": None,
    "pre_deploy_in_progress": None,
    "live": "success",
    "deactivated": "success",
    "build_failed": "failure",
    "update_failed": "failure",
    "pre_deploy_failed": "failure",
    "canceled": "cancelled",
}
#: What the other types of Render's events are about, and the code by which each is counted.
_LEFT_OUT = (
    "autoscaling", "branch_deleted", "commit_ignored", "cron_job_run", "custom_domain", "disk", "edge_cache",
    "image_pull_failed", "initial_deploy_hook", "instance_count_changed", "job_run", "key_value", "maintenance",
    "pipeline_minutes_exhausted", "plan_changed", "postgres", "pre_deploy", "server_available", "server_failed",
    "server_hardware_failure", "server_restarted", "server_unhealthy", "service_resumed", "service_suspended",
    "suspender", "zero_downtime_redeploy",
)  # fmt: skip
_TYPE = re.compile(r"[a-z][a-z_]{2,59}")


def kind_of(body: bytes) -> str:
    """Return the type that a webhook names, else what a body is by its shape; never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, dict) and root.has("type"):
            return root.text("type")
        item = next(iter(_deploys(root)), Node({}))
        if root.value is item.value and item.has("buildId"):
            return BUILD_ENDED
        if root.value is item.value and item.has("deployId") and item.text_or_none("status") in _ENDED:
            return DEPLOY_ENDED
        known = item.text_or_none("status") in _STATUS
    except Quarantined:
        return UNKNOWN
    return DEPLOYS if known else UNKNOWN


def _deploys(root: Node) -> list[Node]:
    """Return the deploys of an answer: a list of them, of them with cursors, or one."""
    listed = [item.child() for item in root.items()] if isinstance(root.value, list) else [root.child()]
    return [item.child("deploy") if item.has("deploy") else item for item in listed]


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery whose kind is a type of Render's events, or `rest.deploys`.

    Pure and total: raises nothing but `Quarantined`.
    """
    return translation(_read(delivery, context))


def _read(delivery: Delivery, context: Context) -> Outcome:
    kind, root = delivery.kind, Node(parse_json(delivery.body))
    if kind == DEPLOYS:
        service = delivery.headers.get(SERVICE_HEADER)
        found = _deploys(root)
        return joined(_deploy(item, service, context) for item in found) if found else "rest.deploys.empty"
    if kind in {DEPLOY_STARTED, DEPLOY_ENDED, BUILD_STARTED, BUILD_ENDED}:
        data = root.child("data") if root.child().has("data") else root.child()
        at = root.moment_or_none("timestamp") or data.moment("createdAt")
        return _deploy_event(kind, data, at, context) if "deploy" in kind else _build_event(kind, data, at, context)
    found_code = next((start for start in _LEFT_OUT if kind.startswith(start)), None)
    if found_code is None:
        raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither a type of Render's events nor a page")
    return found_code if _TYPE.fullmatch(kind) else "event.other"


def _ended(data: Node) -> str:
    status = data.text("status")
    if status not in _ENDED:
        raise Quarantined("bad_value", f"{data.path or 'body'}.status is {status[:80]!r}; expected {', '.join(_ENDED)}")
    return status


def _source(context: Context, partitionkey: str) -> Source:
    return Source(context.settings.get("base_url", "").strip().rstrip("/") or DEFAULT_SOURCE, partitionkey)


def _deploy_event(kind: str, data: Node, at: datetime, context: Context) -> Outcome:
    """A webhook names the event and not the deploy, so that a beginning has nothing to be joined with."""
    deploy = data.text_or_none("deployId")
    if kind == DEPLOY_STARTED and deploy is None:
        return DEPLOY_STARTED
    service, name = data.text("serviceId"), data.text_or_none("serviceName")
    environment = read_naming(context.settings).target(name)
    if environment is None:
        return "deploy.no_environment"
    placed = DeploymentEvent(
        deployment=f"deploys/{deploy or data.text('id')}",
        environment=environment,
        repo=repository(read_names(context.settings).get(service)),
        service=name or service,
        started_at=at if kind == DEPLOY_STARTED else None,
    )
    ending = _ENDED[_ended(data)] if kind == DEPLOY_ENDED else None
    return _source(context, service).deployment(placed, finished_at=at, ending=ending)


def _build_event(kind: str, data: Node, at: datetime, context: Context) -> Outcome:
    build = data.text_or_none("buildId")
    if kind == BUILD_STARTED and build is None:
        return BUILD_STARTED
    service = data.text("serviceId")
    ended = kind == BUILD_ENDED
    run = PipelineRun(
        run=f"builds/{build or data.text('id')}",
        pipeline=data.text_or_none("serviceName") or service,
        repo=repository(read_names(context.settings).get(service)),
        outcome=_OUTCOMES[_ended(data)] if ended else None,
    )
    where = _source(context, service)
    return where.run(run, finished_at=at) if ended else where.run(run, started_at=at)


def _deploy(item: Node, header: str | None, context: Context) -> Outcome:
    """A deploy of the API, which names its commit. One that a rollback started is told as such."""
    status = item.text("status")
    if status not in _STATUS:
        raise Quarantined("bad_value", f"{item.path or 'body'}.status is {status[:80]!r}; a deploy has no such status")
    service = item.text_or_none("serviceId") or header
    environment = read_naming(context.settings).target(item.text_or_none("serviceName"))
    if environment is None:
        return "deploy.no_environment"
    ending = _STATUS[status]
    if ending == "success" and (item.text_or_none("trigger") or "").startswith("rollback"):
        ending = "rolled_back"
    data = DeploymentEvent(
        deployment=f"deploys/{item.text_or_none('id') or item.text('deployId')}",
        environment=environment,
        repo=repository(read_names(context.settings).get(service or "")),
        sha=commit(item.text_or_none("commit", "id")),
        service=item.text_or_none("serviceName") or service,
        started_at=item.moment_or_none("startedAt") or item.moment_or_none("createdAt"),
    )
    where = _source(context, service or data.deployment)
    return where.deployment(data, finished_at=item.moment_or_none("finishedAt"), ending=ending) or "deploy.goes_on"
