"""Octopus Deploy's subscriptions and deployments -> canonical events."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import Ending, Outcome, Source, joined, translation
from pipeline.events.errors import Quarantined
from pipeline.events.names import read_names
from pipeline.events.reading import Node, parse_json, parse_object
from pipeline.events.types import DeploymentEvent

UNKNOWN = "unknown"
DEFAULT_SOURCE = "octopus_deploy"
DEPLOYMENTS = "rest.deployments"
SUBSCRIPTION = "SubscriptionPayload"

#: Category of an event -> how the deployment ended; None: it goes on.
_CATEGORIES: dict[str, Ending | None] = {
    "DeploymentQueued": None,
    "DeploymentStarted": None,
    "DeploymentResumed": None,
    "DeploymentSucceeded": "success",
    "DeploymentFailed": "failure",
    "DeploymentCanceled": "cancelled",
    "DeploymentCancelled": "cancelled",
    "TaskCanceled": "cancelled",
    "TaskCancelled": "cancelled",
    "TaskTimedOut": "failure",
}
_TASKS = {"TaskCanceled", "TaskCancelled", "TaskTimedOut"}
#: State of a task -> how its deployment ended.
_STATES: dict[str, Ending | None] = {
    "Queued": None,
    "Executing": None,
    "Cancelling": None,
    "Success": "success",
    "Failed": "failure",
    "TimedOut": "failure",
    "Canceled": "cancelled",
}
#: What other categories begin with, and the code by which each is counted.
_LEFT_OUT = {
    "Runbook": "runbook",
    "Release": "release",
    "Task": "task",
    "Machine": "machine",
    "Document": "document",
    "User": "user",
    "Login": "user",
    "Certificate": "certificate",
    "Package": "package",
    "Insights": "insights",
    "Lifecycle": "lifecycle",
    "ManualIntervention": "manual_intervention",
    "GuidedFailure": "guided_failure",
    "DeploymentFreeze": "deployment_freeze",
}
_CATEGORY = re.compile(r"[A-Z][A-Za-z]{2,59}")
#: What Octopus says of a deployment, where it does not say which words of that are names.
_MESSAGE = re.compile(
    r"\bto (?P<environment>[^<>]{1,200}?) (?:has |was |is )?(?:succeeded|failed|started|queued|canceled)"
)
_DOCUMENT = re.compile(r"([A-Za-z]+)-\d+")


class Told(msgspec.Struct, frozen=True):
    """One deployment; ids are Octopus's, names as far as they are told."""

    server: str
    deployment: str
    project: str
    environment: str
    version: str | None
    names: dict[str, str]


def describe(body: bytes) -> tuple[str, str | None]:
    """Return (category of the event or `rest.deployments`, id of the event or None); never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, dict):
            if root.has("Payload"):
                event = root.child("Payload").child("Event")
                return event.text_or_none("Category") or UNKNOWN, event.text_or_none("Id")
            if root.has("category") or root.has("eventType"):
                return root.text_or_none("category") or root.text("eventType"), None
        known = all(_of(item, "DeploymentId") and _of(item, "EnvironmentId") for item in _listed(root))
    except Quarantined:
        return UNKNOWN, None
    return (DEPLOYMENTS if known else UNKNOWN), None


def _listed(root: Node) -> list[Node]:
    if isinstance(root.value, list):
        return [item.child() for item in root.items()]
    return [item.child() for item in root.items("Items")] if root.has("Items") else [root.child()]


def _of(item: Node, field: str) -> str | None:
    """Return a field of Octopus's API, which may have been passed on with a small first letter."""
    return item.text_or_none(field) or item.text_or_none(field[0].lower() + field[1:])


def _when(item: Node, *fields: str) -> datetime | None:
    spelled = (name for field in fields for name in (field, field[0].lower() + field[1:]))
    return next((moment for name in spelled if (moment := item.moment_or_none(name)) is not None), None)


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery whose kind is a category of Octopus's events, or `rest.deployments`.

    Pure and total: raises nothing but `Quarantined`.
    """
    return translation(_read(delivery, context))


def _read(delivery: Delivery, context: Context) -> Outcome:
    kind = delivery.kind
    if kind == DEPLOYMENTS:
        items = _listed(Node(parse_json(delivery.body)))
        return joined(_listed_deployment(item, context) for item in items) if items else "rest.deployments.empty"
    if kind not in _CATEGORIES:
        return _left_out(kind)
    root = parse_object(delivery.body)
    pushed = root.has("Payload")
    event = root.child("Payload").child("Event") if pushed else root
    related = event.texts("RelatedDocumentIds") if pushed else []
    if kind in _TASKS and not any(each.startswith("Deployments-") for each in related):
        return "task"
    told = _subscribed(root.child("Payload"), event, related) if pushed else _flat(root)
    at = _when(event, "Occurred", "OccurredAt") or root.moment("Timestamp")
    ending = _CATEGORIES[kind]
    if ending is None and kind != "DeploymentStarted":
        return "deployment.goes_on"
    started_at = None if ending else at
    return _deployment(told, context, started_at=started_at, finished_at=at, ending=ending)


def _left_out(kind: str) -> str:
    found = next((code for start, code in _LEFT_OUT.items() if kind.startswith(start)), None)
    if found is None and (kind.startswith("Deployment") or not _CATEGORY.fullmatch(kind)):
        raise Quarantined("unknown_kind", f"{kind[:80]!r} is neither a category of Octopus's events nor a page")
    return found or "event.other"


def _subscribed(payload: Node, event: Node, related: list[str]) -> Told:
    message, names = event.text_or_none("Message") or "", dict[str, str]()
    for each in event.items("MessageReferences"):
        start, length = each.integer_or_none("StartIndex") or 0, each.integer_or_none("Length") or 0
        text = message[max(start, 0) : max(start, 0) + max(length, 0)]
        if text:
            names[each.text("ReferencedDocumentId")] = text
    by_type: dict[str, str] = {}
    for identity in related:
        found = _DOCUMENT.fullmatch(identity)
        if found:
            by_type.setdefault(found[1], identity)
    for wanted in ("Deployments", "Projects", "Environments"):
        if wanted not in by_type:
            raise Quarantined("missing_field", f"{event.path}.RelatedDocumentIds names none of the {wanted}")
    return Told(
        server=payload.text_or_none("ServerUri") or "",
        deployment=by_type["Deployments"],
        project=by_type["Projects"],
        environment=by_type["Environments"],
        version=names.get(by_type.get("Releases", "")),
        names=names,
    )


def _flat(item: Node) -> Told:
    """Read a deployment whose fields stand side by side, as on the dashboard, or as passed on by another tool."""
    fields = {field: _of(item, field) for field in ("DeploymentId", "ProjectId", "EnvironmentId")}
    missing = [field for field, value in fields.items() if value is None]
    if missing:
        raise Quarantined("missing_field", f"{item.path or 'body'}.{missing[0]} is absent or empty")
    project, environment = fields["ProjectId"] or "", fields["EnvironmentId"] or ""
    said = _MESSAGE.search(_of(item, "Message") or "")
    told = _of(item, "EnvironmentName") or (said["environment"] if said else None)
    named = {project: _of(item, "ProjectName"), environment: told}
    return Told(
        server=_of(item, "ServerUri") or "",
        deployment=fields["DeploymentId"] or "",
        project=project,
        environment=environment,
        version=_of(item, "ReleaseVersion") or _of(item, "ReleaseName"),
        names={identity: name for identity, name in named.items() if name},
    )


def _listed_deployment(item: Node, context: Context) -> Outcome:
    state = _of(item, "State") or _of(item, "TaskState")
    if state not in _STATES:
        raise Quarantined("bad_value", f"{item.path or 'body'}.State is {str(state)[:80]!r}; a task has no such state")
    started_at, finished_at = _when(item, "StartTime"), _when(item, "CompletedTime")
    told = _flat(item)
    return _deployment(told, context, started_at=started_at, finished_at=finished_at, ending=_STATES[state])


def _deployment(
    told: Told, context: Context, *, started_at: datetime | None, finished_at: datetime | None, ending: Ending | None
) -> Outcome:
    names = {**told.names, **read_names(context.settings)}
    server = context.settings.get("base_url", "").strip().rstrip("/") or told.server.rstrip("/") or DEFAULT_SOURCE
    data = DeploymentEvent(
        deployment=told.deployment,
        environment=names.get(told.environment, told.environment),
        service=names.get(told.project, told.project),
        version=told.version,
        started_at=started_at,
    )
    found = Source(server, told.project).deployment(data, finished_at=finished_at, ending=ending)
    return found or "deployment.goes_on"
