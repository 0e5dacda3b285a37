"""Answers of the GraphQL API: issues with their history, projects and initiatives."""

from __future__ import annotations

from collections.abc import Callable

from connectors.linear import kinds, telling
from connectors.linear.item import Item, read_initiative, read_issue, read_project
from connectors.linear.relations import shown
from connectors.linear.workspace import Workspace, workspace_of
from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node

#: Kind of a delivery -> the field of the query, what shows that something is one of it, and how it is read.
ANSWERS: dict[str, tuple[str, str, Callable[[Node, Context], Item]]] = {
    kinds.GRAPHQL_ISSUES: ("issues", "identifier", read_issue),
    kinds.GRAPHQL_PROJECTS: ("projects", "name", read_project),
    kinds.GRAPHQL_INITIATIVES: ("initiatives", "name", read_initiative),
}


def answer(kind: str, root: Node, context: Context) -> list[Event]:
    """Read an answer: that of a query for a list, a list, or one thing of it."""
    field, shows, read = ANSWERS[kind]
    if isinstance(root.value, list):
        listed, organization = root.items(), None
    else:
        body = root.child("data") if root.has("data") else root.child()
        listed = body.items(field, "nodes") if body.has(field) else body.items("nodes")
        listed = listed or ([body] if body.has(shows) else [])
        organization = body.text_or_none("organization", "id")
        if not listed and not body.has(field) and not body.has("nodes"):
            raise Quarantined("missing_field", f"{body.path or 'body'} holds neither {field}.nodes nor one of them")
    workspace = workspace_of(organization, context)
    return [event for node in listed for event in _told(node.child(), read(node.child(), context), workspace, context)]


def _told(node: Node, item: Item, workspace: Workspace, context: Context) -> list[Event]:
    events = telling.exists(item, workspace)
    archived_at = node.moment_or_none("archivedAt")
    if node.flag("trashed") and archived_at is not None:
        return [*events, *telling.deleted(item, archived_at, workspace)]
    events += telling.looks(item, node.moment("updatedAt"), workspace)
    events += telling.closed(item, None, workspace)
    return [*events, *_happened(node, item, workspace, context), *shown(node, workspace)]


def _happened(node: Node, item: Item, workspace: Workspace, context: Context) -> list[Event]:
    """The moves and transfers in the history. The status before a move is left out, as webhooks leave it out."""
    events = []
    for entry in node.items("history", "nodes"):
        status, team = entry.text_or_none("toState", "name"), entry.text_or_none("toTeam", "key")
        at, actor = entry.moment("createdAt"), context.actor(entry.text_or_none("actor", "id"))
        if status is not None:
            state = (entry.text_or_none("toState", "type") or "").casefold()
            events.append(telling.move(item, status, state, at, actor, workspace))
        if team is not None:
            events += telling.transferred(item, entry.text_or_none("fromTeam", "key"), team, at, actor, workspace)
    return events
