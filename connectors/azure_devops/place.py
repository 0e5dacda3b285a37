"""Where something happened: the organization that a payload's URLs name, its projects and repositories."""

from __future__ import annotations

import re

from pipeline.events.delivery import Context
from pipeline.events.deploying import Source
from pipeline.events.reading import Node
from pipeline.events.remotes import repository

#: The source where neither a URL nor the setting `base_url` tells the organization.
UNKNOWN_SOURCE = "azure_devops"

_CLOUD = re.compile(r"https?://(?:[^/@]+@)?(?:\w+\.)?dev\.azure\.com/([\w.-]+)(?:/|$)")
_OLD_CLOUD = re.compile(r"https?://([\w-]+)(?:\.vsrm|\.vssps)?\.visualstudio\.com(?:/|$)")
_SERVER = re.compile(
    r"(https?://[^/]+(?:/[^/_][^/]*)*?)(?:/[0-9a-f-]{36}|/[^/]+)?/_(?:apis|git|build|release|workitems)/"
)
_HEADS = "refs/heads/"


def source(context: Context, project: str | None, *urls: str | None) -> Source:
    """Return the source: `https://dev.azure.com/<organization>`, a server's collection, or the setting `base_url`."""
    uri = context.settings.get("base_url", "").strip().rstrip("/") or next(filter(None, map(_organization, urls)), None)
    return Source(uri or UNKNOWN_SOURCE, project or uri or UNKNOWN_SOURCE)


def _organization(url: str | None) -> str | None:
    for cloud in (_CLOUD, _OLD_CLOUD):
        if url and (found := cloud.match(url)):
            return f"https://dev.azure.com/{found[1].lower()}"
    found = _SERVER.match(url) if url else None
    return found[1] if found else None


def urls_of(node: Node) -> list[str]:
    """Return the URLs with which an object names itself, and those of its repository."""
    fields = (("url",), ("remoteUrl",), ("webUrl",), ("_links", "web", "href"), ("repository", "url"))
    return [url for field in fields if (url := node.text_or_none(*field))]


def repository_of(node: Node) -> str:
    """Return `project/name` of a repository object of Azure Repos."""
    return f"{node.text('project', 'name')}/{node.text('name')}"


def built_repository(build: Node) -> str | None:
    """Return the repository that a build is of, wherever it is hosted; None where the build does not tell."""
    node = build.child_or_none("repository")
    if node is None:
        return None
    name, project = node.text_or_none("name"), build.text_or_none("project", "name")
    if (node.text_or_none("type") or "").lower() in {"tfsgit", "git", "azurereposgit"}:
        return repository(node.text_or_none("url")) if not (name and project) else f"{project}/{name}"
    return repository(name) or repository(node.text_or_none("id")) or repository(node.text_or_none("url"))


def branch(ref: str | None) -> str | None:
    """Return the branch's name of a ref; a ref of another kind is returned as it is."""
    return ref.removeprefix(_HEADS) if ref else None
