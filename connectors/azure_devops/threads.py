"""What was said and voted on a pull request, as the REST API tells it: with times."""

from __future__ import annotations

from datetime import datetime

from connectors.azure_devops import code, reviewers
from connectors.azure_devops.place import repository_of, source, urls_of
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome, Source
from pipeline.events.envelope import Event
from pipeline.events.forges import REVIEWED, Verdict
from pipeline.events.reading import Node
from pipeline.events.types import ChangeReviewed


def discussed(root: Node, context: Context) -> Outcome:
    """A pull request with its commits and threads: `{"pullRequest": ..., "threads": [...]}`.

    Nothing tells when an open one was updated: it looks so as of the last word in its threads.
    """
    pull, threads = root.child("pullRequest"), root.items("threads")
    repo = repository_of(pull.child("repository"))
    where = source(context, repo, *urls_of(pull), *urls_of(pull.child("repository")))
    change = f"{repo}#{pull.integer('pullRequestId')}"
    events = code.snapshot(pull, context, pull.moment_or_none("closedDate") or _last(threads), votes=False)
    events += [code.recorded(item, repo, where, context) for item in pull.items("commits") if item.has("author")]
    events += reviewers.asked(pull, threads, context)
    for thread in threads:
        voted = _vote(thread, repo, change, where, context)
        events += [voted] if voted else []
        for comment in thread.items("comments"):
            kind = (comment.text_or_none("commentType") or "text").lower()
            if kind != "system" and not comment.flag("isDeleted"):
                events.append(code.said(comment, thread.key("id"), repo, change, where, context))
    return events


def _last(threads: list[Node]) -> datetime | None:
    told = (thread.moment_or_none("lastUpdatedDate") for thread in threads)
    return max((at for at in told if at is not None), default=None)


def _vote(thread: Node, repo: str, change: str, where: Source, context: Context) -> Event | None:
    """A vote, which Azure notes in a thread of its own. `None` for any other thread."""
    if reviewers.prop(thread, "CodeReviewThreadType") != "VoteUpdate":
        return None
    vote, voter = reviewers.prop(thread, "CodeReviewVoteResult"), reviewers.prop(thread, "CodeReviewVotedByIdentity")
    identity = thread.at("identities", voter) if voter else Node(None)
    verdict: Verdict = "commented"
    if vote in {"10", "5"}:
        verdict = "approved"
    elif vote in {"-5", "-10"}:
        verdict = "changes_requested"
    elif vote == "0":
        verdict = "dismissed"
    data = ChangeReviewed(
        repo=repo,
        change=change,
        verdict=verdict,
        reviewer=code.person(identity, context),
        automated=code.is_automation(identity),
    )
    return where.event(REVIEWED, thread.moment("publishedDate"), change, data, "vote", thread.key("id"))
