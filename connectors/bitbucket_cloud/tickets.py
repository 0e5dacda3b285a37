"""Issues of the tracker that a repository may have; statuses are native (`new`, `open`, `on hold`, `resolved` ...)."""

from __future__ import annotations

from datetime import datetime

from connectors.bitbucket_cloud.repository import HOST, Repository, person
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.envelope import Event
from pipeline.events.forges import MAX_TITLE
from pipeline.events.reading import Node
from pipeline.events.types import TicketClosed, TicketCreated, TicketMoved, TicketUpdated

(CREATED,) = TicketCreated.TYPES
(UPDATED,) = TicketUpdated.TYPES
(MOVED,) = TicketMoved.TYPES
(CLOSED,) = TicketClosed.TYPES

#: Statuses that say why work was given up.
_GIVEN_UP = {"duplicate", "invalid", "wontfix"}
_CLOSED = {"resolved", "closed", *_GIVEN_UP}


def webhook(root: Node, repo: Repository, context: Context) -> Outcome:
    """Webhooks `issue:created` and `issue:updated`; a comment alone is left out."""
    if root.has("comment") and not root.has("changes"):
        return "comment.on_issue"
    issue = root.child("issue")
    return [*snapshot(issue, repo, context), *_moved(root, issue, issue.moment("updated_on"), repo)]


def snapshot(issue: Node, repo: Repository, context: Context) -> list[Event]:
    """Return what an issue tells of itself. When it was closed, it does not tell: its changes do."""
    ticket, created_at = repo.numbered(issue.integer("id")), issue.moment("created_on")
    created = TicketCreated(tracker=HOST, ticket=ticket, project=repo.name, creator=person(issue, "reporter", context))
    state, component = issue.text_or_none("state") or "", issue.at("component")
    name = component.text_or_none() if isinstance(component.value, str) else component.text_or_none("name")
    updated = TicketUpdated(
        tracker=HOST,
        ticket=ticket,
        project=repo.name,
        title=(issue.text_or_none("title") or "")[:MAX_TITLE],
        kind=issue.text_or_none("kind") or "issue",
        status=state,
        components=[name] if name else [],
        assignee=person(issue, "assignee", context),
        priority=issue.text_or_none("priority"),
        resolution=state if state in _CLOSED else None,
        closed=state in _CLOSED,
    )
    return [
        repo.event(CREATED, created_at, ticket, created),
        repo.event(UPDATED, issue.moment("updated_on"), ticket, updated),
    ]


def polled_change(item: Node, repo: Repository) -> Outcome:
    """An item of a page of an issue's changes."""
    return _moved(item, item.child("issue"), item.moment("created_on"), repo) or "issue_change.other"


def _moved(node: Node, issue: Node, at: datetime, repo: Repository) -> list[Event]:
    # Webhooks call it status, the changes of an issue call it state.
    change = node.child_or_none("changes", "status") or node.child_or_none("changes", "state")
    after = change.text_or_none("new") if change is not None else None
    if change is None or after is None:
        return []
    ticket, before = repo.numbered(issue.integer("id")), change.text_or_none("old")
    reason = after if after in _GIVEN_UP else None
    moved = TicketMoved(tracker=HOST, ticket=ticket, to_status=after, from_status=before, reason=reason)
    events = [repo.event(MOVED, at, ticket, moved)]
    if after in _CLOSED and before not in _CLOSED:
        closed = TicketClosed(tracker=HOST, ticket=ticket, resolution=after)
        events.append(repo.event(CLOSED, at, ticket, closed))
    return events
