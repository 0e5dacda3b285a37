"""Where something happened: the repository that a payload names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.events.errors import Quarantined
from pipeline.events.forges import Repository
from pipeline.events.reading import Node

#: The header with which the poller says what a page is about, for pages that do not: `acme/shop` or a URL of it.
REPO_HEADER = "x-leadline-repo"
#: The number of the pull request or issue that a page belongs to.
NUMBER_HEADER = "x-leadline-number"

_NAME = r"(?P<name>[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)"
_HOST = r"https?://(?P<host>[A-Za-z0-9.-]+(?::\d+)?)"
_API_URL = re.compile(rf"{_HOST}(?P<server>/api/v3)?/repos/{_NAME}(?:/|$)")
_PAGE_URL = re.compile(rf"{_HOST}/{_NAME}(?:/|$)")
_FULL_NAME = re.compile(_NAME)
_NUMBER = re.compile(r"/(?:issues|pulls?)/([1-9]\d{0,17})(?:$|[#/?])")
_API_FIELDS = ("url", "repository_url", "issue_url", "pull_request_url", "deployment_url")


def from_url(url: str | None) -> Repository | None:
    """Return the repository that a REST URL is of: `https://api.github.com/repos/acme/shop/pulls/7`."""
    found = _API_URL.match(url or "")
    if found is None:
        return None
    # Enterprise Server answers under /api/v3 of its own host; github.com and ghe.com under a host of their own.
    host = found["host"] if found["server"] else found["host"].removeprefix("api.")
    return Repository(f"https://{host}", found["name"])


def from_page_url(url: str | None) -> Repository | None:
    """Return the repository that a URL for people is of: `https://github.com/acme/shop/pull/7`."""
    found = _PAGE_URL.match(url or "")
    return Repository(f"https://{found['host']}", found["name"]) if found else None


def number_in(url: str | None) -> int | None:
    """Return the number of the issue or pull request in a URL."""
    found = _NUMBER.search(url or "")
    return int(found[1]) if found else None


def of_webhook(root: Node, headers: Mapping[str, str]) -> Repository:
    """Return the repository of a webhook's body. Raises `Quarantined` when neither the body nor a header tells it."""
    if (found := of_object(root.child_or_none("repository"))) is not None:
        return found
    # A link between two issues may be told of their organization, without a repository.
    for end in ("sub_issue", "blocked_issue"):
        if (found := from_url(root.text_or_none(end, "repository_url"))) is not None:
            return found
    return of_header(headers) or _missing("repository.full_name")


def of_item(item: Node, headers: Mapping[str, str]) -> Repository:
    """Return the repository of an item of a REST page, by what it says itself, its URLs, or a header."""
    if (found := of_object(item.child_or_none("repository"))) is not None:
        return found
    for field in _API_FIELDS:
        if (found := from_url(item.text_or_none(field))) is not None:
            return found
    found = from_page_url(item.text_or_none("html_url")) or of_header(headers)
    return found or _missing(item.at("url").path)


def of_object(repository: Node | None) -> Repository | None:
    """Return the repository of a repository object; None where it is absent or nameless."""
    name = repository.text_or_none("full_name") if repository else None
    if repository is None or name is None:
        return None
    if not _FULL_NAME.fullmatch(name):
        raise Quarantined("bad_value", f"{repository.at('full_name').path} is {name[:80]!r}; expected owner/repo")
    # `url` is the REST one, except in a push.
    page = from_page_url(repository.text_or_none("html_url"))
    found = page or from_url(repository.text_or_none("url"))
    return Repository(found.host if found else "https://github.com", name)


def of_header(headers: Mapping[str, str]) -> Repository | None:
    """Return the repository that the poller named."""
    named = headers.get(REPO_HEADER, "")
    if _FULL_NAME.fullmatch(named):
        return Repository("https://github.com", named)
    return from_page_url(named)


def _missing(path: str) -> Repository:
    raise Quarantined("missing_field", f"{path} is absent and so is the header {REPO_HEADER}: which repository is it?")
