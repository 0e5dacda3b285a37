"""Pages of the REST API: one kind of delivery for each list, whose items tell the same as the webhooks do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors.github import changes, code, graphql, runs, tickets
from connectors.github.repository import NUMBER_HEADER, number_in, of_item
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome, joined
from pipeline.events.errors import Quarantined
from pipeline.events.forges import left_out
from pipeline.events.reading import Node

Headers = Mapping[str, str]
Reader = Callable[[Node, Headers, Context], Outcome]


def _pull(item: Node, headers: Headers, context: Context) -> Outcome:
    return changes.snapshot(item, of_item(item, headers), context)


def _pull_commits(item: Node, headers: Headers, context: Context) -> Outcome:
    """A commit, or a pull request together with its commits: the list alone does not say whose they are."""
    if not item.has("pull_request"):
        return _commit(item, headers, context)
    pull, commits = item.child("pull_request"), item.items("commits")
    repo = of_item(pull, headers)
    recorded = [event for commit in commits for event in code.polled_commit(commit, repo, context)]
    return [*recorded, *changes.snapshot(pull, repo, context, [commit.text("sha") for commit in commits])]


def _pull_review(item: Node, headers: Headers, context: Context) -> Outcome:
    repo = of_item(item, headers)
    return changes.review(item, repo.numbered(_number(item, headers)), repo, context)


def _comment(item: Node, headers: Headers, context: Context) -> Outcome:
    return changes.polled_comment(item, of_item(item, headers), context)


def _issue(item: Node, headers: Headers, context: Context) -> Outcome:
    if item.has("pull_request"):
        return "issues.pull_request"  # GitHub lists pull requests as issues too; `rest.pulls` tells more.
    return tickets.snapshot(item, of_item(item, headers), context)


def _issue_event(item: Node, headers: Headers, context: Context) -> Outcome:
    """An entry of a history (`/issues/events`) or of a timeline (`/issues/7/timeline`), which mixes in other things."""
    what = item.text_or_none("event")
    if what == "reviewed":
        return _pull_review(item, headers, context)
    if what == "commented":
        return _comment(item, headers, context)
    repo, issue = of_item(item, headers), item.child_or_none("issue")
    if issue is None:
        # Without the issue one cannot tell a pull request from an issue, save where only one of them can do it.
        if what not in changes.OF_PULL_REQUESTS:
            return left_out("issue_events", what)
        issue = Node({"number": _number(item, headers), "pull_request": {}}, "issue")
    if issue.has("pull_request"):
        return changes.happened(item, issue, repo, context)
    return tickets.happened(item, issue, repo, context)


def _deployment(item: Node, headers: Headers, _context: Context) -> Outcome:
    return runs.requested(item, of_item(item, headers))


def _deployment_status(item: Node, headers: Headers, _context: Context) -> Outcome:
    """A deployment together with its statuses. A status alone does not say what was deployed."""
    of = item.child_or_none("deployment")
    if of is None:
        detail = f"{item.at('deployment').path} is absent: send statuses as {{'deployment': ..., 'statuses': [...]}}"
        raise Quarantined("missing_field", detail)
    repo = of_item(of, headers)
    return joined(runs.status(status, of, repo) for status in item.items("statuses"))


def _run(item: Node, headers: Headers, _context: Context) -> Outcome:
    return runs.run(item, of_item(item, headers))


def _job(item: Node, headers: Headers, context: Context) -> Outcome:
    return runs.job(item, of_item(item, headers), context)


def _release(item: Node, headers: Headers, _context: Context) -> Outcome:
    return code.published(item, of_item(item, headers))


def _commit(item: Node, headers: Headers, context: Context) -> Outcome:
    return code.polled_commit(item, of_item(item, headers), context)


#: Kind of delivery -> how an item of it is read.
PAGES: dict[str, Reader] = {
    "rest.pulls": _pull,
    "rest.pull_commits": _pull_commits,
    "rest.pull_reviews": _pull_review,
    "rest.pull_comments": _comment,
    "rest.issue_comments": _comment,
    "rest.issues": _issue,
    "rest.issue_events": _issue_event,
    "rest.deployments": _deployment,
    "rest.deployment_statuses": _deployment_status,
    "rest.actions_runs": _run,
    "rest.actions_jobs": _job,
    "rest.releases": _release,
    "rest.commits": _commit,
    "graphql.deployments": graphql.deployment,
}


def page(kind: str, root: Node, headers: Headers, context: Context) -> Outcome:
    """Read a page: a list of items, an object around one (`workflow_runs`, `jobs`), or a single item."""
    return joined(PAGES[kind](item, headers, context) for item in items(root))


def items(root: Node) -> list[Node]:
    """Return the items of a page."""
    if isinstance(root.value, list):
        return root.items()
    if (answered := graphql.deployments(root)) is not None:
        return answered
    around = next((name for name in ("workflow_runs", "jobs") if root.has(name)), None)
    return root.items(around) if around else [root.child()]


def _number(item: Node, headers: Headers) -> int:
    """The number of the pull request that an item belongs to."""
    for field in ("pull_request_url", "issue_url", "html_url"):
        if (found := number_in(item.text_or_none(field))) is not None:
            return found
    named = headers.get(NUMBER_HEADER, "")
    if not (named.isascii() and named.isdigit() and len(named) < 18):
        path = item.at("pull_request_url").path
        raise Quarantined("missing_field", f"{path} is absent and so is the header {NUMBER_HEADER}: which one is it?")
    return int(named)
