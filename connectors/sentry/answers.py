"""What the poller reads from Sentry's API: an issue with its activity, and a release with its deploys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from connectors.sentry.kinds import ACTIVITY
from pipeline.events.delivery import Context
from pipeline.events.deploying import Source
from pipeline.events.envelope import Event
from pipeline.events.incidents import DETECTED, REOPENED, RESOLVED, base_url, place, tell, whole_second
from pipeline.events.reading import Node
from pipeline.events.remotes import commit, repository
from pipeline.events.types import DeploymentEvent, IncidentEvent

SITE = "https://sentry.io"
#: Statuses of an issue that is over; an archived one is `ignored`, and nobody will end it in another way.
OVER = frozenset({"resolved", "ignored", "archived"})


def source(context: Context) -> str:
    """Return the Sentry that tells."""
    return base_url(context.settings) or SITE


def tell_issue(issue: Node, tags: dict[str, str], context: Context, *marks: tuple[str, datetime | None]) -> list[Event]:
    """Tell of an issue, as webhooks and the API show it, that it was detected, and the further `marks`."""
    found = place(tags, context.settings)
    data = IncidentEvent(
        incident=issue.key("id"),
        service=found.service or issue.text_or_none("project", "slug"),
        environment=found.environment,
        severity=issue.text_or_none("level"),
        title=issue.text_or_none("title") or "",
        deployment=found.deployment,
        url=issue.text_or_none("web_url") or issue.text_or_none("permalink"),
    )
    return tell(source(context), data, (DETECTED, issue.moment("firstSeen")), *marks)


def issue_with_activity(root: Node, context: Context) -> list[Event]:
    """Tell an issue with each of its ends and reopenings, in whole seconds: webhooks have no more."""
    issue = root.child("issue")
    marks = list(_history(root.items("activity")))
    ended = any(what == RESOLVED for what, _ in marks)
    if issue.text("status") in OVER and not ended:
        marks.append((RESOLVED, whole_second(issue.moment_or_none("lastSeen")) or issue.moment("lastSeen")))
    return tell_issue(issue, {}, context, *marks)


def _history(activity: list[Node]) -> Iterator[tuple[str, datetime]]:
    """Yield what happened to an issue: an activity counts only where it changes whether the issue is over."""
    over: bool | None = None
    for at, kind in sorted((each.moment("dateCreated"), each.text("type")) for each in activity):
        what = ACTIVITY.get(kind)
        if what == RESOLVED and not over:
            yield RESOLVED, at.replace(microsecond=0)
        if what == REOPENED and (over or (over is None and kind == "set_regression")):
            yield REOPENED, at.replace(microsecond=0)
        over = what == RESOLVED if what is not None else over


def deploys(root: Node, context: Context) -> list[Event]:
    """Tell the deploys of a release, which Sentry was told of when they were done."""
    release = root.child("release")
    projects = [slug for project in release.items("projects") if (slug := project.text_or_none("slug"))]
    service = projects[0] if len(projects) == 1 else None
    version, last = release.text("version"), release.at("lastCommit")
    remote = last.at("repository")
    repo = repository(remote.text_or_none("url")) or repository(remote.text_or_none("name"))
    where = Source(source(context), service or repo or version)
    events: list[Event] = []
    for deploy in root.items("deploys"):
        finished_at = deploy.moment_or_none("dateFinished")
        data = DeploymentEvent(
            deployment=f"deploys/{deploy.key('id')}",
            environment=deploy.text("environment"),
            repo=repo,
            sha=commit(last.text_or_none("id")) or commit(version),
            service=service,
            version=version,
            started_at=deploy.moment_or_none("dateStarted"),
            url=deploy.text_or_none("url"),
        )
        events += where.deployment(data, finished_at=finished_at, ending="success")
    return list({event.id: event for event in events}.values())
