"""Bitbucket Cloud's webhooks and REST pages -> canonical events."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from connectors.bitbucket_cloud import changes, code, runs, tickets
from connectors.bitbucket_cloud.repository import of_node
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome, joined
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json

Headers = Mapping[str, str]

NUMBER_HEADER = "x-leadline-number"
_PULL_URL = re.compile(r"/pull-?requests/([1-9]\d{0,17})(?:$|[/#?])")

#: `X-Event-Key` of what is left out.
LEFT_OUT: frozenset[str] = frozenset(
    [
        "issue:comment_created",
        "project:updated",
        "repo:commit_comment_created",
        "repo:created",
        "repo:deleted",
        "repo:fork",
        "repo:imported",
        "repo:transfer",
        "repo:updated",
    ]
)
_FAMILIES = {"repo", "pullrequest", "issue", "push", "commit_status", "pipeline_status"}


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery whose kind is an `X-Event-Key` (or its family) or a page of the kinds in `PAGES`.

    Pure and total: raises nothing but `Quarantined`.
    """
    outcome = _read(delivery, context)
    if isinstance(outcome, str):
        return Translation(ignored=outcome)
    return Translation(events=list({event.id: event for event in outcome}.values()))


def _read(delivery: Delivery, context: Context) -> Outcome:
    kind, root = delivery.kind, Node(parse_json(delivery.body))
    if kind in PAGES:
        return joined(PAGES[kind](item, delivery.headers, context) for item in _items(root))
    if kind in LEFT_OUT:
        root.child()
        return kind.replace(":", ".")
    if kind.partition(":")[0] in _FAMILIES:
        return _webhook(kind, root.child(), delivery.headers, context)
    raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither an event of Bitbucket Cloud's nor a page that is read")


def _items(root: Node) -> list[Node]:
    if isinstance(root.value, list):
        return root.items()
    return root.items("values") if root.has("values") else [root.child()]


def _webhook(kind: str, root: Node, headers: Headers, context: Context) -> Outcome:
    """What the body holds decides: keys of the same family differ in little but their names."""
    if root.has("pullrequest"):
        return changes.webhook(kind, root, of_node(root, headers), context)
    if root.has("issue"):
        return tickets.webhook(root, of_node(root, headers), context)
    if root.has("push"):
        return code.push(root, of_node(root, headers), context)
    if root.has("commit_status"):
        return runs.commit_status(root, of_node(root, headers))
    if kind == "repo" and (root.has("changes") or root.has("comment") or root.has("fork")):
        return "repo.other"
    raise Quarantined("missing_field", "the body holds none of pullrequest, issue, push, commit_status")


def _pull(item: Node, headers: Headers, context: Context) -> Outcome:
    return changes.snapshot(item, of_node(item, headers), context)


def _pull_commits(item: Node, headers: Headers, context: Context) -> Outcome:
    """A commit, or a pull request together with its commits: only these have their full names."""
    if not item.has("pullrequest"):
        return _commit(item, headers, context)
    pull, listed = item.child("pullrequest"), item.items("commits")
    repo = of_node(pull, headers)
    recorded = [code.polled_commit(commit, repo, context) for commit in listed]
    return [*recorded, *changes.snapshot(pull, repo, context, [commit.text("hash") for commit in listed])]


def _activity(item: Node, headers: Headers, context: Context) -> Outcome:
    return changes.activity(item, of_node(item, headers), context)


def _comment(item: Node, headers: Headers, context: Context) -> Outcome:
    if item.flag("deleted"):
        return "comment.deleted"
    number = item.integer_or_none("pullrequest", "id")
    found = _PULL_URL.search(item.text_or_none("links", "html", "href") or "")
    named = headers.get(NUMBER_HEADER, "")
    if number is None and found is None and not (named.isascii() and named.isdigit() and len(named) < 18):
        path = item.at("pullrequest", "id").path
        raise Quarantined("missing_field", f"{path} is absent and so is the header {NUMBER_HEADER}: which one is it?")
    if number is None:
        number = int(found[1] if found else named)
    return [changes.comment(item, number, of_node(item, headers), context)]


def _issue(item: Node, headers: Headers, context: Context) -> Outcome:
    return tickets.snapshot(item, of_node(item, headers), context)


def _issue_change(item: Node, headers: Headers, _context: Context) -> Outcome:
    return tickets.polled_change(item, of_node(item, headers))


def _pipeline(item: Node, headers: Headers, _context: Context) -> Outcome:
    return runs.pipeline(item, of_node(item, headers))


def _step(_item: Node, _headers: Headers, _context: Context) -> Outcome:
    return "pipeline_step"


def _deployment(item: Node, headers: Headers, _context: Context) -> Outcome:
    return runs.deployment(item, of_node(item, headers))


def _commit(item: Node, headers: Headers, context: Context) -> Outcome:
    return [code.polled_commit(item, of_node(item, headers), context)]


#: Kind of delivery -> how an item of it is read.
PAGES: Mapping[str, Callable[[Node, Headers, Context], Outcome]] = {
    "rest.pullrequests": _pull,
    "rest.pullrequest_activity": _activity,
    "rest.pullrequest_commits": _pull_commits,
    "rest.pullrequest_comments": _comment,
    "rest.issues": _issue,
    "rest.issue_changes": _issue_change,
    "rest.pipelines": _pipeline,
    "rest.pipeline_steps": _step,
    "rest.deployments": _deployment,
    "rest.commits": _commit,
}
