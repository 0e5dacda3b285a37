"""Classic releases: each of their stages deploys to an environment, whatever its name."""

from __future__ import annotations

from connectors.azure_devops.place import source, urls_of
from pipeline.events.delivery import Context
from pipeline.events.deploying import Ending, Outcome, read_naming
from pipeline.events.reading import Node
from pipeline.events.remotes import commit, repository
from pipeline.events.types import DeploymentEvent

#: Status of an environment or a deployment -> how it ended. None: it goes on, or has not begun.
_STATUS: dict[str, Ending | None] = {
    "succeeded": "success",
    "partiallysucceeded": "success",
    "failed": "failure",
    "rejected": "failure",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    # Nobody approved it, or a gate did not open: nothing was deployed.
    "notdeployed": "cancelled",
}


def completed(root: Node, context: Context) -> Outcome:
    """Hook `ms.vss-release.deployment-completed-event`."""
    return _told(root, context, over=True)


def started(root: Node, context: Context) -> Outcome:
    """Hook `ms.vss-release.deployment-started-event`."""
    return _told(root, context, over=False)


def _told(root: Node, context: Context, *, over: bool) -> Outcome:
    told = root.child("resource")
    deployment = told.child_or_none("deployment")
    of = deployment or told
    environment = told.child_or_none("environment") or of.child("environment")
    release = environment.child_or_none("release") or of.child_or_none("release") or _release(told, environment)
    status = _status(of) or environment.text_or_none("status")
    return _deployment(root, (of, release, environment, told), status, context, over=over)


def _release(told: Node, environment: Node) -> Node:
    """Return the release, of which a hook may tell no more than the id, as a field of the environment."""
    identity = environment.integer_or_none("releaseId")
    if told.has("release") or not identity:
        return told.child("release")
    return Node({"id": identity}, environment.path)


def _status(deployment: Node) -> str | None:
    return deployment.text_or_none("deploymentStatus") or deployment.text_or_none("status")


def deployed(item: Node, context: Context) -> Outcome:
    """An item of the REST list of deployments."""
    parts = (item, item.child("release"), item.child("releaseEnvironment"), item)
    return _deployment(item, parts, _status(item), context, over=True)


def _deployment(
    root: Node, parts: tuple[Node, Node, Node, Node], status: str | None, context: Context, *, over: bool
) -> Outcome:
    deployment, release, environment, told = parts
    project = told.text_or_none("project", "name") or release.text_or_none("project", "name")
    where = source(context, project, *urls_of(release), *urls_of(environment), *urls_of(told), *_links(root))
    # The release is told two or three times over, and each time other parts of it are left out.
    tellings = (release, deployment.at("release"), told.at("release"), deployment, told)
    definition = next((name for at in tellings if (name := at.text_or_none("releaseDefinition", "name"))), None)
    repo, sha = _built_from(next((at for at in tellings if at.has("artifacts")), release))
    began_at = deployment.moment_or_none("startedOn") or deployment.moment_or_none("queuedOn")
    attempt = deployment.integer_or_none("attempt") or told.integer_or_none("attemptId") or 1
    name, stage = environment.text("name"), environment.key("id")
    data = DeploymentEvent(
        deployment=f"releases/{release.key('id')}/environments/{stage}/attempts/{attempt}",
        environment=name,
        repo=repo,
        sha=sha,
        service=definition,
        version=release.text_or_none("name"),
        started_at=began_at or (None if over else root.moment("createdDate")),
    )
    ending = _STATUS.get((status or "").lower()) if over else None
    if ending == "success" and read_naming(context.settings).rolls_back(definition):
        ending = "rolled_back"
    finished_at = deployment.moment_or_none("completedOn") or root.moment_or_none("createdDate")
    return where.deployment(data, finished_at=finished_at, ending=ending) or "release.deployment_not_begun"


def _links(root: Node) -> list[str]:
    """The samples name the organization in the message only: take the first address in its markdown."""
    text = root.text_or_none("message", "markdown") or ""
    return [part.split(")")[0] for part in text.split("](")[1:]]


def _built_from(release: Node) -> tuple[str | None, str | None]:
    """Return the repository and the commit of the release's primary artifact, as far as they are told."""
    artifacts = release.items("artifacts")
    primary = next((item for item in artifacts if item.flag("isPrimary")), artifacts[0] if artifacts else None)
    if primary is None:
        return None, None
    of = primary.at("definitionReference")
    repo = repository(of.text_or_none("repository", "name")) or repository(of.text_or_none("repository", "id"))
    project, name = of.text_or_none("project", "name"), of.text_or_none("repository", "name")
    if repo is None and project and name:
        repo = f"{project}/{name}"
    return repo, commit(of.text_or_none("sourceVersion", "id")) or commit(of.text_or_none("version", "id"))
