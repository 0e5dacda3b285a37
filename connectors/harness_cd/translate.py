"""Harness's notifications and executions -> canonical events.

A notification tells seconds and the API milliseconds: all times are cut to the second, so that both tell one event.
"""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome, RunOutcome, Source, ending_of, joined, read_naming, translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json
from pipeline.events.remotes import commit, repository
from pipeline.events.types import DeploymentEvent, PipelineRun

UNKNOWN = "unknown"
DEFAULT_SOURCE = "https://app.harness.io"
PIPELINE, STAGE, STEP = "pipeline", "stage", "step"
EXECUTIONS = "rest.executions"

#: Status as one word in small letters -> outcome. Of a notification, `completed` is a success.
_STATUS: dict[str, RunOutcome] = {
    "success": "success",
    "succeeded": "success",
    "completed": "success",
    "ignorefailed": "success",
    "failed": "failure",
    "failure": "failure",
    "errored": "failure",
    "approvalrejected": "failure",
    "expired": "error",
    "aborted": "cancel",
    "abortedbyfreeze": "cancel",
    "skipped": "cancel",
    "suspended": "cancel",
    "cancelled": "cancel",
    "canceled": "cancel",
}
_GOES_ON = {
    "running", "started", "notstarted", "queued", "paused", "pausing", "resumed", "discontinuing", "waiting",
    "asyncwaiting", "taskwaiting", "timedwaiting", "interventionwaiting", "approvalwaiting", "inputwaiting",
    "resourcewaiting", "waitsteprunning", "queuedlicenselimitreached", "queuedexecutionconcurrencyreached",
}  # fmt: skip
_NOT_A_LETTER = re.compile(r"[^a-z]+")
_LEVELS = {"pipeline": PIPELINE, "stage": STAGE, "step": STEP}


class Told(msgspec.Struct, frozen=True):
    """One execution, as far as it is told; `names` are those that may tell a deployment and its environment."""

    run: PipelineRun
    outcome: RunOutcome | None
    names: list[str]
    services: list[str]
    environments: list[str]
    started_at: datetime | None
    ended_at: datetime | None


def kind_of(body: bytes) -> str:
    """Return `pipeline`, `stage` or `step` for a notification, `rest.executions` for executions; never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, dict):
            event = _notification(root)
            if event is not None:
                return _level(root, event) or UNKNOWN
        known = all(_identity(item) for item in _executions(root))
    except Quarantined:
        return UNKNOWN
    return EXECUTIONS if known else UNKNOWN


def _notification(root: Node) -> Node | None:
    """Return what a notification holds: of a pipeline's own rule, or of a rule of the project."""
    for name in ("eventData", "data"):
        if isinstance(root.at(name).value, dict) and (root.has("eventType") or root.has(name, "eventType")):
            return root.child(name)
    return None


def _level(root: Node, event: Node) -> str | None:
    told = event.text_or_none("eventType") or root.text_or_none("eventType") or ""
    return next((level for start, level in _LEVELS.items() if told.lower().startswith(start)), None)


def _executions(root: Node) -> list[Node]:
    if isinstance(root.value, list):
        return [item.child() for item in root.items()]
    page = root.child("data") if isinstance(root.at("data").value, dict) else root.child()
    if isinstance(page.at("content").value, list):
        return [item.child() for item in page.items("content")]
    return [page.child("pipelineExecutionSummary") if page.has("pipelineExecutionSummary") else page]


def _identity(item: Node) -> str | None:
    return item.text_or_none("planExecutionId") or item.text_or_none("executionId")


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery of the kind `pipeline`, `stage`, `step` or `rest.executions`.

    Pure and total: raises nothing but `Quarantined`.
    """
    return translation(_read(delivery, context))


def _read(delivery: Delivery, context: Context) -> Outcome:
    kind, root = delivery.kind, Node(parse_json(delivery.body))
    if kind == EXECUTIONS:
        found = _executions(root)
        return joined(_pipeline(_told(item, None), context) for item in found) if found else "rest.executions.empty"
    if kind == STEP:
        return kind
    if kind in {PIPELINE, STAGE}:
        event = _notification(root.child())
        if event is None:
            raise Quarantined("missing_field", "the body holds neither eventData nor data with an eventType")
        told = _told(event, event.text_or_none("eventType") or root.text_or_none("eventType"))
        return _pipeline(told, context) if kind == PIPELINE else _stage(event, told, context)
    raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither a notification of Harness's nor a page that is read")


def _outcome(item: Node, event: str | None) -> RunOutcome | None:
    """Return the outcome of the status; where it is not told, of the event, such as `PipelineSuccess`."""
    status = item.text_or_none("nodeStatus") or item.text_or_none("status")
    word = _NOT_A_LETTER.sub("", (status or "").lower())
    if word in _STATUS or word in _GOES_ON:
        # An event such as `PipelinePaused` says that nothing is over, and `PipelineEnd` that it is.
        return None if event and re.search(r"start|paus", event, re.IGNORECASE) else _STATUS.get(word)
    ending = _NOT_A_LETTER.sub("", re.sub(r"(?i)^(pipeline|stage)", "", event or "").lower())
    if status or (ending not in _STATUS and ending not in {"start", "paused", "resumed"}):
        raise Quarantined(
            "bad_value", f"{item.path or 'body'}.status is {(status or '')[:80]!r}; there is no such status"
        )
    return _STATUS.get(ending)


def _second(item: Node, *fields: str) -> datetime | None:
    found = next((moment for field in fields if (moment := item.moment_or_none(field)) is not None), None)
    return found.replace(microsecond=0) if found else None


def _told(item: Node, event: str | None) -> Told:
    identity, build = _identity(item), item.at("moduleInfo", "ci")
    if identity is None:
        raise Quarantined("missing_field", f"{item.path or 'body'}.planExecutionId is absent or empty")
    pipeline = item.text("pipelineIdentifier")
    outcome = _outcome(item, event)
    cd = item.at("moduleInfo", "cd")
    run = PipelineRun(
        run=f"executions/{identity}",
        pipeline=pipeline,
        repo=repository(build.text_or_none("repoName")),
        sha=commit(build.text_or_none("ciExecutionInfoDTO", "branch", "commits", "id")),
        branch=build.text_or_none("branch"),
        outcome=outcome,
        url=item.text_or_none("executionUrl") or item.text_or_none("planExecutionUrl"),
    )
    names = [pipeline, item.text_or_none("pipelineName") or item.text_or_none("name")]
    return Told(
        run=run,
        outcome=outcome,
        names=[name for name in names if name],
        services=cd.texts("serviceIdentifiers"),
        environments=cd.texts("envIdentifiers"),
        started_at=_second(item, "startTs", "startedAt"),
        ended_at=_second(item, "endTs", "endedAt") if outcome else None,
    )


def _source(told: Told, context: Context) -> Source:
    uri = context.settings.get("base_url", "").strip().rstrip("/") or DEFAULT_SOURCE
    return Source(uri, told.run.repo or told.run.pipeline)


def _pipeline(told: Told, context: Context) -> Outcome:
    """A run; a deployment as well if it had services or environments to deploy (to), or is named like one."""
    where, naming = _source(told, context), read_naming(context.settings)
    events = where.run(told.run, started_at=told.started_at, finished_at=told.ended_at)
    deploys = told.services or told.environments or any(naming.run_deploys(name) for name in told.names)
    if not deploys:
        return events or "pipeline.no_time"
    deployment = _deployment(told, told.run.run, told.names, context)
    return [*events, *deployment] or "pipeline.no_time"


def _stage(event: Node, told: Told, context: Context) -> Outcome:
    """A stage tells nothing unless its name says that it deploys, and that of its pipeline does not."""
    naming = read_naming(context.settings)
    named = (event.text_or_none(field) for field in ("stageName", "stageIdentifier", "nodeIdentifier"))
    names = [name for name in named if name]
    within = told.services or told.environments or any(naming.run_deploys(name) for name in told.names)
    if not names or within or not any(naming.deploys(name) for name in names):
        return "stage.not_a_deployment"
    identity = event.text_or_none("stageIdentifier") or names[0]
    found = _deployment(told, f"{told.run.run}/stages/{identity}", [*names, *told.names], context)
    return found or "stage.goes_on"


def _deployment(told: Told, identity: str, names: list[str], context: Context) -> Outcome:
    """Tell a deployment when it is over: only then does Harness say for sure what was deployed, and where to."""
    naming, where = read_naming(context.settings), _source(told, context)
    environment = told.environments[0] if len(told.environments) == 1 else naming.target(*names)
    if environment is None or told.outcome is None:
        return []
    data = DeploymentEvent(
        deployment=identity,
        environment=environment,
        repo=told.run.repo,
        sha=told.run.sha,
        service=told.services[0] if len(told.services) == 1 else None if told.run.repo else told.run.pipeline,
        started_at=told.started_at,
        url=told.run.url,
    )
    rolls_back = told.outcome == "success" and any(naming.rolls_back(name) for name in names)
    ending = "rolled_back" if rolls_back else ending_of(told.outcome)
    return where.deployment(data, finished_at=told.ended_at, ending=ending)
