"""Where something happened: the repository that a payload names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

from pipeline.events import forges, references
from pipeline.events.delivery import Context
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node
from pipeline.events.types import Ref, RefVia

#: The header with which the poller says what a page is about: `PROJECT/repository`.
REPO_HEADER = "x-leadline-repo"
DEFAULTS: Mapping[str, str] = {"base_url": "bitbucket", "protected_branches": "main, master, develop, release/*"}

_NAME = re.compile(r"~?[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")


class Repository(forges.Repository, frozen=True):
    """A repository: `name` is `PROJECT/repository`, `host` the address of its Bitbucket, as the settings give it."""

    @property
    def source(self) -> str:
        """The address of its page."""
        project, _, slug = self.name.partition("/")
        return f"{self.host}/projects/{project}/repos/{slug}"

    def mentions(self, text: str | None, via: RefVia) -> list[Ref]:
        """Return what a text mentions. Bitbucket has no issues, so that a bare `#7` is none."""
        return references.in_text(text, via)


def setting(context: Context, name: str) -> str:
    """Return a setting; what is not given, or is blank, has its default."""
    return context.settings.get(name, "").strip() or DEFAULTS[name]


def is_protected(branch: str, context: Context) -> bool:
    """Return whether nobody forces a push to a branch, as the settings say."""
    patterns = (pattern.strip() for pattern in setting(context, "protected_branches").split(","))
    return any(fnmatchcase(branch, pattern) for pattern in patterns)


def of_object(repository: Node, context: Context) -> Repository:
    """Return the repository of a repository object."""
    name = f"{repository.text('project', 'key')}/{repository.text('slug')}"
    return _named(name, repository.at("slug").path, context)


def of_header(headers: Mapping[str, str], context: Context) -> Repository:
    """Return the repository that the poller named. Raises `Quarantined` where it did not."""
    if not headers.get(REPO_HEADER):
        raise Quarantined("missing_field", f"the header {REPO_HEADER} is absent: which repository is it?")
    return _named(headers[REPO_HEADER], REPO_HEADER, context)


def _named(name: str, path: str, context: Context) -> Repository:
    if not _NAME.fullmatch(name):
        raise Quarantined("bad_value", f"{path}: {name[:80]!r}; expected PROJECT/repository")
    return Repository(setting(context, "base_url").rstrip("/"), name)


def person(user: Node | None, context: Context) -> str | None:
    """Return the pseudonym of an account, by the name with which it logs in."""
    return context.actor(user.text_or_none("name") or user.text_or_none("slug")) if user is not None else None


def is_automation(user: Node | None) -> bool:
    """Return whether an account is one of a service (an access token)."""
    return user is not None and user.text_or_none("type") == "SERVICE"
