"""Reads the history of the decision records of a repository: every version of each, as a delivery."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from connectors.git.adr import PATTERNS, RecordBody
from connectors.git.command import run, text, tokens
from pipeline.events.errors import ConfigError

#: Of a longer record the beginning is read, where its status stands.
MAX_TEXT = 20_000


def read_records(path: Path) -> Iterator[RecordBody]:
    """Yield every version of every decision record: what each commit that touched one made of it.

    A repository whose present tree has none is not searched for old ones: that would walk through all of its trees.
    """
    if not _has_head(path):
        return
    named = tokens(path, ["ls-tree", "-r", "-z", "--name-only", "HEAD"])
    if not any(fnmatch(name, pattern) for name in map(text, named) for pattern in PATTERNS):
        return
    # A record that was renamed is read under both names; its number is its identity.
    flags = ["-z", "--no-renames", "--diff-filter=AM", "--format=/%H%x00%ct", "--name-only"]
    yield from _versions(path, tokens(path, ["log", *flags, "HEAD", "--", *PATTERNS]))


def _has_head(path: Path) -> bool:
    """Whether there is a present tree: HEAD may name a branch that has no commit."""
    try:
        return bool(run(path, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]))
    except ConfigError:
        return False


def _versions(path: Path, found: Iterator[bytes]) -> Iterator[RecordBody]:
    """Take (sha, time, names of the records it touched) from what git printed."""
    sha = at = ""
    for token in map(text, found):
        if token.startswith("/"):
            sha, at = token[1:], ""
        elif not at:
            at = token
        elif name := token.strip("\n"):
            content = text(run(path, ["show", f"{sha}:{name}"]))
            yield RecordBody(sha=sha, path=name, commit_date=int(at), text=content[:MAX_TEXT])
