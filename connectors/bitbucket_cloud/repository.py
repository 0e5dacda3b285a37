"""Where something happened: the repository that a payload names, and fields that many share."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.events import forges
from pipeline.events.delivery import Context
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node
from pipeline.events.types import Ref, RefVia

HOST = "https://bitbucket.org"
#: The header with which the poller says what a page is about: `workspace/repository`.
REPO_HEADER = "x-leadline-repo"

_FULL_NAME = re.compile(r"[A-Za-z0-9_.{}-]+/[A-Za-z0-9_.{}-]+")
_URL = re.compile(r"https://(?:api\.bitbucket\.org/2\.0/repositories|bitbucket\.org)/([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)")
_NAMES = (("repository",), ("destination", "repository"), ("target", "repository"), ("issue", "repository"))
_URL_PLACES = (("links", "html", "href"), ("links", "self", "href"), ("state", "url"), ("release", "url"))
_FULL_SHA = re.compile(r"[0-9a-f]{40}")
_PULL_REQUEST = re.compile(r"\bpull request #\d+", re.IGNORECASE)
_ADDRESS = re.compile(r"<([^<>]+)>\s*$")


class Repository(forges.Repository, frozen=True):
    """A repository: `name` is `workspace/repository`. Pull requests and issues have numbers of their own."""

    def mentions(self, text: str | None, via: RefVia) -> list[Ref]:
        """Return what a text mentions. `#7` is an issue, unless it is said to be a pull request."""
        return super().mentions(_PULL_REQUEST.sub("", text or ""), via)


def of_node(node: Node, headers: Mapping[str, str]) -> Repository:
    """Return the repository of a webhook's body or of an item of a page: by its name, its URLs, or a header."""
    for names in _NAMES:
        name = node.text_or_none(*names, "full_name")
        if name is not None:
            return _named(name, node.at(*names, "full_name").path)
    for place in _URL_PLACES:
        if found := _URL.match(node.text_or_none(*place) or ""):
            return Repository(HOST, found[1])
    if name := headers.get(REPO_HEADER):
        return _named(name, REPO_HEADER)
    where = node.at("repository", "full_name").path
    raise Quarantined("missing_field", f"{where} is absent and so is the header {REPO_HEADER}: which repository is it?")


def _named(name: str, path: str) -> Repository:
    if not _FULL_NAME.fullmatch(name):
        raise Quarantined("bad_value", f"{path} is {name[:80]!r}; expected workspace/repository")
    return Repository(HOST, name)


def person(node: Node, field: str, context: Context) -> str | None:
    """Return the pseudonym of the account in `field`, by its uuid; None for a deleted account."""
    return context.actor(node.text_or_none(field, "uuid") or node.text_or_none(field, "account_id"))


def is_automation(node: Node, field: str) -> bool:
    """Return whether the account in `field` is an app or the workspace itself (an access token)."""
    return node.text_or_none(field, "type") in {"app_user", "team"}


def author(commit: Node, context: Context) -> str | None:
    """Return the pseudonym of a commit's author: the account, else the address."""
    account = commit.at("author").child_or_none("user")
    told = account.text_or_none("uuid") if account is not None else None
    return context.actor(told or signature(commit)[1])


def signature(commit: Node) -> tuple[str, str | None]:
    """Return the name and the address of a commit's author."""
    raw = commit.text_or_none("author", "raw") or ""
    address = _ADDRESS.search(raw)
    return raw.partition("<")[0].strip(), address[1] if address else None


def full_sha(sha: str | None) -> str | None:
    """Return a sha that names a commit; None for the abbreviations that pull requests carry."""
    return sha if sha and _FULL_SHA.fullmatch(sha) else None


def left_out(kind: str, what: str | None) -> str:
    """Return the name of something that is left out, whatever its case."""
    return forges.left_out(kind, (what or "").lower())
