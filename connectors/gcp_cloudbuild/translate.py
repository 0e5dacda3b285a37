"""Cloud Build's builds, as Pub/Sub pushes them and as its API answers -> canonical events."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome, RunOutcome, Source, ending_of, joined, read_naming, translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json
from pipeline.events.remotes import commit, repository
from pipeline.events.types import DeploymentEvent, PipelineRun

UNKNOWN = "unknown"
DEFAULT_SOURCE = "https://cloudbuild.googleapis.com"
BUILD = "build"

DEFAULTS: Mapping[str, str] = {
    "environment_substitutions": "_ENVIRONMENT, _ENV, _TARGET_ENV, _DEPLOY_ENV, _STAGE",
    "service_substitutions": "_SERVICE, _SERVICE_NAME, _APP",
}
#: Status -> outcome. Expired: it waited in the queue for too long.
_STATUS: dict[str, RunOutcome] = {
    "SUCCESS": "success",
    "FAILURE": "failure",
    "INTERNAL_ERROR": "error",
    "TIMEOUT": "error",
    "CANCELLED": "cancel",
    "EXPIRED": "cancel",
}
_GOES_ON = {"STATUS_UNKNOWN", "PENDING", "QUEUED", "WORKING"}


def kind_of(body: bytes) -> str:
    """Return `build` for a body that holds builds, else `unknown`; never raises."""
    try:
        known = all(item.has("id") and item.has("status") for item in _builds(Node(parse_json(body))))
    except Quarantined:
        return UNKNOWN
    return BUILD if known else UNKNOWN


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery of kind `build`. Pure and total: raises nothing but `Quarantined`."""
    if delivery.kind != BUILD:
        raise Quarantined("unknown_kind", f"{delivery.kind[:80]!r} is not `{BUILD}`, the only kind of Cloud Build")
    found = _builds(Node(parse_json(delivery.body)))
    return translation(joined(_read(item, context) for item in found) if found else "build.none")


def _builds(root: Node) -> list[Node]:
    """Return the build in a message of Pub/Sub, those on a page of the API, or the one."""
    if isinstance(root.value, list):
        return [item.child() for item in root.items()]
    if isinstance(root.at("builds").value, list):
        return [item.child() for item in root.items("builds")]
    return [_pushed(root.child("message")) if root.has("message") else root.child()]


def _pushed(message: Node) -> Node:
    encoded = message.text("data")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Quarantined("bad_value", f"message.data is not base64: {error}") from error
    return Node(parse_json(raw), "message.data").child()


def _substitutions(build: Node) -> dict[str, str]:
    node = build.child_or_none("substitutions")
    if node is None or not isinstance(node.value, dict):
        return {}
    return {name: value for name, value in node.value.items() if isinstance(value, str) and value}


def _named(values: Mapping[str, str], setting: str, context: Context) -> str | None:
    names = context.settings.get(setting, "").strip() or DEFAULTS[setting]
    return next((values[key] for name in names.split(",") if (key := name.strip()) in values), None)


def _run(build: Node, values: Mapping[str, str], outcome: RunOutcome | None) -> PipelineRun:
    source, resolved = build.at("source"), build.at("sourceProvenance")
    remote = source.text_or_none("gitSource", "url") or source.text_or_none("connectedRepository", "repository")
    revision = (
        resolved.text_or_none("resolvedRepoSource", "commitSha")
        or resolved.text_or_none("resolvedGitSource", "revision")
        or values.get("COMMIT_SHA")
        or source.text_or_none("repoSource", "commitSha")
        or source.text_or_none("gitSource", "revision")
    )
    trigger = build.text_or_none("buildTriggerId")
    return PipelineRun(
        run=f"builds/{build.text('id')}",
        pipeline=values.get("TRIGGER_NAME") or trigger or "builds",
        repo=repository(values.get("REPO_FULL_NAME")) or repository(remote),
        sha=commit(revision),
        branch=values.get("BRANCH_NAME") or source.text_or_none("repoSource", "branchName"),
        outcome=outcome,
        url=build.text_or_none("logUrl"),
    )


def _read(build: Node, context: Context) -> Outcome:
    """A build is a run; it is a deployment as well if its trigger or one of its tags is named like one."""
    status = build.text("status").upper()
    if status not in _STATUS and status not in _GOES_ON:
        raise Quarantined("bad_value", f"{build.path or 'body'}.status is {status[:80]!r}; there is no such status")
    values, outcome = _substitutions(build), _STATUS.get(status)
    run, project = _run(build, values, outcome), build.text_or_none("projectId")
    uri = context.settings.get("base_url", "").strip().rstrip("/") or DEFAULT_SOURCE
    where = Source(uri, run.repo or project or run.pipeline)
    started_at = build.moment_or_none("startTime")
    finished_at = build.moment_or_none("finishTime") if outcome else None
    queued_at = build.moment_or_none("createTime")
    events = where.run(run, queued_at=queued_at, started_at=started_at, finished_at=finished_at)
    naming, names = read_naming(context.settings), [run.pipeline, *build.texts("tags")]
    environment = _named(values, "environment_substitutions", context) or naming.target(*names, project)
    if not any(naming.run_deploys(name) for name in names) or environment is None:
        return events or "build.no_time"
    data = DeploymentEvent(
        deployment=run.run,
        environment=environment,
        repo=run.repo,
        sha=run.sha,
        service=_named(values, "service_substitutions", context) or (None if run.repo else run.pipeline),
        started_at=started_at,
        url=run.url,
    )
    rolls_back = outcome == "success" and any(naming.rolls_back(name) for name in names)
    ending = "rolled_back" if rolls_back else ending_of(outcome)
    return [*events, *where.deployment(data, finished_at=finished_at, ending=ending)] or "build.no_time"
