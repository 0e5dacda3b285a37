"""Reading a task of Asana's REST API."""

from __future__ import annotations

from pipeline.events.delivery import Context
from pipeline.events.envelope import Event
from pipeline.events.reading import Node
from pipeline.events.tickets import Ticket, names, text
from pipeline.events.types import TicketUpdated

SOURCE = "https://app.asana.com"
COMPLETED = "completed"


def ticket_of(gid: str, context: Context) -> Ticket:
    """Return the ticket that a task is."""
    return Ticket(SOURCE, context.settings.get("tracker", "").strip() or "asana", gid)


def whole_task(task: Node, context: Context) -> list[Event]:
    """Return all that a task tells of itself, as of when it was last modified; else completed, else created."""
    ticket, created = ticket_of(task.text("gid"), context), task.moment_or_none("created_at")
    completed = task.moment_or_none("completed_at")
    modified = task.moment_or_none("modified_at")
    at = modified or completed or created or task.moment("modified_at")
    project, status = _place(task)
    closed = task.flag("completed")
    resolution = COMPLETED if closed else None
    data = TicketUpdated(
        tracker=ticket.tracker,
        ticket=ticket.key,
        project=project,
        title=text(task.text_or_none("name")),
        kind=(task.text_or_none("resource_subtype") or "task").removeprefix("default_"),
        status=status or (COMPLETED if closed else "incomplete"),
        parent=task.text_or_none("parent", "gid"),
        labels=names(tag.text_or_none("name") for tag in task.items("tags")),
        team=text(task.text_or_none("assignee_team", "name")) or None,
        assignee=context.actor(task.text_or_none("assignee", "gid")),
        priority=_priority(task),
        resolution=resolution,
        closed=closed,
    )
    events = (
        [ticket.created(created, project, context.actor(task.text_or_none("created_by", "gid")))] if created else []
    )
    events.append(ticket.looks(at, data))
    if closed and (completed or modified):
        events.append(ticket.closed(completed or at, resolution))
    events += [ticket.waits(at, other.text("gid")) for other in task.items("dependencies")]
    events += [ticket_of(other.text("gid"), context).waits(at, ticket.key) for other in task.items("dependents")]
    return events


def _place(task: Node) -> tuple[str, str]:
    """Return (project, section) of the first membership; a section is named, where its name was asked for."""
    for membership in task.items("memberships"):
        section = membership.at("section")
        project = membership.text_or_none("project", "gid")
        if project:
            return project, text(section.text_or_none("name") or section.text_or_none("gid"))
    listed = task.items("projects")
    return (listed[0].text("gid") if listed else ""), ""


def _priority(task: Node) -> str | None:
    """Return the value of the custom field that is called *Priority*."""
    for field in task.items("custom_fields"):
        if (field.text_or_none("name") or "").strip().lower() == "priority":
            return text(field.text_or_none("display_value") or field.text_or_none("enum_value", "name")) or None
    return None
