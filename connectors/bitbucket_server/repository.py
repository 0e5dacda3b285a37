"""Where something happened: the repository that a payload names, and events in its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatchcase

import msgspec

from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.ids import event_id
from pipeline.events.reading import Node
from pipeline.events.types import Payload

#: The header with which the poller says what a page is about: `PROJECT/repository`.
REPO_HEADER = "x-leadline-repo"
MAX_TITLE = 500
DEFAULTS: Mapping[str, str] = {"base_url": "bitbucket", "protected_branches": "main, master, develop, release/*"}

#: What became of a payload: events, or the name under which it was left out on purpose.
Outcome = list[Event] | str

_NAME = re.compile(r"~?[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")


class Repository(msgspec.Struct, frozen=True):
    """A repository: `name` is `PROJECT/repository`, `base` the address of its Bitbucket, as the settings give it."""

    base: str
    name: str

    def numbered(self, number: int) -> str:
        """Return the id of a pull request."""
        return f"{self.name}#{number}"

    def event(self, event_type: str, at: datetime, subject: str, data: Payload, *told: object) -> Event:
        """Return an event whose id covers type, subject, time and content, and `told` where two may share all that."""
        content, (project, _, slug) = msgspec.json.encode(data).decode(), self.name.partition("/")
        return Event(
            id=event_id(event_type, subject, at.isoformat(), content, *told),
            source=f"{self.base}/projects/{project}/repos/{slug}",
            type=event_type,
            time=at,
            subject=subject,
            partitionkey=self.name,
            data=data,
        )


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
