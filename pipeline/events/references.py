"""References: what a text mentions. A mention is a candidate; identity decides later whether such a thing exists.

So a lookalike (`UTF-8`, `KIP-101`) or a typo (`KAKFA-1`) costs nothing but a candidate that resolves to nothing,
and no list of known projects has to be kept here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.events.types import Ref, RefVia

#: More mentions than this in one text are a pasted list, not a link.
MAX_REFS = 20

# A key is not part of a longer word, path or number: CVE-2026-1234 and v1.ABC-1.2 are none; a tracker's link has one.
_KEY = re.compile(r"(?:(?<![\w./-])|(?<=/browse/))([A-Z][A-Z0-9_]{1,19}-[1-9]\d{0,8})(?![\w-]|\.\d)")
_BRANCH_KEY = re.compile(r"(?:^|[/_-])([A-Za-z][A-Za-z0-9]{1,19}-[1-9]\d{0,8})(?=$|[/_-])")
_NUMBER = re.compile(r"(?<![\w/&])(?:([\w.-]+/[\w.-]+))?#([1-9]\d{0,8})\b")
_GITHUB_URL = re.compile(r"https?://[\w.-]+/([\w.-]+/[\w.-]+)/(?:-/)?issues/([1-9]\d{0,8})\b")
_TRAILER = re.compile(
    r"^[ \t]*(initiative|incident)s?[ \t]*:[ \t]*(\S[^\r\n]{0,199})\r?$", re.IGNORECASE | re.MULTILINE
)
_MAX_TEXT = 20_000


def in_text(text: str | None, via: RefVia, repo: str | None = None) -> list[Ref]:
    """Return the tickets that a text mentions, and the names in its `Initiative:` and `Incident:` lines.

    `#12` means an issue of `repo` and is left out when `repo` is None. Order is that of the text; each once; at most
    `MAX_REFS`. Reads the first 20,000 characters and the last 2,000, where trailers stand.
    """
    if not text:
        return []
    if len(text) > _MAX_TEXT:
        text = text[:_MAX_TEXT] + "\n" + text[-2_000:]
    found: dict[Ref, None] = {}
    for kind, names in _TRAILER.findall(text):
        for name in names.split(","):
            if name.strip():
                found[Ref("initiative" if kind.lower() == "initiative" else "incident", name.strip(), "trailer")] = None
    for key in _KEY.findall(text):
        found[Ref("ticket", key, via)] = None
    for other, number in _GITHUB_URL.findall(text):
        found[Ref("ticket", f"{other}#{number}", via)] = None
    for other, number in _NUMBER.findall(text):
        if other or repo:
            found[Ref("ticket", f"{other or repo}#{number}", via)] = None
    return list(found)[:MAX_REFS]


def in_branch(branch: str | None) -> list[Ref]:
    """Return the ticket keys in a branch name, whatever their case: `feature/grow-12-faster` mentions `GROW-12`."""
    if not branch:
        return []
    return [Ref("ticket", key.upper(), "branch") for key in dict.fromkeys(_BRANCH_KEY.findall(branch[:500]))][:MAX_REFS]


def in_labels(labels: Iterable[str]) -> list[Ref]:
    """Return one reference for each label."""
    return [Ref("label", label, "label") for label in dict.fromkeys(labels) if label][:100]


def merge(*groups: Iterable[Ref]) -> list[Ref]:
    """Return all references of `groups`, each once, sorted, so that the same mentions always make the same list."""
    return sorted({ref for group in groups for ref in group})
