"""The kinds of delivery: which are translated, and which are left out on purpose."""

from __future__ import annotations

from pipeline.events.reading import Node

UNKNOWN = "unknown"

ISSUE_CREATED = "jira:issue_created"
ISSUE_UPDATED = "jira:issue_updated"
ISSUE_DELETED = "jira:issue_deleted"
#: An issue without an event name, as Jira Automation's *Send web request* posts it.
AUTOMATION = "automation.issue"

REST_CHANGELOG = "rest.changelog"
REST_ISSUES = frozenset({"rest.issue", "rest.issues", "rest.search"})

#: Families of webhook events that say nothing about the state of a ticket, and the code by which each is counted.
#: `issuelink_*` names the two issues by number only; the changelog of either tells the same with their keys.
_LEFT_OUT = {
    "attachment_": "attachment",
    "board_": "board",
    "comment_": "comment",
    "filter_": "filter",
    "issue_property_": "issue_property",
    "issuelink_": "issuelink",
    "issuetype_": "issuetype",
    "jira:version_": "version",
    "jira:worklog_": "worklog",
    "option_": "option",
    "project_": "project",
    "sprint_": "sprint",
    "user_": "user",
    "worklog_": "worklog",
}
_LEFT_OUT_REST = {
    f"rest.{name}": name
    for name in (
        "board", "comment", "component", "development", "field", "issuetype", "priority", "project", "remotelink",
        "sprint", "status", "user", "version", "worklog",
    )
}  # fmt: skip


def left_out(kind: str) -> str | None:
    """Return the code under which a kind is left out on purpose, or None."""
    rest = _LEFT_OUT_REST.get(kind)
    return rest or next((code for family, code in _LEFT_OUT.items() if kind.startswith(family)), None)


def event_name(root: Node, otherwise: str) -> str:
    """Return what a pushed body calls itself, `AUTOMATION` for a nameless issue, or `otherwise`."""
    name = root.text_or_none("webhookEvent")
    if name is not None:
        return name
    issue = root.at("issue") if root.has("issue") else root
    return AUTOMATION if isinstance(issue.value, dict) and issue.has("key") and issue.has("fields") else otherwise
