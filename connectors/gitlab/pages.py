"""Pages of the REST API: one kind of delivery for each list, whose items tell the same as the webhooks do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors.gitlab import changes, code, polled, runs, tickets
from connectors.gitlab.project import of_item
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome, joined
from pipeline.events.reading import Node

Headers = Mapping[str, str]
Reader = Callable[[Node, Headers, Context], Outcome]


def _merge_request(item: Node, headers: Headers, context: Context) -> Outcome:
    return changes.polled(item, of_item(item, headers), context)


def _merge_request_commits(item: Node, headers: Headers, context: Context) -> Outcome:
    """A commit, or a merge request together with its commits: the list alone does not say whose they are."""
    if not item.has("merge_request"):
        return code.polled_commit(item, of_item(item, headers), context, of_merge_request=True)
    whole, listed = item.child("merge_request"), item.items("commits")
    project = of_item(whole, headers)
    commits: list[Outcome] = [code.polled_commit(commit, project, context, of_merge_request=True) for commit in listed]
    return joined([*commits, changes.polled(whole, project, context, [commit.text("id") for commit in listed])])


def _note(item: Node, headers: Headers, context: Context) -> Outcome:
    return changes.polled_note(item, of_item(item, headers), context, headers)


def _issue(item: Node, headers: Headers, context: Context) -> Outcome:
    return tickets.polled(item, of_item(item, headers), context)


def _link(item: Node, headers: Headers, _context: Context) -> Outcome:
    return tickets.polled_link(item, headers)


def _pipeline(item: Node, headers: Headers, _context: Context) -> Outcome:
    return runs.polled_pipeline(item, of_item(item, headers))


def _job(item: Node, headers: Headers, context: Context) -> Outcome:
    return runs.polled_job(item, of_item(item, headers), context)


def _deployment(item: Node, headers: Headers, _context: Context) -> Outcome:
    return runs.polled_deployment(item, of_item(item, headers))


def _release(item: Node, headers: Headers, _context: Context) -> Outcome:
    return code.published(item, of_item(item, headers), item.text("tag_name"))


def _commit(item: Node, headers: Headers, context: Context) -> Outcome:
    return code.polled_commit(item, of_item(item, headers), context)


#: Kind of delivery -> how an item of it is read.
PAGES: dict[str, Reader] = {
    "rest.merge_requests": _merge_request,
    "rest.merge_request_commits": _merge_request_commits,
    "rest.merge_request_notes": _note,
    "rest.issues": _issue,
    "rest.issue_links": _link,
    "rest.pipelines": _pipeline,
    "rest.jobs": _job,
    "rest.trigger_jobs": _job,
    "rest.deployments": _deployment,
    "rest.releases": _release,
    "rest.commits": _commit,
    **polled.PAGES,
}


def page(kind: str, root: Node, headers: Headers, context: Context) -> Outcome:
    """Read a page: a list of items, or a single item."""
    items = root.items() if isinstance(root.value, list) else [root.child()]
    return joined(PAGES[kind](item, headers, context) for item in items)
