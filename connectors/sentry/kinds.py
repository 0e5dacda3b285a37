"""The resources and actions of Sentry's webhooks."""

from __future__ import annotations

from pipeline.events.incidents import DETECTED, REOPENED, RESOLVED
from pipeline.events.reading import Node

#: What an action on an issue means; None: left out. An archived issue is one that nobody will end in another way.
ISSUES: dict[str, str | None] = {
    "created": DETECTED,
    "resolved": RESOLVED,
    "archived": RESOLVED,
    "ignored": RESOLVED,
    "unresolved": REOPENED,
    "assigned": None,
    "unassigned": None,
}
#: What an action of a metric alert means.
ALERTS: dict[str, str | None] = {
    "critical": DETECTED,
    "warning": DETECTED,
    "resolved": RESOLVED,
    "open": None,
    "created": None,
}

#: What an entry in the activity of an issue means; others change nothing.
ACTIVITY: dict[str, str] = {
    "set_resolved": RESOLVED,
    "set_resolved_in_release": RESOLVED,
    "set_resolved_in_commit": RESOLVED,
    "set_resolved_in_pull_request": RESOLVED,
    "set_resolved_by_age": RESOLVED,
    "set_ignored": RESOLVED,
    "set_unresolved": REOPENED,
    "set_regression": REOPENED,
    "set_escalating": REOPENED,
}

#: Resources that tell of no incident. An error is one occurrence; its issue is what is told.
LEFT_OUT = frozenset({"activity_alert", "comment", "error", "installation", "preprod_artifact", "seer"})

_IN_DATA = {
    "metric_alert": "metric_alert",
    "incident": "metric_alert",
    "error": "error",
    "event": "event_alert",
    "installation": "installation",
    "comment_id": "comment",
    "comment": "comment",
    "activity": "activity_alert",
    "issue": "issue",
}


def resource_in(root: Node) -> str:
    """Return the resource that a body is about, `plugin` for the older form, "" for none; raises `Quarantined`."""
    if not root.has("data"):
        return "plugin" if root.has("event") else ""
    data = root.child("data")
    return next((resource for name, resource in _IN_DATA.items() if data.has(name)), "")
