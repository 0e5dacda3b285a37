"""Issue links: which of them block, and in which direction.

Jira describes a link once per side: `inward` ("is blocked by") is read from the issue that has an `inwardIssue`,
`outward` ("blocks") from the one that has an `outwardIssue`. A link in an issue carries exactly one of the two. Types
differ in which side waits: the outward side of *Blocks* holds up the other, the outward side of *Depends* ("depends
on") waits for it. So the phrase decides, and only a type with unknown phrases is read as *Blocks* is.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import NamedTuple, TypeGuard

from connectors.jira.settings import Settings
from pipeline.events.reading import Node

_is_key = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}-\d{1,18}").fullmatch


class Edge(NamedTuple):
    """`ticket` cannot go on without `blocked_by`."""

    ticket: str
    blocked_by: str


class Phrases(NamedTuple):
    """How this Jira says, case-folded, that an issue waits for another, and that it holds up another."""

    waits: AbstractSet[str]
    holds: AbstractSet[str]


def is_key(text: object) -> TypeGuard[str]:
    """Return whether a value is an issue key such as `GROW-12`."""
    return isinstance(text, str) and _is_key(text) is not None


def known_phrases(settings: Settings) -> Phrases:
    """Return the phrases of the settings."""
    return Phrases(settings.blocked_by_phrases, settings.blocks_phrases)


def learn_phrases(links: list[Node], settings: Settings) -> Phrases:
    """Return the phrases of the settings and those of the blocking types that an issue's own links name.

    A Jira in another language or with types of its own writes its changelog in these words.
    """
    waits, holds = set(settings.blocked_by_phrases), set(settings.blocks_phrases)
    for link in links:
        outward_waits = _outward_waits(link, settings)
        if outward_waits is not None:
            waits.add(_phrase(link, "outward" if outward_waits else "inward"))
            holds.add(_phrase(link, "inward" if outward_waits else "outward"))
    return Phrases(waits - {""}, holds - {""})


def linked(key: str, links: list[Node], settings: Settings) -> list[Edge]:
    """Return the dependencies among the `issuelinks` of the issue `key`."""
    edges = []
    for link in links:
        outward_waits = _outward_waits(link, settings)
        if outward_waits is None:
            continue
        for side in ("inward", "outward"):
            other = link.text_or_none(f"{side}Issue", "key")
            if other is not None and other != key and is_key(other):
                waits = outward_waits == (side == "outward")
                edges.append(Edge(key, other) if waits else Edge(other, key))
    return edges


def edge_in_text(key: str, text: str | None, phrases: Phrases) -> Edge | None:
    """Return the dependency of `key` that a changelog text such as "This issue is blocked by GROW-7" tells, or None."""
    said, _, other = (text or "").strip().rpartition(" ")
    if not is_key(other) or other == key:
        return None
    said = " " + said.casefold()
    if any(said.endswith(" " + phrase) for phrase in phrases.waits):
        return Edge(key, other)
    if any(said.endswith(" " + phrase) for phrase in phrases.holds):
        return Edge(other, key)
    return None


def _phrase(link: Node, side: str) -> str:
    return (link.text_or_none("type", side) or "").strip().casefold()


def _outward_waits(link: Node, settings: Settings) -> bool | None:
    """Whether the outward side of a link's type waits for the other; None: not a blocking type."""
    inward, outward = _phrase(link, "inward"), _phrase(link, "outward")
    if outward in settings.blocked_by_phrases or inward in settings.blocks_phrases:
        return True
    if outward in settings.blocks_phrases or inward in settings.blocked_by_phrases:
        return False
    name = (link.text_or_none("type", "name") or "").strip().casefold()
    return False if name in settings.blocking_link_types else None
