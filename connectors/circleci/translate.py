"""CircleCI's webhooks and REST pages -> canonical events.

Webhooks tell milliseconds and the REST API whole seconds: all times are cut to the second, so that both tell one event.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import (
    Outcome,
    RunOutcome,
    Source,
    ending_of,
    joined,
    pattern,
    read_naming,
    translation,
)
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json, parse_object
from pipeline.events.remotes import repository
from pipeline.events.types import DeploymentEvent, PipelineRun

DEFAULT_SOURCE = "https://app.circleci.com"
#: With which the poller says which project jobs or workflows belong to that do not tell: `gh/acme/shop`.
PROJECT_HEADER = "x-leadline-project"
UNKNOWN = "unknown"

#: Status -> outcome. A status that is not listed is not final.
_STATUS: dict[str, RunOutcome] = {
    "success": "success",
    "failed": "failure",
    "error": "error",
    "errored": "error",
    "infrastructure_fail": "error",
    "timedout": "error",
    "terminated-unknown": "error",
    "unauthorized": "failure",
    "canceled": "cancel",
}
_NOTHING_RAN = {"not_run", "not_running", "blocked", "queued", "on_hold", "retried"}
_LEFT_OUT = {"rest.pipelines", "rest.projects", "rest.users", "rest.insights", "ping"}


class Code(msgspec.Struct, frozen=True):
    """What a pipeline built, as far as it is told."""

    repo: str | None = None
    sha: str | None = None
    branch: str | None = None


def describe(body: bytes) -> tuple[str | None, str | None]:
    """Return (event type, event id) of a webhook's body, None for what it does not tell; never raises."""
    try:
        root = parse_object(body)
        return root.text_or_none("type"), root.text_or_none("id")
    except Quarantined:
        return None, None


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery of kind `workflow-completed`, `job-completed`, `rest.workflows` or `rest.jobs`.

    Pure and total: raises nothing but `Quarantined`.
    """
    return translation(_read(delivery, context))


def _read(delivery: Delivery, context: Context) -> Outcome:
    kind, root = delivery.kind, Node(parse_json(delivery.body))
    if kind in {"workflow-completed", "job-completed"}:
        return _webhook(kind, root.child(), context)
    if kind in {"rest.workflows", "rest.jobs"}:
        return _page(kind, root, context, delivery.headers.get(PROJECT_HEADER))
    if kind in _LEFT_OUT:
        return kind
    raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither an event of CircleCI's nor a page that is read")


def _webhook(kind: str, root: Node, context: Context) -> Outcome:
    slug = root.text("project", "slug")
    code, workflow = _code(root.at("pipeline"), slug), root.child("workflow")
    if kind == "workflow-completed":
        ended_at = workflow.moment_or_none("stopped_at") or root.moment("happened_at")
        return _workflow(workflow, slug, code, context, ended_at)
    return _job(root.child("job"), workflow.text_or_none("name"), slug, code, context)


def _page(kind: str, root: Node, context: Context, named: str | None) -> Outcome:
    """A page (`items`), a list or one item; beside it may stand the pipeline and the workflow that it belongs to."""
    pipeline, workflow, items = None, None, root.items() if isinstance(root.value, list) else [root]
    if isinstance(root.value, dict):
        pipeline, workflow = root.child_or_none("pipeline"), root.child_or_none("workflow")
        field = next((name for name in ("items", "workflows", "jobs") if root.has(name)), None)
        items = root.items(field) if field else [root.child()]
    outcomes = []
    for item in items:
        slug = item.text_or_none("project_slug") or item.text_or_none("projectSlug") or named
        if slug is None:
            detail = (
                f"{item.at('project_slug').path} is absent and so is the header {PROJECT_HEADER}: which project is it?"
            )
            raise Quarantined("missing_field", detail)
        code = _code(pipeline, slug)
        if kind == "rest.workflows":
            outcomes.append(_workflow(item, slug, code, context, item.moment_or_none("stopped_at")))
        else:
            outcomes.append(_job(item, workflow.text_or_none("name") if workflow else None, slug, code, context))
    return joined(outcomes) if outcomes else f"{kind}.empty"


def _code(pipeline: Node | None, slug: str) -> Code:
    """What was built: `vcs` for GitHub (OAuth) and Bitbucket, the trigger's parameters for GitLab and GitHub App."""
    parts = slug.split("/")
    # Slugs of the newer integrations are ids: they name no repository.
    named = "/".join(parts[1:]) if len(parts) == 3 and parts[0] != "circleci" else None
    if pipeline is None:
        return Code(named)
    vcs, git = pipeline.at("vcs"), pipeline.at("trigger_parameters", "git")
    remote = vcs.text_or_none("target_repository_url") or vcs.text_or_none("origin_repository_url")
    return Code(
        repo=named or repository(remote or git.text_or_none("repo_url")),
        sha=vcs.text_or_none("revision") or git.text_or_none("checkout_sha"),
        branch=vcs.text_or_none("branch") or git.text_or_none("branch"),
    )


def _source(context: Context, slug: str, code: Code) -> Source:
    uri = context.settings.get("base_url", "").strip().rstrip("/") or DEFAULT_SOURCE
    return Source(uri, code.repo or slug)


def _second(moment: datetime | None) -> datetime | None:
    return moment.replace(microsecond=0) if moment else None


def _workflow(item: Node, slug: str, code: Code, context: Context, ended_at: datetime | None) -> Outcome:
    """A workflow is a run. It is a deployment as well if the setting `workflow_pattern` says so."""
    where, status, name = _source(context, slug, code), item.text("status").lower(), item.text("name")
    if status == "not_run":
        return "workflow.not_run"
    outcome, created_at = _STATUS.get(status), _second(item.moment("created_at"))
    run = PipelineRun(
        run=f"workflows/{item.text('id')}",
        pipeline=name,
        repo=code.repo,
        sha=code.sha,
        branch=code.branch,
        outcome=outcome,
    )
    finished_at = _second(ended_at) if outcome else None
    events = where.run(run, started_at=created_at, finished_at=finished_at)
    wanted = context.settings.get("workflow_pattern", "").strip()
    naming = read_naming(context.settings)
    environment = naming.target(name)
    if not wanted or not pattern("workflow_pattern", wanted).search(name) or environment is None:
        return events
    data = DeploymentEvent(
        deployment=run.run, environment=environment, repo=code.repo, sha=code.sha, started_at=created_at
    )
    rolls_back = outcome == "success" and naming.rolls_back(name)
    ending = "rolled_back" if rolls_back else ending_of(outcome)
    return [*events, *where.deployment(data, finished_at=finished_at, ending=ending)]


def _job(item: Node, workflow: str | None, slug: str, code: Code, context: Context) -> Outcome:
    """A job tells nothing unless its name says that it deploys; the workflow tells the run."""
    name, status = item.text("name"), item.text("status").lower()
    if (item.text_or_none("type") or "build") == "approval":
        return "job.approval"
    naming, wanted = read_naming(context.settings), context.settings.get("workflow_pattern", "").strip()
    environment = naming.target(name, workflow)
    within = bool(wanted and workflow and pattern("workflow_pattern", wanted).search(workflow))
    if not naming.deploys(name) or environment is None or within:
        return "job.not_a_deployment"
    started_at = _second(item.moment_or_none("started_at"))
    if status in _NOTHING_RAN or started_at is None:
        return "job.nothing_ran"
    data = DeploymentEvent(
        deployment=f"jobs/{item.text('id')}",
        environment=environment,
        repo=code.repo,
        sha=code.sha,
        started_at=started_at,
    )
    outcome = _STATUS.get(status)
    ending = "rolled_back" if outcome == "success" and naming.rolls_back(name) else ending_of(outcome)
    finished_at = _second(item.moment_or_none("stopped_at"))
    return _source(context, slug, code).deployment(data, finished_at=finished_at, ending=ending)
