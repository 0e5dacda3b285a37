"""Relations between issues: which of them say that one issue waits for another."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from connectors.linear import kinds
from connectors.linear.workspace import Workspace, team_of
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node
from pipeline.events.types import DependencyEvent

ADDED, REMOVED = DependencyEvent.TYPES
BLOCKS = "blocks"
#: What a relation may say, and the code by which each that blocks nobody is counted.
_TYPES = {
    BLOCKS: BLOCKS,
    "duplicate": "duplicate",
    "duplicates": "duplicate",
    "related": "related",
    "relates": "related",
    "similar": "similar",
}


_ENDS = ("issue", "relatedIssue")


class Edge(NamedTuple):
    """`ticket` waits for `blocked_by`."""

    ticket: str
    blocked_by: str


def relation(root: Node, action: str, at: datetime, workspace: Workspace) -> list[Event] | str:
    """Webhook `IssueRelation`: the edges that it adds and removes, or the code of a relation that blocks nobody."""
    data = root.child("data")
    after = None if action == kinds.REMOVE else _edge(data, Node(None))
    before = None if action in {kinds.CREATE, kinds.RESTORE} else _edge(data, root.at("updatedFrom"))
    if before == after:
        return f"issue_relation.{_type(data, Node(None))}"
    since = data.moment_or_none("createdAt") if action == kinds.CREATE else None
    return [
        *([_told(REMOVED, before, at, workspace)] if before else []),
        *([_told(ADDED, after, since or at, workspace)] if after else []),
    ]


def shown(issue: Node, workspace: Workspace) -> list[Event]:
    """Return the edges that an issue of the GraphQL API shows; both of its ends show the same ones."""
    nodes = [*issue.items("relations", "nodes"), *issue.items("inverseRelations", "nodes")]
    edges = [(_edge(_completed(node, issue), Node(None)), node.moment("createdAt")) for node in nodes]
    return [_told(ADDED, edge, at, workspace) for edge, at in edges if edge]


def _completed(node: Node, issue: Node) -> Node:
    """A relation below an issue may leave that issue out; which end is missing tells which one it is."""
    near = {"identifier": issue.at("identifier").value, "id": issue.at("id").value}
    ends = {end: node.at(end).value for end in _ENDS}
    uuids = {f"{end}Id": node.at(f"{end}Id").value for end in _ENDS}
    for end in _ENDS:
        if ends[end] is None and uuids[f"{end}Id"] is None:
            ends[end] = near
    return Node({"type": node.at("type").value, **ends, **uuids}, node.path)


def _edge(data: Node, former: Node) -> Edge | None:
    """Return the edge of a relation, with the values of `former` where it has some; None if it blocks nobody."""
    if _type(data, former) != BLOCKS:
        return None
    return Edge(ticket=_end(data, former, "relatedIssue"), blocked_by=_end(data, former, "issue"))


def _type(data: Node, former: Node) -> str:
    told = former.text_or_none("type") or data.text("type")
    if told not in _TYPES:
        raise Quarantined("bad_value", f"{data.path}.type is {told[:80]!r}; expected one of {', '.join(_TYPES)}")
    return _TYPES[told]


def _end(data: Node, former: Node, name: str) -> str:
    """Return an issue's identifier where it is told, else its uuid; the issue itself says what that stands for."""
    other = former.text_or_none(f"{name}Id")
    if other is not None:
        return other
    return data.text_or_none(name, "identifier") or data.text_or_none(f"{name}Id") or data.text(name, "id")


def _told(event_type: str, edge: Edge, at: datetime, workspace: Workspace) -> Event:
    data = DependencyEvent(tracker=workspace.tracker, ticket=edge.ticket, blocked_by=edge.blocked_by)
    return workspace.event(event_type, at, edge.ticket, team_of(edge.ticket), data)
