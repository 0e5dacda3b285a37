"""Kubernetes resources: what the connectors of controllers that deploy into clusters must read alike."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pipeline.events.delivery import Context
from pipeline.events.deploying import DEPLOYMENT_SETTINGS, Source, pattern, read_naming
from pipeline.events.reading import Node
from pipeline.events.remotes import commit, repository

#: The settings of a connector of a controller, with their defaults.
RESOURCE_SETTINGS: Mapping[str, str] = {
    "base_url": "",
    "environment": "",
    "environment_labels": "leadline.dev/environment, environment, env, app.kubernetes.io/environment",
    # Without `canary`, `preview` and `demo`: in the names of resources these say how one deploys.
    "environment_pattern": DEPLOYMENT_SETTINGS["environment_pattern"].replace("|canary|demo|preview", ""),
    "service_labels": "leadline.dev/service, app.kubernetes.io/name",
    "service_pattern": "",
    "repo": "",
}
_REPO_NOTES = ("leadline.dev/repo", "org.opencontainers.image.source")
_SHA_NOTES = ("leadline.dev/sha", "org.opencontainers.image.revision")


class Place(msgspec.Struct, frozen=True):
    """Where a resource is deployed, and what. None: not told."""

    environment: str
    service: str
    repo: str | None
    sha: str | None


def resources(root: Node, *wrappers: str, deleted: bool = False) -> list[Node]:
    """Return the resources in a body: a list, a `List` (`items`), a watch event (`object`), one in a wrapper, or one.

    A watch event of a deletion holds none, unless `deleted` ones are asked for.
    """
    if isinstance(root.value, list):
        return [found for item in root.items() for found in resources(item, *wrappers, deleted=deleted)]
    if root.has("items"):
        return root.items("items")
    if root.has("object"):
        gone = root.text_or_none("type") == "DELETED" and not deleted
        return [] if gone else [root.child("object")]
    for wrapper in wrappers:
        if root.has(wrapper):
            return [root.child(wrapper)]
    return [root.child()]


def identity(resource: Node) -> str:
    """Return `namespace/name`."""
    namespace = resource.text_or_none("metadata", "namespace") or "default"
    return f"{namespace}/{resource.text('metadata', 'name')}"


def condition(resource: Node, kind: str) -> Node | None:
    """Return the condition of a type in the resource's status, if it is there."""
    found = (item for item in resource.items("status", "conditions") if item.text_or_none("type") == kind)
    return next(found, None)


def notes(resource: Node) -> dict[str, str]:
    """Return annotations and labels that are texts; of two with one name, the label."""
    found: dict[str, str] = {}
    for kind in ("annotations", "labels"):
        node = resource.child_or_none("metadata", kind)
        if node is not None and isinstance(node.value, dict):
            found.update((name, value) for name, value in node.value.items() if isinstance(value, str) and value)
    return found


def source_of(context: Context, connector: str, partitionkey: str) -> Source:
    """Return the source: the setting `base_url`, which tells several installations apart, else the connector."""
    return Source(context.settings.get("base_url", "").strip().rstrip("/") or connector, partitionkey)


def placed(told: Mapping[str, str], name: str, namespace: str | None, context: Context, *clusters: str | None) -> Place:
    """Return where a resource is deployed: `told` are its notes or the fields of an event about it.

    The environment is the setting, else a label, else a word in the names of namespace, cluster and resource, else
    the namespace. The service is a label, else what `service_pattern` finds in the name, else the name.
    """
    environment = context.settings.get("environment", "").strip() or _first(told, "environment_labels", context)
    naming = read_naming(context.settings, {**DEPLOYMENT_SETTINGS, **RESOURCE_SETTINGS})
    environment = environment or naming.environment(namespace, *clusters, name) or namespace or "default"
    repo = next((told[note] for note in _REPO_NOTES if note in told), None) or context.settings.get("repo", "").strip()
    sha = next((told[note] for note in _SHA_NOTES if note in told), None)
    service = _first(told, "service_labels", context) or _service(name, context)
    return Place(environment=environment, service=service, repo=repository(repo), sha=commit(sha))


def _service(name: str, context: Context) -> str:
    wanted = context.settings.get("service_pattern", "").strip()
    found = pattern("service_pattern", wanted).search(name) if wanted else None
    if found is None:
        return name
    return (found[1] if found.re.groups else found[0]) or name


def _first(told: Mapping[str, str], setting: str, context: Context) -> str | None:
    names = context.settings.get(setting, "").strip() or RESOURCE_SETTINGS[setting]
    return next((told[name] for label in names.split(",") if (name := label.strip()) in told), None)
