"""Where something happened: the repository that a payload names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.events.errors import Quarantined
from pipeline.events.forges import Repository
from pipeline.events.reading import Node

#: The header with which the poller says what a page is about: the URL of the repository.
REPO_HEADER = "x-leadline-repo"

_NAME = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_URL = re.compile(r"(?P<host>https?://[^/\s]+(?:/[A-Za-z0-9_.-]+)*?)/(?P<name>[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)")
_BELOW = re.compile(r"/(?:issues|pulls|commit|releases|src|actions|compare)(?:/.*)?$")


def from_url(url: str | None) -> Repository | None:
    """Return the repository of the URL of its page, or of something in it."""
    found = _URL.fullmatch(_BELOW.sub("", (url or "").partition("#")[0]).rstrip("/"))
    return Repository(found["host"], found["name"]) if found else None


def of_object(repository: Node | None) -> Repository | None:
    """Return the repository of a repository object; None where it is absent or has no address."""
    name = repository.text_or_none("full_name") if repository is not None else None
    if repository is None or name is None:
        return None
    if not _NAME.fullmatch(name):
        raise Quarantined("bad_value", f"{repository.at('full_name').path} is {name[:80]!r}; expected owner/repo")
    url = repository.text_or_none("html_url") or ""
    if url.startswith(("http://", "https://")) and url.endswith(f"/{name}"):
        return Repository(url.removesuffix(f"/{name}"), name)
    return None


def of_webhook(root: Node, headers: Mapping[str, str]) -> Repository:
    """Return the repository of a webhook's body. Raises `Quarantined` when neither the body nor a header tells it."""
    found = of_object(root.child_or_none("repository")) or of_object(root.at("run").child_or_none("repository"))
    return found or of_header(headers) or _missing("repository.html_url")


def of_item(item: Node, headers: Mapping[str, str]) -> Repository:
    """Return the repository of an item of a REST page, by its base, its URL, or a header."""
    base = item.child_or_none("base")
    found = of_object(base.child_or_none("repo")) if base is not None else None
    for field in ("html_url", "pull_request_url", "issue_url"):
        found = found or from_url(item.text_or_none(field))
    return found or of_header(headers) or _missing(item.at("html_url").path)


def of_header(headers: Mapping[str, str]) -> Repository | None:
    """Return the repository that the poller named."""
    return from_url(headers.get(REPO_HEADER, ""))


def _missing(path: str) -> Repository:
    raise Quarantined("missing_field", f"{path} is absent and so is the header {REPO_HEADER}: which repository is it?")
