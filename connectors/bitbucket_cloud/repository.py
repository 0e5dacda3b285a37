"""Where something happened: the repository that a payload names, events in its name, and fields that many share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from pipeline.events import references
from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.ids import event_id
from pipeline.events.reading import Node
from pipeline.events.types import Payload, Ref, RefVia

HOST = "https://bitbucket.org"
#: The header with which the poller says what a page is about: `workspace/repository`.
REPO_HEADER = "x-leadline-repo"
MAX_TITLE = 500

#: What became of a payload: events, or the name under which it was left out on purpose.
Outcome = list[Event] | str

_FULL_NAME = re.compile(r"[A-Za-z0-9_.{}-]+/[A-Za-z0-9_.{}-]+")
_URL = re.compile(r"https://(?:api\.bitbucket\.org/2\.0/repositories|bitbucket\.org)/([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)")
_NAMES = (("repository",), ("destination", "repository"), ("target", "repository"), ("issue", "repository"))
_URL_PLACES = (("links", "html", "href"), ("links", "self", "href"), ("state", "url"), ("release", "url"))
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FULL_SHA = re.compile(r"[0-9a-f]{40}")
_PULL_REQUEST = re.compile(r"\bpull request #\d+", re.IGNORECASE)
_ADDRESS = re.compile(r"<([^<>]+)>\s*$")


class Repository(msgspec.Struct, frozen=True):
    """A repository: `name` is `workspace/repository`."""

    name: str

    def numbered(self, number: int) -> str:
        """Return the id of a pull request, or of an issue; each kind has its own numbers."""
        return f"{self.name}#{number}"

    def event(self, event_type: str, at: datetime, subject: str, data: Payload, *told: object) -> Event:
        """Return an event whose id covers type, subject, time and content, and `told` where two may share all that."""
        content = msgspec.json.encode(data).decode()
        return Event(
            id=event_id(event_type, subject, at.isoformat(), content, *told),
            source=f"{HOST}/{self.name}",
            type=event_type,
            time=at,
            subject=subject,
            partitionkey=self.name,
            data=data,
        )


def of_node(node: Node, headers: Mapping[str, str]) -> Repository:
    """Return the repository of a webhook's body or of an item of a page: by its name, its URLs, or a header."""
    for names in _NAMES:
        name = node.text_or_none(*names, "full_name")
        if name is not None:
            return _named(name, node.at(*names, "full_name").path)
    for place in _URL_PLACES:
        if found := _URL.match(node.text_or_none(*place) or ""):
            return Repository(found[1])
    if name := headers.get(REPO_HEADER):
        return _named(name, REPO_HEADER)
    where = node.at("repository", "full_name").path
    raise Quarantined("missing_field", f"{where} is absent and so is the header {REPO_HEADER}: which repository is it?")


def _named(name: str, path: str) -> Repository:
    if not _FULL_NAME.fullmatch(name):
        raise Quarantined("bad_value", f"{path} is {name[:80]!r}; expected workspace/repository")
    return Repository(name)


def person(node: Node, field: str, context: Context) -> str | None:
    """Return the pseudonym of the account in `field`, by its uuid; None for a deleted account."""
    return context.actor(node.text_or_none(field, "uuid") or node.text_or_none(field, "account_id"))


def is_automation(node: Node, field: str) -> bool:
    """Return whether the account in `field` is an app or the workspace itself (an access token)."""
    return node.text_or_none(field, "type") in {"app_user", "team"}


def author(commit: Node, context: Context) -> str | None:
    """Return the pseudonym of a commit's author: the account, else the address."""
    account = commit.at("author").child_or_none("user")
    address = _ADDRESS.search(commit.text_or_none("author", "raw") or "")
    told = account.text_or_none("uuid") if account is not None else None
    return context.actor(told or (address[1] if address else None))


def full_sha(sha: str | None) -> str | None:
    """Return a sha that names a commit; None for the abbreviations that pull requests carry."""
    return sha if sha and _FULL_SHA.fullmatch(sha) else None


def mentions(text: str | None, via: RefVia, repo: Repository) -> list[Ref]:
    """Return what a text mentions. `#7` is an issue, unless it is said to be a pull request."""
    return references.in_text(_PULL_REQUEST.sub("", text or ""), via, repo.name)


def first_line(message: str | None) -> str:
    """Return the title of a commit message."""
    return next(iter((message or "").strip().splitlines()), "")[:MAX_TITLE]


def joined(outcomes: Iterable[Outcome]) -> Outcome:
    """Join the outcomes of several items, each event once. They count as left out only if none tells anything."""
    events: dict[str, Event] = {}
    reasons: list[str] = []
    for outcome in outcomes:
        if isinstance(outcome, str):
            reasons.append(outcome)
        else:
            events.update((event.id, event) for event in outcome)
    return reasons[0] if reasons and not events else list(events.values())


def left_out(kind: str, what: str | None) -> str:
    """Return the name of something that is left out; what is not written like a name counts as `other`."""
    told = (what or "").lower()
    return f"{kind}.{told if _CODE.fullmatch(told) else 'other'}"
