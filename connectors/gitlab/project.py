"""Where something happened: the project (or group) that a payload names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.events import references
from pipeline.events.errors import Quarantined
from pipeline.events.forges import Repository
from pipeline.events.reading import Node
from pipeline.events.types import Ref, RefVia

#: The header with which the poller says what a page is about: `group/project`, or the project's URL.
REPO_HEADER = "x-leadline-repo"
#: The number (iid) of the merge request or issue that a page belongs to.
NUMBER_HEADER = "x-leadline-number"

_PATH = r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*"
_URL = re.compile(rf"(?P<host>https?://[A-Za-z0-9.-]+(?::\d+)?)/(?P<group>groups/)?(?P<path>{_PATH})")
_THINGS = "merge_requests|issues|incidents|work_items|epics|pipelines|jobs|builds|commit|deployments|releases|tags"
#: GitLab before release 12 had no `/-/` between the project and what is in it.
_BELOW = re.compile(rf"/(?:{_THINGS})/[^/]+.*$")
_FULL_REFERENCE = re.compile(rf"(?P<path>{_PATH})[#!&]\d+")
_FULL_PATH = re.compile(_PATH)
#: `group/subgroup/project#7`: deeper than the owner and repository that `references` knows.
_NESTED = re.compile(r"(?<![\w./&#-])((?:\w[\w.-]*/){2,}\w[\w.-]*)#([1-9]\d{0,8})\b")
_ISSUE_URL = re.compile(r"https?://[\w.:-]+/((?:\w[\w.-]*/)+\w[\w.-]*)/(?:-/)?(?:issues|work_items)/([1-9]\d{0,8})\b")
_MAX_TEXT = 20_000


class Project(Repository, frozen=True):
    """A project: `name` is its full path such as `group/subgroup/project`. Epics belong to a group."""

    group: bool = False

    @property
    def source(self) -> str:
        """The address of its page."""
        return f"{self.host}/{'groups/' if self.group else ''}{self.name}"

    def issue(self, iid: int) -> str:
        """Return the id of an issue (`group/project#7`), or of an epic (`group&7`)."""
        return f"{self.name}&{iid}" if self.group else self.numbered(iid)

    def merge_request(self, iid: int) -> str:
        """Return the id of a merge request: `group/project!7`. Issues have numbers of their own."""
        return f"{self.name}!{iid}"

    def mentions(self, text: str | None, via: RefVia) -> list[Ref]:
        """Return what a text mentions, also issues in projects of nested groups."""
        if not text:
            return []
        head = text[:_MAX_TEXT]
        nested = [f"{path}#{iid}" for path, iid in [*_NESTED.findall(head), *_ISSUE_URL.findall(head)]]
        found = [Ref("ticket", key, via) for key in nested[: references.MAX_REFS]]
        return references.merge(super().mentions(text, via), found)


def from_url(url: str | None, path: str | None = None) -> Project | None:
    """Return the project of its URL. `path`, if known, tells a relative URL from a group."""
    found = _URL.fullmatch(url or "")
    if found is None:
        return None
    told = found["path"]
    if path is not None and (told == path or told.endswith(f"/{path}")):
        return Project(f"{found['host']}/{told}".removesuffix(f"/{path}"), path)
    if found["group"]:
        return Project(found["host"], told, group=True)
    return Project(found["host"], told)


def from_url_below(url: str | None, path: str | None = None) -> Project | None:
    """Return the project of the URL of something in it, such as `https://gitlab.com/group/project/-/issues/7`."""
    above, dash, _ = (url or "").partition("/-/")
    return from_url(above if dash else _BELOW.sub("", above), path)


def of_webhook(root: Node, headers: Mapping[str, str]) -> Project:
    """Return the project of a webhook's body. Raises `Quarantined` when neither the body nor a header tells it."""
    project, repository = root.child_or_none("project"), root.child_or_none("repository")
    path = _path(project)
    if project is not None:
        found = from_url(project.text_or_none("web_url") or project.text_or_none("homepage"), path)
        if found is not None:
            return found
    if repository is not None and (found := from_url(repository.text_or_none("homepage"), path)) is not None:
        return found
    below = root.child_or_none("object_attributes")
    found = from_url_below(below.text_or_none("url"), path) if below is not None else None
    return found or of_header(headers) or _missing("project.web_url")


def of_item(item: Node, headers: Mapping[str, str]) -> Project:
    """Return the project of an item of a REST page, by its reference, its URLs, or a header."""
    reference = _FULL_REFERENCE.fullmatch(item.text_or_none("references", "full") or "")
    path = reference["path"] if reference else None
    for names in (("web_url",), ("deployable", "web_url"), ("_links", "self")):
        url = item.text_or_none(*names)
        if url and "/api/v4/" not in url and (found := from_url_below(url, path)) is not None:
            return found
    return of_header(headers) or _missing(item.at("web_url").path)


def of_header(headers: Mapping[str, str]) -> Project | None:
    """Return the project that the poller named."""
    named = headers.get(REPO_HEADER, "")
    return Project("https://gitlab.com", named) if _FULL_PATH.fullmatch(named) else from_url(named)


def _path(project: Node | None) -> str | None:
    path = project.text_or_none("path_with_namespace") if project is not None else None
    if project is not None and path is not None and not _FULL_PATH.fullmatch(path):
        where = project.at("path_with_namespace").path
        raise Quarantined("bad_value", f"{where} is {path[:80]!r}; expected group/project")
    return path


def _missing(path: str) -> Project:
    raise Quarantined("missing_field", f"{path} is absent and so is the header {REPO_HEADER}: which project is it?")
