"""Reads a repository through the git command, as a stream of deliveries.

What git prints is separated by NUL, which neither a message nor a path can hold; a commit begins with `/`, with which
no path begins. People are pseudonymised here, before anything is stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from connectors.git.command import run, text, tokens
from connectors.git.options import ReadOptions
from connectors.git.records import read_records
from connectors.git.translate import MAX_PATH, MAX_PATHS, REPO_HEADER, CommitBody, TagBody
from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError
from pipeline.events.forges import commit_assistant
from pipeline.events.ids import pseudonym

_COMMIT_FORMAT = "/%H%x00%P%x00%at%x00%ct%x00%aN%x00%aE%x00%s%x00%b"
_COMMIT_FIELDS = 8
_TAG_FORMAT = "%00".join(
    f"%({field})"
    for field in (
        *("refname", "objecttype", "objectname", "*objecttype", "*objectname"),
        *("taggerdate:unix", "creatordate:unix"),
    )
)
# References that hold no history: a stash and notes are nobody's delivery.
_REFS = ("--exclude=refs/stash", "--exclude=refs/notes/*", "--all")
#: Longer bodies keep their beginning and their end, where trailers stand.
MAX_BODY = 8_000
_TAIL = 2_000

_person_line = re.compile(r"^[ \t]*(?:[a-z-]+-by|reviewers?|authors?|cc)[ \t]*:.*$\n?", re.IGNORECASE | re.MULTILINE)
# The last label of a domain has letters only, so that `lodash@4.17.21` is none.
_address = re.compile(r"[^\s<>@]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}(?![\w/-])")
_remote_path = re.compile(r"(?:\w[\w+.-]*://[^/]+/|[^/\\]+:(?!//|\\))(?P<path>.+)")


def is_repository(path: Path) -> bool:
    """Return whether `path` is a work tree's top or a bare repository."""
    return (path / ".git").exists() or ((path / "HEAD").is_file() and (path / "objects").is_dir())


def read_repository(path: Path, options: ReadOptions) -> Iterator[Delivery]:
    """Yield one delivery for each commit that a reference reaches, each tag, and each version of a decision record.

    Raises `ConfigError` when git is missing, when `path` is no repository or git refuses to read it.
    """
    repo = options.repo or repository_name(path)
    shallow = _shallow_edge(path)
    flags = ["-z", "--no-show-signature", "--encoding=UTF-8", f"--format={_COMMIT_FORMAT}"]
    flags += ["--name-only", "--no-renames"] if options.paths else ["--no-patch"]
    revisions = [*_REFS, *(f"^{_excluded(path, revision)}" for revision in options.exclude)]
    with_paths = "+paths" if options.paths else ""
    for body in _commits(tokens(path, ["log", *flags, *revisions]), shallow, options):
        yield _delivery("commit", f"{repo}@{body.sha}{with_paths}", {REPO_HEADER: repo}, body, options.received_at)
    for tag in _tags(path):
        delivery_id = options.tag_id(repo, tag.tag, tag.tag_object or tag.commit or tag.object_type)
        yield _delivery("tag", delivery_id, options.tag_headers(repo), tag, options.received_at)
    for record in read_records(path):
        record.text = without_people(record.text)
        yield _delivery(
            "record", f"{repo}:{record.path}@{record.sha}", {REPO_HEADER: repo}, record, options.received_at
        )


def _delivery(
    kind: str, delivery_id: str, headers: dict[str, str], body: msgspec.Struct, received_at: datetime
) -> Delivery:
    return Delivery(
        connector="git",
        id=delivery_id,
        kind=kind,
        received_at=received_at,
        body=msgspec.json.encode(body),
        headers=headers,
    )


def _commits(found: Iterator[bytes], shallow: frozenset[str], options: ReadOptions) -> Iterator[CommitBody]:
    token = next(found, None)
    while token is not None:
        fields = [token, *(next(found, b"") for _ in range(_COMMIT_FIELDS - 1))]
        paths: list[str] | None = [] if options.paths else None
        token = next(found, None)
        while token is not None and not token.startswith(b"/"):
            if paths is not None and len(paths) < MAX_PATHS and token.strip(b"\n"):
                paths.append(text(token.removeprefix(b"\n"))[:MAX_PATH])
            token = next(found, None)
        yield _commit_body([text(field) for field in fields], paths, shallow, options.actor_key)


def _commit_body(fields: list[str], paths: list[str] | None, shallow: frozenset[str], key: bytes) -> CommitBody:
    marked, parents, authored, committed, name, author, subject, body = fields
    sha = marked[1:]
    return CommitBody(
        sha=sha,
        author_date=_seconds(authored),
        commit_date=_seconds(committed),
        parents=None if sha in shallow else parents.split(),
        subject=without_people(subject),
        body=without_people(body),
        author=pseudonym(author, key),
        paths=paths,
        assistant=commit_assistant(body, name, author),
    )


def without_people(text: str) -> str:
    """Return a message without lines that name people (`Signed-off-by:`), addresses masked, cut to size."""
    kept = _address.sub("(address)", _person_line.sub("", text)).strip()
    return kept if len(kept) <= MAX_BODY else f"{kept[: MAX_BODY - _TAIL]}\n{kept[-_TAIL:]}"


def _tags(path: Path) -> Iterator[TagBody]:
    for line in run(path, ["for-each-ref", "refs/tags", f"--format={_TAG_FORMAT}"]).splitlines():
        name, kind, sha, inner_kind, inner_sha, tagged, created = text(line).split("\0")
        annotated = kind == "tag"
        commit = inner_sha if inner_kind == "commit" else None
        if inner_kind == "tag":
            commit = _commit_below(path, sha)
        yield TagBody(
            tag=name.removeprefix("refs/tags/"),
            object_type=kind,
            tag_object=sha if annotated else None,
            commit=commit if annotated else (sha if kind == "commit" else None),
            tagger_date=_seconds(tagged) if tagged else None,
            creator_date=_seconds(created) if created else None,
        )


def _resolve(path: Path, revision: str) -> str:
    """Return the sha of the commit that a revision leads to."""
    return text(run(path, ["rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}"])).strip()


def _excluded(path: Path, revision: str) -> str:
    try:
        return _resolve(path, revision)
    except ConfigError as error:
        raise ConfigError(f"{path}: {revision!r} leads to no commit; exclude a branch, a tag or a commit") from error


def _commit_below(path: Path, tag_object: str) -> str | None:
    """Return the commit below a tag of a tag; None if something else lies below."""
    try:
        return _resolve(path, tag_object)
    except ConfigError:
        return None


def repository_name(path: Path) -> str:
    """Return `owner/name` from the remote `origin`, else the name of the folder."""
    url = text(run(path, ["config", "--default", "", "--get", "remote.origin.url"])).strip()
    found = _remote_path.fullmatch(url)
    if found:
        return found["path"].strip("/").removesuffix(".git")
    top = path.resolve()
    return (top.parent if top.name == ".git" else top).name.removesuffix(".git") or "repository"


def _shallow_edge(path: Path) -> frozenset[str]:
    """Return the commits at which a shallow clone was cut: git shows them without the parents that they have."""
    name = Path(text(run(path, ["rev-parse", "--git-path", "shallow"])).strip())
    edge = path / name
    return frozenset(edge.read_text(encoding="ascii").split()) if edge.is_file() else frozenset()


def _seconds(text: str) -> int | str:
    """What is no number stays as it is and is quarantined at translation rather than lost here."""
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 20 else text
