"""Messages of Jenkins' plugins: Notification and CDEvents."""

from __future__ import annotations

from datetime import datetime

from connectors.jenkins.builds import Build, before, environment_among, located, outcome_of, plain_branch, told
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.reading import Node
from pipeline.events.remotes import commit, repository

_CDEVENTS_RUN = "dev.cdevents.pipelinerun."


def notification(root: Node, context: Context) -> Outcome:
    """The Notification plugin. `timestamp` is that of the phase: when the build started, or when it ended."""
    phase, build = root.text("build", "phase").upper(), root.child("build")
    match phase:
        case "STARTED":
            return told(_build(root, context, build.moment("timestamp"), None), context)
        case "COMPLETED":
            finished_at = build.moment("timestamp")
            return told(_build(root, context, before(finished_at, build.at("duration")), finished_at), context)
        case "FINALIZED":
            # The last post-build step is done, some time after the build was; some hooks send nothing else.
            return told(_build(root, context, None, build.moment("timestamp")), context)
        case _:
            return "notification.queued" if phase == "QUEUED" else "notification.other_phase"


def _build(root: Node, context: Context, started_at: datetime | None, finished_at: datetime | None) -> Build:
    item = root.child("build")
    url = item.text_or_none("full_url") or item.text_or_none("fullUrl") or item.text_or_none("url")
    base, job, number = located(url)
    scm = item.at("scm") if item.has("scm") else item.at("scmState")
    parameters = item.child_or_none("parameters")
    values = parameters.value if parameters and isinstance(parameters.value, dict) else {}
    return Build(
        base=base,
        job=job or root.text("name"),
        number=number or item.key("number"),
        outcome=outcome_of(item.text_or_none("status")) if finished_at else None,
        started_at=started_at,
        finished_at=finished_at,
        repo=repository(scm.text_or_none("url")),
        sha=commit(scm.text_or_none("commit")),
        branch=plain_branch(scm.text_or_none("branch")),
        url=url if base else None,
        environment=environment_among(values, context),
    )


def cdevents(root: Node, context: Context) -> Outcome:
    """The CDEvents plugin, in the flat form of its first releases. What it sends of tasks does not name the stage."""
    kind = root.text("type")
    if not kind.startswith(_CDEVENTS_RUN):
        return f"cdevents.{'taskrun' if '.taskrun.' in kind else 'other'}"
    data, at = root.child("data"), root.moment("time")
    match kind.removeprefix(_CDEVENTS_RUN).split(".")[0]:
        case "started":
            return told(_build(data, context, at, None), context)
        case "finished":
            return told(_build(data, context, None, at), context)
        case _:
            return "cdevents.queued"
