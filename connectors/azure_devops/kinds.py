"""The events that Azure DevOps has: those that tell something, and those that are left out on purpose."""

from __future__ import annotations

from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_object

UNKNOWN = "unknown"

_NAMES = """
    agentpool.created agentpool.updated agentqueue.created agentqueue.updated agentqueue.deleted
    elasticagentpool.resized elasticagentpool.deleted elasticagentpool.preemptiontriggered manualintervention.pending
    git.branch.downloaded git.repo.created git.repo.deleted git.repo.forked git.repo.renamed git.repo.statuschanged
    message.posted ms.advancedsecurity-alerts.alert-created-event ms.advancedsecurity-alerts.alert-state-changed-event
    ms.advancedsecurity-alerts.alert-updated-event ms.vss-alerts.alert-created-event
    ms.vss-alerts.alert-state-changed-event ms.vss-alerts.alert-updated-event
    ms.vss-pipelinechecks-events.approval-completed
    ms.vss-pipelinechecks-events.approval-pending ms.vss-pipelinechecks-events.check-updated-event
    ms.vss-release.deployment-approval-completed-event ms.vss-release.deployment-approval-pending-event
    ms.vss-release.release-abandoned-event ms.vss-release.release-created-event
    ms.vss-pipelines.run-approval-completed ms.vss-pipelines.run-approval-pending
    serviceconnection.created serviceconnection.updated tfvc.checkin
"""

#: Approvals, checks and created releases deploy nothing yet; TFVC has no commits; the rest is administration.
LEFT_OUT: frozenset[str] = frozenset(_NAMES.split())


def event_type(root: Node) -> str:
    """Return the type of a hook's event, which some samples of the documentation call `eventId` or spell anew."""
    told = root.text_or_none("eventType") or root.text_or_none("eventId") or UNKNOWN
    return told.replace("ms.azure-devops-release.", "ms.vss-release.")


def describe(body: bytes) -> str:
    """Return the event type of a pushed body, or `unknown`; never raises."""
    try:
        return event_type(parse_object(body))
    except Quarantined:
        return UNKNOWN
