"""Azure Boards: work items, their moves and their dependencies. A work item is `AB#12`."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from connectors.azure_devops.code import person
from connectors.azure_devops.place import source
from pipeline.events.coordination import TicketTransferred
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome, Source
from pipeline.events.envelope import Event
from pipeline.events.forges import MAX_TITLE
from pipeline.events.reading import Node
from pipeline.events.types import (
    DependencyEvent,
    TicketClosed,
    TicketCreated,
    TicketDeleted,
    TicketMoved,
    TicketUpdated,
)

(CREATED,) = TicketCreated.TYPES
(UPDATED,) = TicketUpdated.TYPES
(MOVED,) = TicketMoved.TYPES
(CLOSED,) = TicketClosed.TYPES
(DELETED,) = TicketDeleted.TYPES
(TRANSFERRED,) = TicketTransferred.TYPES
ADDED, REMOVED = DependencyEvent.TYPES

DEFAULT_TRACKER = "azure_boards"
DEFAULT_CLOSED_STATES = "Closed, Done, Completed, Removed"
_PREDECESSOR = "System.LinkTypes.Dependency-Reverse"
_SUCCESSOR = "System.LinkTypes.Dependency-Forward"
_PARENT = "System.LinkTypes.Hierarchy-Reverse"
#: How the reasons begin that say no more than that the state changed.
_FILLED_IN = ("moved to state", "moved out of state")
_ITEM = re.compile(r"/workitems/(\d+)(?:$|[/?#])", re.IGNORECASE)


def _tracker(context: Context) -> str:
    return context.settings.get("tracker", "").strip() or DEFAULT_TRACKER


def _closed_states(context: Context) -> set[str]:
    text = context.settings.get("closed_states", "").strip() or DEFAULT_CLOSED_STATES
    return {state.strip().casefold() for state in text.split(",") if state.strip()}


def created(root: Node, context: Context) -> Outcome:
    """Hooks `workitem.created`, `.restored` and `.commented`: the resource is the work item as it now stands."""
    return snapshot(root.child("resource"), context)


def deleted(root: Node, context: Context) -> Outcome:
    """Hook `workitem.deleted`."""
    item = root.child("resource")
    ticket, at = f"AB#{item.key('id')}", root.moment("createdDate")
    where = _source(item, context, item.text_or_none("fields", "System.TeamProject"))
    return [where.event(DELETED, at, ticket, TicketDeleted(tracker=_tracker(context), ticket=ticket))]


def updated(root: Node, context: Context) -> Outcome:
    """Hook `workitem.updated`: what changed, and the work item as it now stands in `revision`."""
    told = root.child("resource")
    item = told.child_or_none("revision")
    if item is None:
        return changes(told, context, root.moment_or_none("createdDate"))
    project = item.text_or_none("fields", "System.TeamProject")
    at = item.moment_or_none("fields", "System.ChangedDate") or root.moment("createdDate")
    return [*snapshot(item, context), *_changes(told, context, at, project)]


def changes(update: Node, context: Context, at: datetime | None = None) -> Outcome:
    """An item of the REST list of updates of a work item; who changed what is told without the work item itself."""
    fields = update.at("fields")
    when = fields.moment_or_none("System.ChangedDate", "newValue") or at or update.moment("revisedDate")
    project = fields.text_or_none("System.TeamProject", "newValue")
    return _changes(update, context, when, project) or "workitem.updates.other_fields"


def _changes(update: Node, context: Context, at: datetime, project: str | None) -> list[Event]:
    ticket = f"AB#{update.key_or_none('workItemId') or update.key('revision', 'id')}"
    where = _source(update, context, project)
    events = []
    state = update.at("fields", "System.State")
    after, before = state.text_or_none("newValue"), state.text_or_none("oldValue")
    if after and before and after != before:
        moved = TicketMoved(
            tracker=_tracker(context), ticket=ticket, to_status=after, from_status=before, reason=_reason(update)
        )
        events.append(where.event(MOVED, at, ticket, moved))
    events += _transfer(update, ticket, where, at, context)
    for kind, links in ((ADDED, "added"), (REMOVED, "removed")):
        for link in update.items("relations", links):
            events += _dependency(link, ticket, where, kind, at, context)
    return events


def _reason(update: Node) -> str | None:
    """Return the reason that was given with a move, None for one that Azure fills in by itself."""
    told = update.text_or_none("fields", "System.Reason", "newValue")
    return None if told is None or told.casefold().startswith(_FILLED_IN) else told[:MAX_TITLE]


def _transfer(update: Node, ticket: str, where: Source, at: datetime, context: Context) -> list[Event]:
    """Another area is another team. An area begins with its project, so that it tells another project as well."""
    area, project = (update.at("fields", f"System.{name}") for name in ("AreaPath", "TeamProject"))
    change = area if area.value is not None else project
    after, before = change.text_or_none("newValue"), change.text_or_none("oldValue")
    if not after or not before or after == before:
        return []
    data = TicketTransferred(tracker=_tracker(context), ticket=ticket, to_team=after, from_team=before)
    return [where.event(TRANSFERRED, at, ticket, data)]


def _dependency(link: Node, ticket: str, where: Source, kind: str, at: datetime, context: Context) -> list[Event]:
    """Both ends tell of one link. Where they do so in one second, the two tellings are one event."""
    rel, found = link.text_or_none("rel"), _ITEM.search(link.text_or_none("url") or "")
    if rel not in {_PREDECESSOR, _SUCCESSOR} or found is None:
        return []
    other = f"AB#{found[1]}"
    waits, blocker = (ticket, other) if rel == _PREDECESSOR else (other, ticket)
    data = DependencyEvent(tracker=_tracker(context), ticket=waits, blocked_by=blocker)
    whole = Source(where.uri, _tracker(context))  # The two ends may be of different projects.
    return [whole.event(kind, at.replace(microsecond=0), waits, data)]


def _source(item: Node, context: Context, project: str | None) -> Source:
    return source(context, project or _tracker(context), item.text_or_none("url"), item.text_or_none("revision", "url"))


def history(root: Node, context: Context) -> Outcome:
    """A work item with its updates: `{"workItem": ..., "updates": [...]}`. The updates tell when links were made."""
    item = root.child("workItem")
    fields = item.child("fields")
    project, changed_at = fields.text("System.TeamProject"), fields.moment_or_none("System.ChangedDate")
    events = snapshot(item, context, links=False)
    for update in root.items("updates"):
        # An update of nothing but links has no time of change; the last update is not revised yet.
        at = update.moment_or_none("fields", "System.ChangedDate", "newValue") or update.moment_or_none("revisedDate")
        at = at or changed_at or fields.moment("System.CreatedDate")
        events += _changes(update, context, at, project)
    return events


def recycled(item: Node, context: Context) -> Outcome:
    """An item of the recycle bin."""
    ticket, project = f"AB#{item.key('id')}", item.text_or_none("project")
    at = recycled_at(item.text("deletedDate")) or item.moment("deletedDate")
    where = _source(item, context, project)
    return [where.event(DELETED, at, ticket, TicketDeleted(tracker=_tracker(context), ticket=ticket))]


def recycled_at(text: str) -> datetime | None:
    """Return the instant of a date in the recycle bin: in UTC, as the server's invariant culture writes it."""
    for form in ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def snapshot(item: Node, context: Context, *, links: bool = True) -> list[Event]:
    """Return all that a work item tells of itself. A hook and a page of the REST API tell it alike.

    `links` False: when they were made is told elsewhere.
    """
    fields, tracker = item.child("fields"), _tracker(context)
    ticket, project = f"AB#{item.key('id')}", fields.text("System.TeamProject")
    where = _source(item, context, project)
    created_at = fields.moment("System.CreatedDate")
    creator = person(fields.at("System.CreatedBy"), context)
    made = TicketCreated(tracker=tracker, ticket=ticket, project=project, creator=creator)
    looks = _looks(item, ticket, project, context)
    changed_at = fields.moment_or_none("System.ChangedDate") or created_at
    events = [where.event(CREATED, created_at, ticket, made), where.event(UPDATED, changed_at, ticket, looks)]
    closed_at = fields.moment_or_none("Microsoft.VSTS.Common.ClosedDate")
    closed_at = closed_at or fields.moment_or_none("Microsoft.VSTS.Common.StateChangeDate") or changed_at
    if looks.closed:
        closed = TicketClosed(tracker=tracker, ticket=ticket, resolution=looks.resolution)
        events.append(where.event(CLOSED, closed_at, ticket, closed))
    for link in item.items("relations") if links else []:
        # When the link was made is not told; by this revision it was there, and the earliest telling counts.
        events += _dependency(link, ticket, where, ADDED, changed_at, context)
    return events


def _looks(item: Node, ticket: str, project: str, context: Context) -> TicketUpdated:
    fields = item.child("fields")
    state = fields.text_or_none("System.State") or ""
    tags = fields.text_or_none("System.Tags") or ""
    area = fields.text_or_none("System.AreaPath")
    return TicketUpdated(
        tracker=_tracker(context),
        ticket=ticket,
        project=project,
        title=(fields.text_or_none("System.Title") or "")[:MAX_TITLE],
        kind=fields.text_or_none("System.WorkItemType") or "",
        status=state,
        parent=_parent(item),
        labels=sorted({tag.strip() for tag in tags.split(";") if tag.strip()}),
        team=area if area and area != project else None,
        assignee=person(fields.at("System.AssignedTo"), context),
        priority=fields.key_or_none("Microsoft.VSTS.Common.Priority"),
        resolution=fields.text_or_none("Microsoft.VSTS.Common.ResolvedReason") or fields.text_or_none("System.Reason"),
        flagged=(fields.text_or_none("Microsoft.VSTS.CMMI.Blocked") or "").lower() == "yes",
        closed=state.casefold() in _closed_states(context),
    )


def _parent(item: Node) -> str | None:
    told = item.key_or_none("fields", "System.Parent")
    if told:
        return f"AB#{told}"
    links = (link for link in item.items("relations") if link.text_or_none("rel") == _PARENT)
    found = next((_ITEM.search(link.text_or_none("url") or "") for link in links), None)
    return f"AB#{found[1]}" if found else None
