"""Reads recorded histories: `<owner>__<name>.commits.jsonl(.gz)` and `<owner>__<name>.tags.jsonl(.gz)`.

One JSON object a line, of the shapes `CommitBody` and `TagBody`. A line is passed on as it is: one that cannot be read
is quarantined at translation, not lost here.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from connectors.git.options import ReadOptions
from connectors.git.translate import REPO_HEADER
from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError

_name = re.compile(r"(?P<repo>.+?)\.(?P<kind>commits|tags)\.jsonl(?P<gz>\.gz)?")


class _CommitKey(msgspec.Struct):
    sha: str


class _TagKey(msgspec.Struct):
    tag: str
    object_type: str = "commit"
    tag_object: str | None = None
    commit: str | None = None


_commit_key = msgspec.json.Decoder(_CommitKey)
_tag_key = msgspec.json.Decoder(_TagKey)


def is_history(path: Path) -> bool:
    """Return whether the file's name is that of a recorded history."""
    return _name.fullmatch(path.name) is not None


def history_name(path: Path) -> str:
    """Return the repository that the name of a recorded history tells (`apache__kafka`: `apache/kafka`)."""
    found = _name.fullmatch(path.name)
    return found["repo"].replace("__", "/", 1) if found else path.name


def read_history(path: Path, options: ReadOptions) -> Iterator[Delivery]:
    """Yield one delivery for each line. The repository is `options.repo`, else `history_name`.

    Raises `ConfigError` when the name is of another pattern, or the file is unreadable or damaged; what came before the
    damage has been yielded.
    """
    found = _name.fullmatch(path.name)
    if found is None:
        raise ConfigError(
            f"{path}: not a recorded history; the name of one ends in .commits.jsonl or .tags.jsonl, or either with .gz"
        )
    repo = options.repo or history_name(path)
    kind = "commit" if found["kind"] == "commits" else "tag"
    headers = {REPO_HEADER: repo} if kind == "commit" else options.tag_headers(repo)
    lines_read = 0
    try:
        with gzip.open(path) if found["gz"] else path.open("rb") as lines:
            for line in lines:
                lines_read += 1
                if body := line.strip():
                    yield Delivery(
                        connector="git",
                        id=_delivery_id(kind, repo, body, options),
                        kind=kind,
                        received_at=options.received_at,
                        body=body,
                        headers=headers,
                    )
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigError(
            f"{path}: unreadable after line {lines_read}: {error}; fetch or export the file again"
        ) from error


def _delivery_id(kind: str, repo: str, line: bytes, options: ReadOptions) -> str:
    """The id that `repository` gives the same commit or tag; a hash of the line where that cannot be read."""
    try:
        commit = _commit_key.decode(line) if kind == "commit" else None
        tag = None if commit else _tag_key.decode(line)
    except (ValueError, RecursionError):
        return f"{repo}#{hashlib.blake2b(line, digest_size=16).hexdigest()}"
    if tag is not None:
        return options.tag_id(repo, tag.tag, tag.tag_object or tag.commit or tag.object_type)
    return f"{repo}@{commit.sha if commit else ''}"
