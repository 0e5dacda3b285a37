"""Buildkite's webhooks, EventBridge events and REST pages -> canonical events.

The three write the same times with and without milliseconds: all are cut to the second, so that they tell one event.
"""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Naming, Outcome, RunOutcome, Source, ending_of, joined, read_naming, translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json, parse_object
from pipeline.events.remotes import commit, repository
from pipeline.events.types import DeploymentEvent, PipelineRun

UNKNOWN = "unknown"
HOST = "https://buildkite.com"

#: State -> outcome. A state that is not listed is not final. Skipped: a newer build took its place in the queue.
_STATES: dict[str, RunOutcome] = {
    "passed": "success",
    "failed": "failure",
    "canceled": "cancel",
    "skipped": "cancel",
    "timed_out": "error",
    "expired": "cancel",
}
#: A job in these states did nothing (yet), or a sibling told it to stay away.
_NOTHING_RAN = {
    "pending", "waiting", "waiting_failed", "blocked", "blocked_failed", "unblocked", "unblocked_failed", "limiting",
    "limited", "scheduled", "assigned", "accepted", "broken", "skipped", "platform_limiting", "platform_limited",
}  # fmt: skip
_BUILDS = {
    "build.scheduled",
    "build.running",
    "build.started",
    "build.failing",
    "build.finished",
    "build.skipped",
    "build.created",
    "build.blocked",
}
_JOBS = {"job.scheduled", "job.started", "job.finished", "job.activated", "job.promised_exit_status"}
_LEFT_OUT = {
    "ping", "agent.connected", "agent.lost", "agent.disconnected", "agent.stopping", "agent.stopped", "agent.blocked",
    "audit.event_logged", "cluster_token.registration_blocked", "package.created",
}  # fmt: skip
_ORGANIZATION = re.compile(r"https?://(?:api\.buildkite\.com/v2/organizations|(?:www\.)?buildkite\.com)/([\w.-]+)")


class Told(msgspec.Struct, frozen=True):
    """A build and where it ran."""

    where: Source
    run: PipelineRun
    slug: str
    environment: str | None


def kind_of(body: bytes) -> str:
    """Return the event that a pushed body names: `event` of a webhook, `detail-type` of EventBridge. Never raises."""
    try:
        root = parse_object(body)
        event, detail = root.text_or_none("event"), root.text_or_none("detail-type")
    except Quarantined:
        return UNKNOWN
    return event or (_event_of(detail) if detail else UNKNOWN)


def _event_of(detail: str) -> str:
    """EventBridge says `Build Finished`, and `Job Promised Exit Status`, for `build.finished` and so on."""
    subject, _, rest = detail.strip().lower().partition(" ")
    return f"{subject}.{rest.replace(' ', '_')}"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery whose kind is an event of Buildkite's, or `rest.builds`.

    Pure and total: raises nothing but `Quarantined`.
    """
    return translation(_read(delivery, context))


def _read(delivery: Delivery, context: Context) -> Outcome:
    kind, root = delivery.kind, Node(parse_json(delivery.body))
    if kind == "rest.builds":
        items = root.items() if isinstance(root.value, list) else [root.child()]
        return joined(_build(item, item, context) for item in items) if items else "rest.builds.empty"
    if kind in _LEFT_OUT:
        return kind
    told = root.child("detail") if root.child().has("detail") else root
    if kind in _BUILDS:
        # An EventBridge event does not say when its build was created, only when that was told.
        created_at = _second(root, "time") if kind == "build.created" else None
        return _build(told.child("build"), told, context, created_at)
    if kind in _JOBS:
        return _job(told.child("job"), _told(told.child("build"), told), read_naming(context.settings))
    raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither an event of Buildkite's nor a page that is read")


def _second(node: Node, field: str) -> datetime | None:
    moment = node.moment_or_none(field)
    return moment.replace(microsecond=0) if moment else None


def _told(build: Node, beside: Node) -> Told:
    """Return the build; `beside` holds its pipeline. The organization is in an address, or named (EventBridge)."""
    pipeline = build.child_or_none("pipeline") or beside.child("pipeline")
    slug, number = pipeline.text("slug"), build.integer("number")
    urls = (build.text_or_none("web_url"), build.text_or_none("url"), pipeline.text_or_none("url"))
    found = next(filter(None, (_ORGANIZATION.match(url) for url in urls if url)), None)
    organization = found[1] if found else beside.text("organization", "slug")
    repo = repository(pipeline.text_or_none("repository") or pipeline.text_or_none("repo"))
    run = PipelineRun(
        run=f"{slug}/builds/{number}",
        pipeline=slug,
        repo=repo,
        sha=commit(build.text_or_none("commit")),
        branch=build.text_or_none("branch"),
        outcome=_STATES.get(_state(build)),
        url=f"{HOST}/{organization}/{slug}/builds/{number}",
    )
    metadata = build.child_or_none("meta_data")
    return Told(
        Source(f"{HOST}/{organization}", f"{organization}/{slug}"),
        run,
        slug,
        metadata.text_or_none("environment") if metadata else None,
    )


def _state(node: Node) -> str:
    return node.text("state").lower()


def _build(build: Node, beside: Node, context: Context, created_at: datetime | None = None) -> Outcome:
    """A build is a run, and a deployment as a whole if its pipeline's name says so; else its jobs may be."""
    told, state = _told(build, beside), _state(build)
    if state == "not_run":
        return "build.not_run"
    waits = build.flag("blocked")  # It "finished" only as far as the next step that somebody must unblock.
    outcome = None if waits else told.run.outcome
    queued_at, started_at = _second(build, "created_at") or created_at, _second(build, "started_at")
    finished_at = _second(build, "finished_at") if outcome else None
    run = msgspec.structs.replace(told.run, outcome=outcome)
    events = told.where.run(run, queued_at=queued_at, started_at=started_at, finished_at=finished_at)
    naming = read_naming(context.settings)
    jobs = [job for job in build.items("jobs") if job.value is not None]
    for job in jobs:
        outcome_of_job = _job(job, told, naming)
        events += outcome_of_job if isinstance(outcome_of_job, list) else []
    environment = told.environment or naming.target(told.slug)
    if not naming.run_deploys(told.slug) or environment is None or started_at is None:
        return events or "build.no_time"
    data = _deployment(told, told.run.run, environment, started_at)
    ending = "rolled_back" if outcome == "success" and naming.rolls_back(told.slug) else ending_of(outcome)
    return [*events, *told.where.deployment(data, finished_at=finished_at, ending=ending)]


def _deployment(told: Told, name: str, environment: str, started_at: datetime) -> DeploymentEvent:
    run = told.run
    return DeploymentEvent(
        deployment=name, environment=environment, repo=run.repo, sha=run.sha, started_at=started_at, url=run.url
    )


def _job(job: Node, told: Told, naming: Naming) -> Outcome:
    """A command step that deploys by its name, in a pipeline that does not do so as a whole."""
    if (job.text_or_none("type") or "script") != "script":
        return "job.no_command"
    name, key = job.text_or_none("name") or job.text_or_none("label"), job.text_or_none("step_key")
    counts = naming.deploys(name) or naming.deploys(key)
    environment = told.environment or naming.target(name, key, told.slug)
    if not counts or naming.run_deploys(told.slug) or environment is None:
        return "job.not_a_deployment"
    state, started_at = _state(job), _second(job, "started_at")
    if state in _NOTHING_RAN or started_at is None:
        return "job.nothing_ran"
    identity = job.text_or_none("id") or job.text("uuid")
    data = _deployment(told, f"{told.run.run}/jobs/{identity}", environment, started_at)
    outcome = _STATES.get(state)
    if state == "finished":  # GraphQL and EventBridge say how a job ended in another field.
        outcome = "success" if job.flag("passed") else "failure"
    rolls_back = outcome == "success" and (naming.rolls_back(name) or naming.rolls_back(key))
    ending = "rolled_back" if rolls_back else ending_of(outcome)
    return told.where.deployment(data, finished_at=_second(job, "finished_at"), ending=ending)
