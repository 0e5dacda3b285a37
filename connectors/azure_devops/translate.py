"""Azure DevOps' service hooks and REST pages -> canonical events."""

from __future__ import annotations

from collections.abc import Callable

from connectors.azure_devops import boards, code, releases, runs, threads
from connectors.azure_devops.kinds import LEFT_OUT
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome, joined, translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json

Reader = Callable[[Node, Context], Outcome]

#: Event type of a hook -> how its body is read.
HOOKS: dict[str, Reader] = {
    "build.complete": runs.build,
    "git.pullrequest.created": code.pull_request,
    "git.pullrequest.merged": code.pull_request,
    "git.pullrequest.updated": code.pull_request,
    "git.push": code.push,
    "ms.vss-code.git-pullrequest-comment-event": code.comment,
    "ms.vss-pipelines.job-state-changed-event": runs.job_state,
    "ms.vss-pipelines.run-state-changed-event": runs.run_state,
    "ms.vss-pipelines.stage-state-changed-event": runs.stage_state,
    "ms.vss-release.deployment-completed-event": releases.completed,
    "ms.vss-release.deployment-started-event": releases.started,
    "workitem.commented": boards.created,
    "workitem.created": boards.created,
    "workitem.deleted": boards.deleted,
    "workitem.restored": boards.created,
    "workitem.updated": boards.updated,
}

#: Kind of a REST page -> how an item of it is read.
PAGES: dict[str, Reader] = {
    "rest.builds": runs.built,
    "rest.deployments": releases.deployed,
    "rest.pullrequest_threads": threads.discussed,
    "rest.pullrequests": code.snapshot,
    "rest.recyclebin": boards.recycled,
    "rest.updates": boards.changes,
    "rest.workitem_history": boards.history,
    "rest.workitems": boards.snapshot,
}


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery whose kind is an event type of a hook, one of `PAGES`, or `rest.timeline`.

    Pure and total: raises nothing but `Quarantined`.
    """
    return translation(_read(delivery, context))


def _read(delivery: Delivery, context: Context) -> Outcome:
    kind, root = delivery.kind, Node(parse_json(delivery.body))
    if kind in HOOKS:
        return HOOKS[kind](root.child(), context)
    if kind in LEFT_OUT:
        root.child()
        return kind
    if kind in PAGES:
        items = _items(root)
        return joined(PAGES[kind](item, context) for item in items) if items else f"{kind}.empty"
    if kind == "rest.timeline":
        return runs.timeline(root, context, delivery.headers.get(runs.BUILD_HEADER))
    raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither an event of Azure DevOps' nor a page that is read")


def _items(root: Node) -> list[Node]:
    """A page is an object around a list (`value`), a list, or a single item."""
    if isinstance(root.value, list):
        return root.items()
    return root.items("value") if root.has("value") else [root.child()]
