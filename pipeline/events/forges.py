"""Repositories: what the connectors of code forges (GitHub, GitLab, Gitea, Bitbucket) must do alike.

Connectors say where a payload holds what. Here is how that becomes events, so that a pull request or a commit is told
in the same way wherever it lives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

from pipeline.events import references
from pipeline.events.coordination import ReviewRequest
from pipeline.events.deploying import Source
from pipeline.events.envelope import Event
from pipeline.events.reading import Node
from pipeline.events.types import (
    ArtifactPublished,
    BranchUpdated,
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
    CommitRecorded,
    Payload,
    Ref,
    RefVia,
)

(RECORDED,) = CommitRecorded.TYPES
(BRANCH_UPDATED,) = BranchUpdated.TYPES
(PUBLISHED,) = ArtifactPublished.TYPES
(CREATED,) = ChangeCreated.TYPES
(UPDATED,) = ChangeUpdated.TYPES
(REVIEWED,) = ChangeReviewed.TYPES
(MERGED,) = ChangeMerged.TYPES
(ABANDONED,) = ChangeAbandoned.TYPES
REVIEW_ASKED, REVIEW_WITHDRAWN = ReviewRequest.TYPES

Verdict = Literal["approved", "changes_requested", "commented", "dismissed"]

#: Longer titles are pasted text; forges allow some hundred characters, a commit message any number.
MAX_TITLE = 500
MAX_PATHS = 300
HEADS = "refs/heads/"
TAGS = "refs/tags/"

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Repository(msgspec.Struct, frozen=True):
    """A repository: `host` is its forge, with the relative URL if it has one; `name` is `owner/repo`, or deeper."""

    host: str
    name: str

    @property
    def source(self) -> str:
        """The source of all events of the repository: the address of its page."""
        return f"{self.host}/{self.name}"

    def numbered(self, number: int) -> str:
        """Return the id of an issue or a pull request."""
        return f"{self.name}#{number}"

    def mentions(self, text: str | None, via: RefVia) -> list[Ref]:
        """Return what a text in the repository mentions; a bare `#7` is an issue of its own."""
        return references.in_text(text, via, self.name)

    def event(self, event_type: str, at: datetime, subject: str, data: Payload, *told: object) -> Event:
        """Return an event whose id covers type, subject, time and content, and `told` where two may share all that."""
        return Source(self.source, self.name).event(event_type, at, subject, data, *told)

    def created(self, change: str, at: datetime, author: str | None, assistant: str | None = None) -> Event:
        """Return that a change was proposed; `author` is a pseudonym, `assistant` the one whose account that is."""
        data = ChangeCreated(repo=self.name, change=change, created_at=at, author=author, assistant=assistant)
        return self.event(CREATED, at, change, data)

    def merged(self, change: str, at: datetime, sha: str | None) -> Event:
        """Return that a change was merged as `sha`."""
        return self.event(MERGED, at, change, ChangeMerged(repo=self.name, change=change, merge_sha=sha))

    def abandoned(self, change: str, at: datetime) -> Event:
        """Return that a change was closed without a merge."""
        return self.event(ABANDONED, at, change, ChangeAbandoned(repo=self.name, change=change))

    def review_request(
        self, event_type: str, change: str, at: datetime, *, team: str | None = None, reviewer: str | None = None
    ) -> Event:
        """Return that a review was asked for or is no longer asked (`REVIEW_ASKED`, `REVIEW_WITHDRAWN`)."""
        data = ReviewRequest(repo=self.name, change=change, team=team, reviewer=reviewer)
        return self.event(event_type, at, change, data)

    def change_refs(
        self, title: str | None, body: str | None, branch: str | None, labels: Sequence[str] = ()
    ) -> list[Ref]:
        """Return what a change refers to, by its texts, its branch and its labels."""
        return references.merge(
            self.mentions(title, "title"),
            self.mentions(body, "body"),
            references.in_branch(branch),
            references.in_labels(labels),
        )


def existing(sha: str | None) -> str | None:
    """Return a sha; None for the zeros that git writes for a branch that is not there."""
    return sha if sha and sha.strip("0") else None


def first_line(message: str | None) -> str:
    """Return the title of a commit message."""
    return next(iter((message or "").strip().splitlines()), "")[:MAX_TITLE]


def left_out(kind: str, what: str | None) -> str:
    """Return the name of something that is left out; what is not written like a name counts as `other`."""
    return f"{kind}.{what if what and _CODE.fullmatch(what) else 'other'}"


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a name, whatever its case, is one of the case-folded patterns, in which `*` is any text."""
    return any(fnmatchcase(name.casefold(), pattern) for pattern in patterns)


def commit_times(commits: Sequence[Node]) -> Mapping[str, datetime]:
    """Return sha -> time of the commits that a push lists."""
    return {commit.text("id"): commit.moment("timestamp") for commit in commits}


def moved_at(times: Mapping[str, datetime], after: str) -> datetime:
    """Return when a push that is not dated moved a branch: when the commit that it now ends in was made.

    Where that one is not listed it is the youngest of `times`, of which there must be one.
    """
    return times.get(after) or max(times.values())


def commit_assistant(message: str | None, name: str | None, address: str | None) -> str | None:
    """Return the coding assistant that made a commit, by its author's name and address, or helped, by its message."""
    return references.assistant_signature(name, address) or references.assistant_in(message)


def pushed_commit(commit: Node, repo: Repository, author: str | None) -> Event:
    """Return a commit as a push lists it: with one date, and with the paths that it changed.

    GitHub, GitLab and Gitea write it alike but for its author.
    """
    at, message = commit.moment("timestamp"), commit.text_or_none("message")
    changed = {path for field in ("added", "removed", "modified") for path in commit.texts(field)}
    data = CommitRecorded(
        repo=repo.name,
        sha=commit.text("id"),
        authored_at=at,
        committed_at=at,
        title=first_line(message),
        author=author,
        assistant=commit_assistant(
            message, commit.text_or_none("author", "name"), commit.text_or_none("author", "email")
        ),
        refs=references.merge(repo.mentions(message, "commit")),
        paths=sorted(changed)[:MAX_PATHS] if changed else None,
    )
    return repo.event(RECORDED, at, data.sha, data)


def listed_commit(item: Node, repo: Repository, author: str | None) -> Event:
    """Return an item of a page of commits, which tells the parents and both dates: GitHub's, and Gitea's after it."""
    message, at = item.text_or_none("commit", "message"), item.moment("commit", "committer", "date")
    paths = sorted({file.text("filename") for file in item.items("files")})
    data = CommitRecorded(
        repo=repo.name,
        sha=item.text("sha"),
        authored_at=item.moment_or_none("commit", "author", "date") or at,
        committed_at=at,
        parents=[parent.text("sha") for parent in item.items("parents")],
        title=first_line(message),
        author=author,
        assistant=commit_assistant(
            message, item.text_or_none("commit", "author", "name"), item.text_or_none("commit", "author", "email")
        ),
        refs=references.merge(repo.mentions(message, "commit")),
        paths=paths[:MAX_PATHS] or None,
    )
    return repo.event(RECORDED, at, data.sha, data)


def release_published(item: Node, repo: Repository, at: datetime) -> Event:
    """Return a release as GitHub writes it, and Gitea after it."""
    tag, target = item.text("tag_name"), item.text_or_none("target_commitish") or ""
    data = ArtifactPublished(
        repo=repo.name,
        tag=tag,
        # Mostly a branch, which has moved on since.
        sha=target if _SHA.fullmatch(target) else None,
        version=version_of(tag),
        prerelease=item.flag("prerelease"),
        url=item.text_or_none("html_url"),
    )
    return repo.event(PUBLISHED, at, f"{repo.name}@{tag}", data)


def version_of(tag: str) -> str:
    """Return the version that a tag names: `v1.2` is `1.2`."""
    return re.sub(r"^v(?=\d)", "", tag)
