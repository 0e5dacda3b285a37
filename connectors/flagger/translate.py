"""Flagger's event webhooks and canaries -> canonical events: each analysed revision is a deployment."""

from __future__ import annotations

from datetime import datetime

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.deploying import FAILED, Outcome, joined, translation
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json
from pipeline.events.remotes import commit
from pipeline.events.resources import condition, identity, notes, placed, resources, source_of
from pipeline.events.types import DeploymentEvent

UNKNOWN = "unknown"
CANARY = "canary"
EVENT = "event"
_PHASES = {
    "Initializing", "Initialized", "Waiting", "Progressing", "WaitingPromotion", "Promoting", "Finalising",
    "Succeeded", "Failed", "Terminating", "Terminated",
}  # fmt: skip
_LEFT_OUT = {"MetricTemplate", "AlertProvider"}
#: How Flagger begins the message of the event with which an analysis starts, and of that with which it starts anew.
_NEW_REVISION = "new revision detected"


def kind_of(body: bytes) -> str:
    """Return `event` for a webhook's body, `canary` for one that holds canaries, else `unknown`; never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, dict) and root.has("phase") and root.has("name"):
            return EVENT
        found = resources(root, deleted=True)
        known = any(item.text_or_none("kind") in {"Canary", *_LEFT_OUT} for item in found)
    except Quarantined:
        return UNKNOWN
    return CANARY if known else UNKNOWN


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a delivery of kind `event` or `canary`. Pure and total: raises nothing but `Quarantined`."""
    root = Node(parse_json(delivery.body))
    if delivery.kind == EVENT:
        return translation(_event(root.child(), context))
    if delivery.kind == CANARY:
        found = resources(root)
        return translation(joined(_canary(item, context) for item in found) if found else "canary.none")
    raise Quarantined("unknown_kind", f"{delivery.kind[:80]!r} is neither `{EVENT}` nor `{CANARY}`")


def _event(root: Node, context: Context) -> Outcome:
    """A webhook of type `event`. Those of other types ask for a decision and carry no time."""
    phase, metadata = _phase(root, "phase"), root.child_or_none("metadata")
    if metadata is None or not metadata.has("eventMessage"):
        return "hook.no_event"
    message, at = metadata.text("eventMessage"), metadata.moment("timestamp")
    name, namespace = root.text("name"), root.text("namespace")
    values = metadata.value if isinstance(metadata.value, dict) else {}
    told = {key: value for key, value in values.items() if isinstance(value, str) and value}
    if phase == "Progressing" and not message.lower().startswith(_NEW_REVISION):
        return "event.Progressing"
    checksum = root.text_or_none("checksum")
    return _told(f"{namespace}/{name}", checksum, told, phase, at, context)


def _canary(item: Node, context: Context) -> Outcome:
    kind = item.text_or_none("kind")
    if kind in _LEFT_OUT:
        return str(kind)
    if kind != "Canary":
        raise Quarantined("unknown_type", f"{item.at('kind').path} is {str(kind)[:80]!r}; expected Canary")
    status = item.child_or_none("status")
    if status is None or not status.has("phase"):
        return "canary.no_status"
    phase, promoted = _phase(status, "phase"), condition(item, "Promoted")
    at = status.moment_or_none("lastTransitionTime")
    if phase == "Progressing" and promoted is not None and promoted.text_or_none("reason") == "Progressing":
        at = promoted.moment_or_none("lastTransitionTime") or at  # The status changes with each step of the weight.
    if at is None:
        raise Quarantined("missing_field", f"{status.at('lastTransitionTime').path} is absent")
    return _told(identity(item), status.text_or_none("lastAppliedSpec"), notes(item), phase, at, context)


def _phase(node: Node, field: str) -> str:
    phase = node.text(field)
    if phase not in _PHASES:
        raise Quarantined("bad_value", f"{node.at(field).path} is {phase[:80]!r}; expected a phase of Flagger's")
    return phase


def _told(name: str, revision: str | None, told: dict[str, str], phase: str, at: datetime, context: Context) -> Outcome:
    namespace, _, plain = name.partition("/")
    place = placed(told, plain, namespace, context)
    where = source_of(context, "flagger", place.service)
    data = DeploymentEvent(
        deployment=f"{name}@{revision or at.isoformat()}",
        environment=place.environment,
        repo=place.repo,
        sha=place.sha or commit(told.get("revision")),
        service=place.service,
        started_at=at if phase == "Progressing" else None,
    )
    match phase:
        case "Progressing":
            return where.deployment(data)
        case "Succeeded":
            return where.deployment(data, finished_at=at, ending="success")
        case "Failed":
            # Flagger sends all traffic back to the primary before it says so.
            return [where.event(FAILED, at, data.deployment, data), where.rollback(data, at, data.deployment)]
        case _:
            return f"canary.{phase}"
