"""What a build is: its name, its outcome, what it built, and what it deployed."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import unquote

import msgspec

from pipeline.events.delivery import Context
from pipeline.events.deploying import Naming, Outcome, RunOutcome, Source, ending_of, joined, read_naming
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node
from pipeline.events.remotes import repository
from pipeline.events.types import DeploymentEvent, PipelineRun

#: With which the poller names the job of builds that carry no URL: `folder/job`, or the job's URL.
JOB_HEADER = "x-leadline-job"
#: The source where neither a URL nor the setting `base_url` tells which Jenkins it is.
UNKNOWN_SOURCE = "jenkins"
DEFAULT_PARAMETERS = "environment, env, target_env, deploy_env, target_environment"

_DAY_MS = 86_400_000
_MAX_DURATION_MS = 366 * _DAY_MS
_JOB_URL = re.compile(r"(?P<base>https?://[^?#]*?)?/?(?:view/[^/]+/)*job/(?P<path>[^?#]+)")
_NUMBERED = re.compile(r"(?P<path>.+?)/(?P<number>\d+)(?:/.*)?")
_REMOTE = re.compile(r"(?:refs/)?(?:remotes/[^/]+|heads)/|origin/")

#: Result -> outcome. Unstable: it went to its end and some test failed. Not built: it was stopped before it did
#: anything, mostly because a newer build took its place. `NOT_BUILD` is how some exports spell it.
_RESULTS: dict[str, RunOutcome] = {
    "SUCCESS": "success",
    "UNSTABLE": "success",
    "FAILURE": "failure",
    "FAILED": "failure",
    "ABORTED": "cancel",
    "NOT_BUILT": "cancel",
    "NOT_BUILD": "cancel",
}


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """A build, whoever told it. `job` is the full name with folders, `finished_at` None while it goes on."""

    base: str | None
    job: str
    number: str
    outcome: RunOutcome | None
    started_at: datetime | None
    finished_at: datetime | None
    repo: str | None = None
    sha: str | None = None
    branch: str | None = None
    url: str | None = None
    environment: str | None = None

    @property
    def name(self) -> str:
        """The run's id: `folder/job#7`."""
        return f"{self.job}#{self.number}"


def outcome_of(result: str | None) -> RunOutcome | None:
    """Return the outcome of a result; None for one that is not known or not there yet."""
    return _RESULTS.get((result or "").upper())


def located(url: str | None) -> tuple[str | None, str | None, str | None]:
    """Return (base URL, full job name, build number) of a URL of a job or a build; None for what it does not tell."""
    found = _JOB_URL.match(url or "")
    if found is None:
        return None, None, None
    numbered = _NUMBERED.fullmatch(found["path"])
    path = numbered["path"] if numbered else found["path"]
    job = "/".join(unquote(part) for part in path.strip("/").split("/job/"))
    base = found["base"].rstrip("/") if found["base"] else None
    return base, job, numbered["number"] if numbered else None


def after(start: datetime, duration: Node) -> datetime:
    """Return `start` plus a duration in milliseconds."""
    return start + _length(duration)


def before(end: datetime, duration: Node) -> datetime | None:
    """Return `end` minus a duration in milliseconds; None where the duration is not told."""
    return end - _length(duration) if duration.value else None


def _length(duration: Node) -> timedelta:
    length = duration.integer_or_none() or 0
    if not 0 <= length <= _MAX_DURATION_MS:
        raise Quarantined("bad_value", f"{duration.path} is {length}; expected the milliseconds of a build")
    return timedelta(milliseconds=length)


def polled(item: Node, context: Context, named: str | None) -> Build:
    """Return a build of the REST API (`api/json`)."""
    base, job, number = located(item.text_or_none("url"))
    if job is None:
        base, job, _ = located(named) if named and "/job/" in f"/{named}" else (None, named or _displayed(item), None)
    started_at = item.moment("timestamp")
    result, building = item.text_or_none("result"), item.flag("building")
    # A build that goes on may show the result that it has so far.
    over = result is not None and not building
    remote, sha, branch = _checked_out(item)
    return Build(
        base=base,
        job=job or "",
        number=number or item.key("number"),
        outcome=outcome_of(result) if over else None,
        started_at=started_at,
        finished_at=after(started_at, item.at("duration")) if over else None,
        repo=repository(remote),
        sha=sha,
        branch=branch,
        url=item.text_or_none("url"),
        environment=_parameter(item, context),
    )


def _displayed(item: Node) -> str:
    """The full display name is `folder » job #7`; folders and jobs may be displayed under other names than theirs."""
    name = item.text("fullDisplayName")
    return "/".join(part.strip() for part in name.rpartition(" #")[0].split("»")) or name


def _checked_out(item: Node) -> tuple[str | None, str | None, str | None]:
    """Return (remote, sha, branch) of what was checked out last: libraries are loaded before the code is."""
    for action in reversed(item.items("actions")):
        revision = action.child_or_none("lastBuiltRevision")
        if revision is not None and revision.has("SHA1"):
            remotes, branches = action.texts("remoteUrls"), revision.items("branch")
            branch = branches[0].text_or_none("name") if branches else None
            return remotes[0] if remotes else None, revision.text("SHA1"), plain_branch(branch)
    return None, None, None


def plain_branch(name: str | None) -> str | None:
    """Return the name of a branch without that of its remote."""
    return None if not name or name == "detached" else _REMOTE.sub("", name, count=1)


def _parameter(item: Node, context: Context) -> str | None:
    parameters = [parameter for action in item.items("actions") for parameter in action.items("parameters")]
    values = {parameter.text("name"): parameter.at("value").value for parameter in parameters}
    return environment_among(values, context)


def environment_among(values: dict[str, object], context: Context) -> str | None:
    """Return the environment that a build's parameters name, by the setting `environment_parameters`."""
    names = context.settings.get("environment_parameters", "").strip() or DEFAULT_PARAMETERS
    lower = {name.casefold(): value for name, value in values.items()}
    for name in names.split(","):
        value = lower.get(name.strip().casefold())
        if isinstance(value, str) and value:
            return value
    return None


def source_of(build: Build, context: Context) -> Source:
    """Return the source of a build's events: the Jenkins' address."""
    uri = context.settings.get("base_url", "").strip().rstrip("/") or build.base or UNKNOWN_SOURCE
    return Source(uri, build.repo or build.job)


def told(build: Build, context: Context) -> Outcome:
    """Return the run that a build is, and the deployment that it is if its job's name says so."""
    where, naming = source_of(build, context), read_naming(context.settings)
    run = PipelineRun(
        run=build.name,
        pipeline=build.job,
        repo=build.repo,
        sha=build.sha,
        branch=build.branch,
        outcome=build.outcome,
        url=build.url,
    )
    events = where.run(run, started_at=build.started_at, finished_at=build.finished_at)
    if not job_deploys(build.job, naming):
        return events
    environment = build.environment or naming.target(*_last_names(build.job))
    if environment is None:
        return events
    data = deployment(build, build.name, environment, build.started_at)
    rolls_back = build.outcome == "success" and naming.rolls_back(build.job)
    ending = "rolled_back" if rolls_back else ending_of(build.outcome)
    return [*events, *where.deployment(data, finished_at=build.finished_at, ending=ending)]


def job_deploys(job: str, naming: Naming) -> bool:
    """A branch project is named after its branch, and the project above it says what it does."""
    return any(naming.run_deploys(name) for name in _last_names(job))


def _last_names(job: str) -> list[str]:
    return job.split("/")[-2:][::-1]


def deployment(build: Build, name: str, environment: str, started_at: datetime | None) -> DeploymentEvent:
    """Return a deployment that a build made, placed where the build tells."""
    return DeploymentEvent(
        deployment=name,
        environment=environment,
        repo=build.repo,
        sha=build.sha,
        started_at=started_at,
        url=build.url,
    )


def stages(root: Node, context: Context, named: str | None) -> Outcome:
    """Stages of a pipeline run: `{"build": ..., "stages": [...]}`, a run of `wfapi/describe`, one stage, or a list."""
    if isinstance(root.value, list):
        return joined(stages(item, context, named) for item in root.items()) if root.items() else "rest.stages.empty"
    of = root.child_or_none("build")
    build = polled(of, context, named) if of else None
    many = root.items("stages") if root.has("stages") else [root]
    within = None if build else _linked(root, named)
    return joined(_stage(item, build or within, context, named) for item in many) if many else "rest.stages.empty"


def _linked(item: Node, named: str | None) -> Build | None:
    """The build that a stage links to: `/job/shop/7/execution/node/6/wfapi/describe`."""
    base, job, number = located(item.text_or_none("_links", "self", "href"))
    if job is None or number is None:
        return None
    base = base or located(named)[0]
    return Build(base=base, job=job, number=number, outcome=None, started_at=None, finished_at=None)


def _stage(item: Node, build: Build | None, context: Context, named: str | None) -> Outcome:
    build, name, naming = build or _linked(item, named), item.text("name"), read_naming(context.settings)
    if build is None:
        raise Quarantined("missing_field", f"{item.at('_links').path}.self.href names no build; send the build as well")
    environment = naming.target(name, *_last_names(build.job))
    if not naming.deploys(name) or job_deploys(build.job, naming) or environment is None:
        return "rest.stages.not_a_deployment"
    status = item.text("status").upper()
    if status in {"NOT_EXECUTED", "PAUSED_PENDING_INPUT"}:
        return "rest.stages.nothing_ran"
    started_at = item.moment("startTimeMillis")
    data = deployment(build, f"{build.name}/{name}", build.environment or environment, started_at)
    outcome = outcome_of(status)
    finished_at = after(started_at, item.at("durationMillis")) if outcome else None
    ending = "rolled_back" if outcome == "success" and naming.rolls_back(name) else ending_of(outcome)
    return source_of(build, context).deployment(data, finished_at=finished_at, ending=ending)
