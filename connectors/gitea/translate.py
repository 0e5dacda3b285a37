"""Webhooks and REST pages of Gitea, Forgejo and Gogs -> canonical events."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from connectors.gitea import changes, code, runs, tickets
from connectors.gitea.repository import of_item, of_webhook
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome, joined
from pipeline.events.errors import Quarantined
from pipeline.events.forges import Repository
from pipeline.events.reading import Node, parse_json

Headers = Mapping[str, str]

NUMBER_HEADER = "x-leadline-number"
_NUMBER = re.compile(r"/(?:issues|pulls)/([1-9]\d{0,17})(?:$|[#/?])")

#: What a body holds -> how it is read; the first that fits. The name of the event is no help: a comment on a pull
#: request comes as `issue_comment` or `pull_request_comment`, a review under three names, by release and product.
_BODIES: tuple[tuple[str, Callable[[Node, Repository, Context], Outcome]], ...] = (
    ("comment", changes.commented),
    ("pull_request", changes.pull_request),
    ("issue", tickets.issues),
    ("release", code.release),
    ("workflow_run", runs.workflow_run),
    ("run", runs.action_run),
    ("after", code.push),
)

_TOLD = """
    push issues issue_assign issue_label issue_milestone issue_comment release workflow_run
    pull_request pull_request_assign pull_request_label pull_request_milestone pull_request_comment pull_request_sync
    pull_request_review pull_request_review_approved pull_request_review_rejected pull_request_review_comment
    pull_request_review_request pull_request_approved pull_request_rejected
    action_run_success action_run_failure action_run_recover
"""
TOLD: frozenset[str] = frozenset(_TOLD.split())

#: All others. `create` and `delete` of a branch or a tag do not say when; a job and a status are parts of a run.
LEFT_OUT: frozenset[str] = frozenset(
    ["create", "delete", "fork", "wiki", "repository", "package", "status", "workflow_job", "workflow_dispatch"]
)


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery whose kind is an event of Gitea's (`X-Gitea-Event`) or a page of the kinds in `PAGES`.

    Pure and total: raises nothing but `Quarantined`.
    """
    outcome = _read(delivery, context)
    if isinstance(outcome, str):
        return Translation(ignored=outcome)
    return Translation(events=list({event.id: event for event in outcome}.values()))


def _read(delivery: Delivery, context: Context) -> Outcome:
    kind, root = delivery.kind, Node(parse_json(delivery.body))
    if kind in PAGES:
        items = root.items() if isinstance(root.value, list) else [root.child()]
        return joined(PAGES[kind](item, delivery.headers, context) for item in items)
    if kind in LEFT_OUT:
        root.child()
        return kind
    if kind in TOLD:
        return _webhook(kind, root.child(), delivery.headers, context)
    raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither an event of Gitea's nor a page that is read")


def _webhook(kind: str, root: Node, headers: Headers, context: Context) -> Outcome:
    for field, read in _BODIES:
        if root.has(field):
            return read(root, of_webhook(root, headers), context)
    if kind.startswith("pull_request") and root.has("merge_base"):
        return changes.snapshot(root, of_item(root, headers), context)  # The pull request alone, without a frame.
    raise Quarantined("missing_field", f"the body holds none of {', '.join(field for field, _ in _BODIES)}")


def _pull(item: Node, headers: Headers, context: Context) -> Outcome:
    return changes.snapshot(item, of_item(item, headers), context)


def _review(item: Node, headers: Headers, context: Context) -> Outcome:
    return changes.polled_review(item, _number(item, headers), of_item(item, headers), context)


def _comment(item: Node, headers: Headers, context: Context) -> Outcome:
    if "/pulls/" not in (item.text_or_none("pull_request_url") or item.text_or_none("html_url") or ""):
        return "comment.on_issue"
    return changes.comment(item, item.moment("created_at"), _number(item, headers), of_item(item, headers), context)


def _issue(item: Node, headers: Headers, context: Context) -> Outcome:
    if item.has("pull_request"):
        return "issues.pull_request"  # Pull requests are listed as issues too; `rest.pulls` tells more.
    return tickets.snapshot(item, of_item(item, headers), context)


def _release(item: Node, headers: Headers, _context: Context) -> Outcome:
    return code.published(item, of_item(item, headers))


def _commit(item: Node, headers: Headers, context: Context) -> Outcome:
    return code.polled_commit(item, of_item(item, headers), context)


#: Kind of delivery -> how an item of it is read.
PAGES: Mapping[str, Callable[[Node, Headers, Context], Outcome]] = {
    "rest.pulls": _pull,
    "rest.pull_reviews": _review,
    "rest.issues": _issue,
    "rest.issue_comments": _comment,
    "rest.releases": _release,
    "rest.commits": _commit,
}


def _number(item: Node, headers: Headers) -> int:
    """The number of the pull request that an item belongs to."""
    for field in ("pull_request_url", "issue_url", "html_url"):
        if found := _NUMBER.search(item.text_or_none(field) or ""):
            return int(found[1])
    named = headers.get(NUMBER_HEADER, "")
    if not (named.isascii() and named.isdigit() and len(named) < 18):
        path = item.at("pull_request_url").path
        raise Quarantined("missing_field", f"{path} is absent and so is the header {NUMBER_HEADER}: which one is it?")
    return int(named)
