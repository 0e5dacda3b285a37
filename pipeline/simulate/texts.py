"""Texts: what a change says of itself, in which the references are found as they are in real ones."""

from __future__ import annotations

import msgspec

from pipeline.events import references
from pipeline.events.types import Ref
from pipeline.simulate.chance import Chance

_VERBS = ("Add", "Repair", "Simplify", "Speed up", "Remove", "Document")
_OBJECTS = ("retries", "the empty state", "audit records", "rate limits", "a filter", "bulk import", "the cache")


class Text(msgspec.Struct, frozen=True):
    """Title, branch and labels of a change, the references in them and in its body, and those of its commits."""

    title: str
    branch: str
    labels: list[str]
    refs: list[Ref]
    commit_refs: list[Ref]


def phrase(chance: Chance) -> str:
    """Return what a change is about, without a reference."""
    return f"{chance.pick(_VERBS)} {chance.pick(_OBJECTS)}"


def unlinked(chance: Chance, repo: str) -> Text:
    """A change that mentions nothing."""
    title = phrase(chance)
    return _text(repo, title, f"tidy/{_slug(title)}", "Small things on the way.", [])


def hotfix(chance: Chance, repo: str, incident: str | None) -> Text:
    """A change that puts out a fire: its branch says so, perhaps its label, and its body names the incident."""
    title = f"Fix {phrase(chance).lower()}"
    body = f"It was on fire.\n\nIncident: {incident}" if incident else "It was on fire."
    return _text(repo, title, f"hotfix/{_slug(title)}", body, ["hotfix"] if chance.happens(0.5) else [])


def linked(chance: Chance, repo: str, key: str, initiative: str, label: str) -> Text:
    """A change for a ticket, which it mentions in its title, branch or body; some say the initiative outright."""
    title, way = phrase(chance), chance.whole(1, 10)
    branch = f"feature/{key.lower()}-{_slug(title)}" if way in (5, 6, 7) else f"feature/{_slug(title)}"
    body = f"Closes {key}." if way in (8, 9, 10) else "As discussed."
    if way == 9:
        body += f"\n\nInitiative: {initiative}"
    return _text(repo, f"{key} {title}" if way < 5 else title, branch, body, [label] if way == 10 else [])


def ambiguous(chance: Chance, repo: str, key: str, other: str) -> Text:
    """A change that serves two tickets at once."""
    title = phrase(chance)
    return _text(repo, f"{key}, {other}: {title}", f"feature/{_slug(title)}", "", [])


def for_ticket(chance: Chance, repo: str, key: str) -> Text:
    """A change whose one link is the ticket in its title."""
    title = phrase(chance)
    return _text(repo, f"{key} {title}", f"feature/{_slug(title)}", "", [])


def _slug(title: str) -> str:
    return title.lower().replace(" ", "-")


def _text(repo: str, title: str, branch: str, body: str, labels: list[str]) -> Text:
    in_title = references.in_text(title, "title", repo)
    refs = references.merge(
        in_title, references.in_text(body, "body", repo), references.in_branch(branch), references.in_labels(labels)
    )
    return Text(
        title=title,
        branch=branch,
        labels=labels,
        refs=refs,
        commit_refs=references.merge(references.in_text(title, "commit", repo)) if in_title else [],
    )
