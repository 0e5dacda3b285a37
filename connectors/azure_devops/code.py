"""Azure Repos: pushes, pull requests, votes and comments."""

from __future__ import annotations

import re
from datetime import datetime

from connectors.azure_devops import reviewers
from connectors.azure_devops.place import branch, repository_of, source, urls_of
from pipeline.events import references
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome, Source
from pipeline.events.envelope import Event
from pipeline.events.forges import (
    ABANDONED,
    BRANCH_UPDATED,
    CREATED,
    HEADS,
    MAX_TITLE,
    MERGED,
    RECORDED,
    REVIEWED,
    UPDATED,
    commit_assistant,
    existing,
)
from pipeline.events.reading import Node
from pipeline.events.types import (
    BranchUpdated,
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
    CommitRecorded,
    Ref,
    RefVia,
)

#: Boards calls its work items `AB#12` wherever the code is hosted; in Azure Repos a bare `#12` means the same.
_WORK_ITEM = re.compile(r"(?<![\w/&])(?:AB)?#([1-9]\d{0,8})\b")


def work_items(text: str | None, via: RefVia) -> list[Ref]:
    """Return the work items, the tracker keys and the trailers that a text mentions."""
    found = [Ref("ticket", f"AB#{number}", via) for number in _WORK_ITEM.findall((text or "")[:20_000])]
    return [*references.in_text(text, via), *found[: references.MAX_REFS]]


def person(node: Node, context: Context) -> str | None:
    """Return the pseudonym of an identity; a field of a work item may be its text `Name <address>`."""
    if isinstance(node.value, str):
        found = re.search(r"<([^<>]+)>", node.value)
        return context.actor(found[1] if found else node.value)
    if node.value is None:
        return None
    return context.actor(node.text_or_none("uniqueName") or node.text_or_none("id") or node.text_or_none("displayName"))


def push(root: Node, context: Context) -> Outcome:
    """Hook `git.push`. Commits belong to a branch only when the push moved no other."""
    told = root.child("resource")
    repo = repository_of(told.child("repository"))
    at = told.moment_or_none("date") or root.moment("createdDate")
    where = source(context, repo, *urls_of(told), *urls_of(told.child("repository")))
    updates, commits = told.items("refUpdates"), told.items("commits")
    events = [recorded(item, repo, where, context) for item in commits if item.has("author") or item.has("committer")]
    heads = [update for update in updates if update.text("name").startswith(HEADS)]
    listed = [item.text("commitId") for item in commits] if len(updates) == 1 else []
    for update in heads:
        name = update.text("name").removeprefix(HEADS)
        data = BranchUpdated(
            repo=repo,
            branch=name,
            before=existing(update.text_or_none("oldObjectId")),
            after=existing(update.text_or_none("newObjectId")),
            commits=listed,
            distinct=listed,
        )
        events.append(where.event(BRANCH_UPDATED, at, f"{repo}/tree/{name}", data))
    return events or ("git.push.tag" if updates else "git.push.empty")


def recorded(item: Node, repo: str, where: Source, context: Context) -> Event:
    """Return a commit, as a push or a pull request lists it."""
    message = item.text_or_none("comment")
    authored = item.moment_or_none("author", "date") or item.moment("committer", "date")
    data = CommitRecorded(
        repo=repo,
        sha=item.text("commitId"),
        authored_at=authored,
        committed_at=item.moment_or_none("committer", "date") or authored,
        parents=item.texts("parents") if item.has("parents") else None,
        title=(message or "").split("\n", 1)[0].strip()[:MAX_TITLE],
        author=context.actor(item.text_or_none("author", "email") or item.text_or_none("author", "name")),
        assistant=commit_assistant(message, item.text_or_none("author", "name"), item.text_or_none("author", "email")),
        refs=references.merge(work_items(message, "commit")),
    )
    return where.event(RECORDED, data.committed_at, data.sha, data)


def pull_request(root: Node, context: Context) -> Outcome:
    """Hooks `git.pullrequest.*`: whatever happened, the body holds the pull request as it now stands.

    `git.pullrequest.merged` only says that a merge was tried: the status tells whether the request is completed.
    """
    pull, at = root.child("resource"), root.moment_or_none("createdDate")
    return [*snapshot(pull, context, at), *reviewers.shown(pull, root.text_or_none("eventType"), at, context)]


def snapshot(pull: Node, context: Context, at: datetime | None = None, *, votes: bool = True) -> list[Event]:
    """Return all that a pull request tells of itself, as of `at`; a page of the REST API has no such time.

    `votes` False: what was voted is told elsewhere.
    """
    repo = repository_of(pull.child("repository"))
    where = source(context, repo, *urls_of(pull), *urls_of(pull.child("repository")))
    change, created_at = f"{repo}#{pull.integer('pullRequestId')}", pull.moment("creationDate")
    status, closed_at = (pull.text_or_none("status") or "").lower(), pull.moment_or_none("closedDate")
    created = ChangeCreated(
        repo=repo,
        change=change,
        created_at=created_at,
        author=person(pull.at("createdBy"), context),
        assistant=references.assistant_signature(
            pull.text_or_none("createdBy", "displayName"), pull.text_or_none("createdBy", "uniqueName")
        ),
    )
    events = [where.event(CREATED, created_at, change, created)]
    seen_at = at or closed_at
    updated = _looks(pull, repo, change, closed=status in {"completed", "abandoned"})
    events.append(where.event(UPDATED, seen_at or created_at, change, updated))
    if seen_at is not None and votes:
        events += _votes(pull, repo, change, where, context, seen_at)
    ended_at = closed_at or at
    if status == "completed" and ended_at is not None:
        merged = ChangeMerged(repo=repo, change=change, merge_sha=pull.text_or_none("lastMergeCommit", "commitId"))
        events.append(where.event(MERGED, ended_at, change, merged))
    elif status == "abandoned" and ended_at is not None:
        events.append(where.event(ABANDONED, ended_at, change, ChangeAbandoned(repo=repo, change=change)))
    return events


def _looks(pull: Node, repo: str, change: str, *, closed: bool) -> ChangeUpdated:
    title, head = pull.text_or_none("title"), branch(pull.text_or_none("sourceRefName"))
    labels = sorted({label.text("name") for label in pull.items("labels")})
    return ChangeUpdated(
        repo=repo,
        change=change,
        title=(title or "")[:MAX_TITLE],
        branch=head,
        base=branch(pull.text_or_none("targetRefName")),
        head_sha=pull.text_or_none("lastMergeSourceCommit", "commitId"),
        labels=labels,
        refs=references.merge(
            work_items(title, "title"),
            work_items(pull.text_or_none("description"), "body"),
            references.in_branch(head),
            references.in_labels(labels),
            [Ref("ticket", f"AB#{item.key('id')}", "field") for item in pull.items("workItemRefs")],
        ),
        assistant=references.assistant_in(pull.text_or_none("description")),
        commits=[item.text("commitId") for item in pull.items("commits")] if pull.has("commits") else None,
        draft=pull.flag("isDraft"),
        closed=closed,
    )


def _votes(pull: Node, repo: str, change: str, where: Source, context: Context, at: datetime) -> list[Event]:
    """Votes carry no time: each snapshot that shows one tells that it was given by then. The earliest counts."""
    events = []
    for reviewer in pull.items("reviewers"):
        vote = reviewer.integer_or_none("vote") or 0
        if not vote or reviewer.flag("isContainer"):  # A group's vote repeats that of a member.
            continue
        who = person(reviewer, context)
        data = ChangeReviewed(
            repo=repo,
            change=change,
            verdict="approved" if vote > 0 else "changes_requested",
            reviewer=who,
            automated=is_automation(reviewer),
        )
        events.append(where.event(REVIEWED, at, change, data, "vote", reviewer.key_or_none("id") or who))
    return events


def is_automation(identity: Node) -> bool:
    """Return whether an identity is that of a pipeline."""
    return "Build Service (" in (identity.text_or_none("displayName") or "")


def comment(root: Node, context: Context) -> Outcome:
    """Hook `ms.vss-code.git-pullrequest-comment-event`. An edit tells the comment again, at the time it was made."""
    told, pull = root.child("resource", "comment"), root.child("resource", "pullRequest")
    if told.flag("isDeleted"):
        return "git.pullrequest.comment_deleted"
    if (told.text_or_none("commentType") or "text").lower() == "system":
        return "git.pullrequest.comment_by_system"
    repo = repository_of(pull.child("repository"))
    where = source(context, repo, *urls_of(pull), *urls_of(pull.child("repository")))
    change = f"{repo}#{pull.integer('pullRequestId')}"
    thread = told.text_or_none("_links", "threads", "href") or ""
    return [said(told, thread.rpartition("/")[2], repo, change, where, context)]


def said(told: Node, thread: str, repo: str, change: str, where: Source, context: Context) -> Event:
    """Return a comment of a person. Comments are numbered within their thread."""
    data = ChangeReviewed(
        repo=repo,
        change=change,
        verdict="commented",
        reviewer=person(told.at("author"), context),
        automated=is_automation(told.at("author")),
    )
    return where.event(REVIEWED, told.moment("publishedDate"), change, data, "comment", thread, told.key("id"))
