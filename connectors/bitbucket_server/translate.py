"""Webhooks and REST pages of Bitbucket Server and Data Center -> canonical events."""

from __future__ import annotations

from connectors.bitbucket_server import changes, code
from connectors.bitbucket_server.repository import of_header
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Outcome
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json

PULLS = frozenset(
    [
        "pr:comment:added",
        "pr:comment:deleted",
        "pr:comment:edited",
        "pr:declined",
        "pr:deleted",
        "pr:from_ref_updated",
        "pr:merged",
        "pr:modified",
        "pr:opened",
        "pr:reopened",
        "pr:reviewer:approved",
        "pr:reviewer:changes_requested",
        "pr:reviewer:needs_work",
        "pr:reviewer:unapproved",
        "pr:reviewer:updated",
        "pr:to_ref_updated",
    ]
)
LEFT_OUT = frozenset(
    [
        "diagnostics:ping",
        "mirror:repo_synchronized",
        "project:modified",
        "repo:comment:added",
        "repo:comment:deleted",
        "repo:comment:edited",
        "repo:forked",
        "repo:modified",
        "repo:secret_detected",
    ]
)
PAGES = frozenset(["rest.pull_requests", "rest.commits"])


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery whose kind is an event key or one of `PAGES`.

    Pure and total: raises nothing but `Quarantined`.
    """
    outcome = _read(delivery, context)
    if isinstance(outcome, str):
        return Translation(ignored=outcome)
    return Translation(events=list({event.id: event for event in outcome}.values()))


def _read(delivery: Delivery, context: Context) -> Outcome:
    root = Node(parse_json(delivery.body))
    kind = _kind(delivery.kind, root)
    if kind in PULLS:
        return changes.webhook(kind, root.child(), context)
    if kind == "repo:refs_changed":
        return code.refs_changed(root.child(), context)
    if kind in LEFT_OUT:
        root.child()
        return kind.replace(":", ".")
    if kind == "rest.pull_requests":
        return [event for item in _items(root) for event in changes.polled(item, context)]
    if kind == "rest.commits":
        repo = of_header(delivery.headers, context)
        return [code.polled_commit(item, repo, context) for item in _items(root)]
    raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither an event of Bitbucket's nor a page that is read")


def _kind(told: str, root: Node) -> str:
    """What the header calls it, else what the body does: before release 5.4 only the header, later both."""
    known = told in PAGES or told in PULLS or told in LEFT_OUT or told == "repo:refs_changed"
    return told if known or not isinstance(root.value, dict) else root.text_or_none("eventKey") or told


def _items(root: Node) -> list[Node]:
    if isinstance(root.value, list):
        return root.items()
    return root.items("values") if root.has("values") else [root.child()]
