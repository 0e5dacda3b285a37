"""The public face of an event: the `content` that CDEvents 0.5.1 defines for its type.

Leadline's own payload travels beside it, in `customData`; a consumer that knows only CDEvents reads the content.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from pipeline.events.types import (
    ChangeCreated,
    ChangeUpdated,
    DeploymentEvent,
    IncidentEvent,
    Payload,
    PipelineRun,
    ServiceRolledBack,
    TicketClosed,
    TicketCreated,
    TicketUpdated,
)

SPEC_VERSION = "0.5.1"
NOT_TOLD = "not-told"

# The everyday subset of RFC 3986. What sources call a URL can be anything, and the schemas check.
_CHARACTERS = r"(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*"
_URL = re.compile(
    rf"[a-z][a-z0-9+.-]*://[a-z0-9.-]+(?::\d+)?(?:/{_CHARACTERS})?(?:\?(?:{_CHARACTERS}|\?)*)?(?:#{_CHARACTERS})?",
    re.ASCII | re.IGNORECASE,
)


def _purl(repo: str | None, sha: str | None, service: str | None) -> str:
    """Package URL of what was deployed; CDEvents demands one, so what the source did not tell reads `not-told`."""
    return f"pkg:generic/{quote(repo or service or NOT_TOLD, safe='/')}@{quote(sha or NOT_TOLD)}"


def _deployment(data: Any) -> dict[str, Any]:
    return {"environment": {"id": data.environment}, "artifactId": _purl(data.repo, data.sha, data.service)}


def _incident(data: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"description": data.title, "environment": {"id": data.environment or NOT_TOLD}}
    if data.service:
        content["service"] = {"id": data.service}
    return content


def _url(told: str | None, otherwise: str) -> str:
    return told if told and _URL.fullmatch(told) else otherwise


def _ticket_uri(data: Any) -> str:
    ticket = quote(data.ticket)
    return f"{_url(data.tracker, quote(data.tracker))}/{ticket}" if data.tracker else ticket


def _ticket_updated(data: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"summary": data.title, "uri": _ticket_uri(data), "labels": data.labels}
    if data.team:
        content["group"] = data.team
    if data.assignee:
        content["assignees"] = [data.assignee]
    return content


def _ticket_created(data: Any) -> dict[str, Any]:
    return {"summary": data.ticket, "creator": data.creator or NOT_TOLD, "uri": _ticket_uri(data)}


def _pipeline_run(data: Any) -> dict[str, Any]:
    return {"pipelineName": data.pipeline, "uri": _url(data.url, f"urn:leadline:run:{quote(data.run)}")}


def _repository(data: Any) -> dict[str, Any]:
    return {"repository": {"id": data.repo}}


_CONTENT: dict[type[Payload], Callable[[Any], dict[str, Any]]] = {
    ChangeCreated: _repository,
    ChangeUpdated: _repository,
    DeploymentEvent: _deployment,
    ServiceRolledBack: _deployment,
    IncidentEvent: _incident,
    TicketCreated: _ticket_created,
    TicketUpdated: _ticket_updated,
    TicketClosed: lambda data: {"uri": _ticket_uri(data), "resolution": data.resolution or NOT_TOLD},
    PipelineRun: _pipeline_run,
}


def content_of(event_type: str, data: Payload) -> dict[str, Any]:
    """Return the CDEvents `subject.content` of a payload; valid under the published schema of `event_type`."""
    build = _CONTENT.get(type(data))
    content = build(data) if build else _repository(data) if "dev.cdevents.change." in event_type else {}
    if event_type.startswith("dev.cdevents.incident.reported.") and isinstance(data, IncidentEvent):
        content["ticketURI"] = _url(data.url, f"urn:leadline:incident:{quote(data.incident)}")
    if event_type.startswith("dev.cdevents.pipelinerun.finished.") and isinstance(data, PipelineRun) and data.outcome:
        content["outcome"] = data.outcome
    return content
