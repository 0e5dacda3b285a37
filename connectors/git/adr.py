"""Decision records kept as Markdown files: what one version of a record says. Pure.

Two forms are read: MADR (https://adr.github.io/madr), whose status stands in front matter, and that of Michael Nygard
(`## Status`, then a word). A front matter may also name `category`, `approvers`, `from`, `to`, `needed-by`,
`initiative` and `ticket`, which no form knows; `deciders` are people and are not read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Literal

import msgspec
import yaml

from pipeline.events.coordination import DecisionEvent
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.ids import event_id
from pipeline.events.references import in_text, merge
from pipeline.events.types import Ref

REQUESTED, DECIDED, SUPERSEDED, REVERSED = DecisionEvent.TYPES
#: Where records are looked for, as `fnmatch` and git understand patterns: `*` spans folders.
PATTERNS = ("*docs/adr/*.md", "*docs/decisions/*.md", "*doc/adr/*.md", "*docs/architecture/decisions/*.md", "adr/*.md")
_MAX_TITLE = 500

_front_matter = re.compile(r"\A---[ \t]*\r?\n(?P<yaml>.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)
_status_heading = re.compile(r"^#{2,3}[ \t]+Status[ \t]*\r?\n+(?P<status>[^\r\n#]+)", re.IGNORECASE | re.MULTILINE)
_status_line = re.compile(
    r"^[*-]?[ \t]*(?:\*\*)?Status(?:\*\*)?[ \t]*:[ \t]*(?P<status>[^\r\n]+)", re.IGNORECASE | re.MULTILINE
)
_title = re.compile(r"^#[ \t]+(?P<title>[^\r\n]+)", re.MULTILINE)
_number = re.compile(r"(\d{1,6})")
_link = re.compile(r"\[[^\]]*\]\((?P<path>[^)]*)\)|\b(?:ADR[- ]?)?(?P<number>\d{1,6})\b", re.IGNORECASE)

Verdict = Literal["asked", "accepted", "rejected", "superseded", "reversed"]
_WORDS: Mapping[str, Verdict] = {
    "draft": "asked",
    "proposed": "asked",
    "proposal": "asked",
    "pending": "asked",
    "in review": "asked",
    "accepted": "accepted",
    "approved": "accepted",
    "decided": "accepted",
    "implemented": "accepted",
    "rejected": "rejected",
    "declined": "rejected",
    "superseded": "superseded",
    "superceded": "superseded",
    "replaced": "superseded",
    "deprecated": "reversed",
    "reversed": "reversed",
    "withdrawn": "reversed",
}


class RecordBody(msgspec.Struct, kw_only=True):
    """One version of a decision record: the file at `path` as commit `sha` left it."""

    sha: str
    path: str
    commit_date: str | int
    text: str


def record_events(repo: str, body: RecordBody, at: datetime, template: str, source: str) -> list[Event]:
    """Return what a version of a record tells; nothing if it has no status, such as a template or an index.

    Raises `Quarantined` for a status that is none of the known words.
    """
    given = _given(body)
    status = _status(given, body)
    if status is None:
        return []
    verdict, rest = status
    identity = _identity(template, repo, body.path)
    told = _title.search(body.text)
    data = DecisionEvent(
        decision=identity,
        title=told["title"].strip()[:_MAX_TITLE] if told else "",
        category=_text(given, "category"),
        outcome=verdict if verdict in ("accepted", "rejected") else None,
        approvers=_texts(given, "approvers"),
        by=_successor(rest, template, repo) if verdict in ("superseded", "reversed") else None,
        from_team=_text(given, "from"),
        to_team=_text(given, "to"),
        needed_by=_instant(given, "needed-by", body),
        ticket=_text(given, "ticket"),
        refs=_refs(given, body, repo),
    )
    kind = {"asked": REQUESTED, "superseded": SUPERSEDED, "reversed": REVERSED}.get(verdict, DECIDED)
    content = msgspec.json.encode(data).decode()
    return [
        Event(
            id=event_id(kind, at.isoformat(), content),
            source=source,
            type=kind,
            time=at,
            subject=identity,
            partitionkey=identity,
            data=data,
        )
    ]


def _given(body: RecordBody) -> Mapping[str, Any]:
    found = _front_matter.match(body.text)
    if found is None:
        return {}
    try:
        given = yaml.safe_load(found["yaml"])
    except yaml.YAMLError as error:
        raise Quarantined("bad_value", f"{body.path}: the front matter is no YAML: {error}") from error
    return {str(name).lower(): value for name, value in given.items()} if isinstance(given, dict) else {}


def _status(given: Mapping[str, Any], body: RecordBody) -> tuple[Verdict, str] | None:
    """Return the verdict and what follows it, such as the record that took its place."""
    told = given.get("status")
    if told is None:
        found = _status_heading.search(body.text) or _status_line.search(body.text)
        told = None if found is None else found["status"]
    if told is None:
        return None
    words = str(told).strip().strip("*_`{}").strip()
    if not words or "|" in words:  # the choice that a template offers
        return None
    lower = words.lower()
    for word in sorted(_WORDS, key=len, reverse=True):
        if lower.startswith(word):
            return _WORDS[word], words[len(word) :]
    raise Quarantined("bad_value", f"{body.path}: status is {words[:80]!r}; known are {', '.join(sorted(_WORDS))}")


def _identity(template: str, repo: str, path: str) -> str:
    name = path.rpartition("/")[2].removesuffix(".md")
    found = _number.search(name)
    number = str(int(found[1])) if found else name
    return template.replace("{repo}", repo).replace("{number}", number).replace("{name}", name)


def _successor(rest: str, template: str, repo: str) -> str | None:
    """Return the record that the words after the status name, by a link to its file or by its number."""
    found = _link.search(rest)
    if found is None:
        return None
    return _identity(template, repo, found["path"] if found["path"] is not None else f"{found['number']}.md")


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    return str(value).strip() or None if isinstance(value, str | int) else None


def _texts(given: Mapping[str, Any], name: str) -> list[str]:
    value = given.get(name)
    listed = value if isinstance(value, list) else str(value).split(",") if value else []
    return sorted({text for each in listed if (text := str(each).strip()) and "@" not in text})


def _instant(given: Mapping[str, Any], name: str, body: RecordBody) -> datetime | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value).strip())
    except ValueError as error:
        raise Quarantined("bad_value", f"{body.path}: {name} is {str(value)[:40]!r}; expected a date") from error
    return datetime.combine(day, time(), UTC)


def _refs(given: Mapping[str, Any], body: RecordBody, repo: str) -> list[Ref]:
    named = [Ref("initiative", each, "field") for each in _texts(given, "initiative")]
    return merge(named, in_text(body.text, "body", repo))
