"""Events of Asana's webhooks. They name what changed by ids alone, and seldom say to what."""

from __future__ import annotations

from connectors.asana.task import COMPLETED, ticket_of
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.errors import Quarantined
from pipeline.events.forges import left_out
from pipeline.events.reading import Node

_ACTIONS = {"added", "removed", "changed", "deleted", "undeleted"}
#: Kinds of objects that are not read, whatever happens to them.
_LEFT_OUT = {
    "allocation", "attachment", "custom_field", "custom_field_setting", "goal", "membership", "portfolio", "project",
    "project_membership", "project_status", "project_template", "section", "status_update", "tag", "team",
    "time_tracking_entry", "user", "user_task_list", "workspace", "workspace_membership",
}  # fmt: skip


def happened(event: Node, context: Context) -> Outcome:
    """Return what an event tells, or the code under which it is left out."""
    action, what = event.text("action"), event.text("resource", "resource_type")
    if action not in _ACTIONS:
        raise Quarantined("bad_value", f"{event.path}.action is {action[:80]!r}; expected one of {sorted(_ACTIONS)}")
    match what:
        case "task":
            return _task(event, action, context)
        case "story":
            return _story(event, action, context)
        case _ if what in _LEFT_OUT:
            return f"{what}.{action}"
    raise Quarantined("unknown_kind", f"{event.path}.resource.resource_type is {what[:80]!r}; Asana has no such object")


def _task(event: Node, action: str, context: Context) -> Outcome:
    ticket, at = ticket_of(event.text("resource", "gid"), context), event.moment("created_at")
    actor = context.actor(event.text_or_none("user", "gid"))
    parent, place = event.text_or_none("parent", "resource_type"), event.text_or_none("parent", "gid")
    if action == "deleted":
        return [ticket.deleted(at)]
    if action == "changed":
        return _changed(event, context)
    if action == "added" and parent == "section" and place:
        return [ticket.moved(at, place, actor=actor)]
    if action == "added":
        # It may be older than its arrival here: then the task itself tells the earlier time, which counts.
        return [ticket.created(at, (place or "") if parent == "project" else "", actor)]
    return f"task.{action}"


def _changed(event: Node, context: Context) -> Outcome:
    """Of the fields, links are told whole; of the others only that they changed."""
    ticket, at = ticket_of(event.text("resource", "gid"), context), event.moment("created_at")
    change = event.at("change")
    field, did = change.text_or_none("field"), change.text_or_none("action")
    value = {"added": "added_value", "removed": "removed_value"}.get(did or "")
    other = change.text_or_none(value, "gid") if value else None
    if field == "dependencies" and other:
        return [ticket.waits(at, other, added=did == "added")]
    if field == "dependents" and other:
        return [ticket_of(other, context).waits(at, ticket.key, added=did == "added")]
    return left_out("task.changed", field)


def _story(event: Node, action: str, context: Context) -> Outcome:
    """What was noted below a task; what the note says stays in Asana, but for its kind."""
    kind = event.text_or_none("resource", "resource_subtype")
    if action != "added" or event.at("parent", "resource_type").value != "task":
        return f"story.{action}"
    ticket, at = ticket_of(event.text("parent", "gid"), context), event.moment("created_at")
    actor = context.actor(event.text_or_none("user", "gid"))
    if kind == "marked_complete":
        return [ticket.moved(at, COMPLETED, actor=actor), ticket.closed(at, COMPLETED)]
    if kind == "marked_incomplete":
        return [ticket.moved(at, "incomplete", COMPLETED, actor=actor)]
    return left_out("story", kind)
