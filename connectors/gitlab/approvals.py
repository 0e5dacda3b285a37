"""Deployments that wait for an approval: each is a decision, `group/project/deployments/15`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from connectors.gitlab.fields import second
from connectors.gitlab.project import Project
from pipeline.events.coordination import DecisionEvent
from pipeline.events.envelope import Event
from pipeline.events.reading import Node
from pipeline.events.types import DeploymentEvent

REQUESTED, DECIDED, *_ = DecisionEvent.TYPES

#: The status of a deployment that waits.
BLOCKED = "blocked"


def asked(of: DeploymentEvent, project: Project, at: datetime) -> Event:
    """Return that somebody must approve a deployment before it goes on."""
    data = _decision(of)
    return project.event(REQUESTED, at, data.decision, data)


def polled(item: Node, of: DeploymentEvent, project: Project) -> list[Event]:
    """Return what a page tells: that an approval was asked for when the deployment was made, and how it was decided.

    One refusal decides. Agreement does once nobody is left to ask.
    """
    given, waits = item.items("approvals"), item.text_or_none("status") == BLOCKED
    if not given and not waits:
        return []
    rules = [rule for rule in item.items("approval_summary", "rules") if rule.integer_or_none("user_id") is None]
    data = _decision(of, {name for rule in rules if (name := rule.text_or_none("access_level_description"))})
    events = [project.event(REQUESTED, second(item, "created_at"), data.decision, data)]
    refused, agreed = (
        [second(each, "created_at") for each in given if each.text_or_none("status") == status]
        for status in ("rejected", "approved")
    )
    if refused:
        rejected = msgspec.structs.replace(data, outcome="rejected")
        events.append(project.event(DECIDED, min(refused), data.decision, rejected))
    elif agreed and not waits and not item.integer_or_none("pending_approval_count"):
        accepted = msgspec.structs.replace(data, outcome="accepted")
        events.append(project.event(DECIDED, max(agreed), data.decision, accepted))
    return events


def _decision(of: DeploymentEvent, teams: Iterable[str] = ()) -> DecisionEvent:
    return DecisionEvent(
        decision=of.deployment,
        title=f"Deploy to {of.environment}",
        category="deployment",
        approvers=sorted(teams),
        url=of.url,
    )
