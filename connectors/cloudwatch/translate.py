"""CloudWatch's changes of alarms -> canonical events.

An alarm fires again and again; each firing, from its change to ALARM on, is an incident of its own. EventBridge tells
with the end of a firing when it began; SNS does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from pipeline.events.alerts import Alert, left_out, told_alert
from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import base_url, labels_of
from pipeline.events.reading import Node, parse_json, parse_object

#: What of an AWS resource is a service, beside what tags say.
DEFAULTS = {
    "service_labels": "service, service_name, app, application, component, ServiceName, FunctionName, ApiName",
}
ANYWHERE = "urn:leadline:cloudwatch"
ALARM, OK, UNSURE = "ALARM", "OK", "INSUFFICIENT_DATA"
STATE_CHANGE = "CloudWatch Alarm State Change"
OTHER_CHANGES = frozenset({"CloudWatch Alarm Configuration Change", "CloudWatch Alarm Contributor State Change"})
#: Types of messages of SNS that are no notification -> their name among what is left out.
CONFIRMATIONS = {"SubscriptionConfirmation": "subscription", "UnsubscribeConfirmation": "unsubscription"}


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        root = parse_object(body)
        told = root.text_or_none("detail-type") or root.text_or_none("Type") or ""
    except Quarantined:
        return "unknown"
    return told.replace(" ", "") or "alarm"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate an event of EventBridge, or a notification of SNS as it is, raw, or in the records of a function.

    Raises nothing but `Quarantined`.
    """
    root = parse_object(delivery.body)
    if not root.has("Records"):
        return _one(root, context)
    parts = [_one(each.child("Sns"), context) for each in root.items("Records")]
    events = {event.id: event for part in parts for event in part.events}
    ignored = next((part.ignored for part in parts if part.ignored), "no_records")
    return Translation(events=list(events.values())) if events else Translation(ignored=ignored)


def _one(root: Node, context: Context) -> Translation:
    settings = {**DEFAULTS, **context.settings}
    if root.has("detail-type"):
        return _bridged(root, settings)
    kind = root.text_or_none("Type")
    if kind in CONFIRMATIONS:
        return Translation(ignored=CONFIRMATIONS[kind])
    if kind not in (None, "Notification"):
        raise Quarantined("unknown_kind", f"Type is {kind[:80]!r}, which SNS does not document")
    message = root.at("Message").value
    if isinstance(message, str):
        return _notified(Node(parse_json(message.encode("utf-8", "surrogatepass"))).child(), settings)
    return _notified(root.child("Message") if message is not None else root, settings)


def _notified(message: Node, settings: Mapping[str, str]) -> Translation:
    name, state = message.text("AlarmName"), _state(message.at("NewStateValue"))
    if state != ALARM:
        return Translation(ignored="ok_without_its_alarm" if state == OK else "insufficient_data")
    pairs = [(each.text_or_none("name"), each.text_or_none("value")) for each in message.items("Trigger", "Dimensions")]
    dimensions = {label: value for label, value in pairs if label and value}
    arn = message.text_or_none("AlarmArn")
    labels = {**labels_of(message), **dimensions}
    place = f"{message.text_or_none('AWSAccountId') or ''}:{message.text_or_none('Region') or ''}"
    key = arn or f"{place}:{name}"
    return _told(_alert(name, key, labels, message.moment("StateChangeTime"), None), settings)


def _bridged(root: Node, settings: Mapping[str, str]) -> Translation:
    kind = root.text("detail-type")
    if kind in OTHER_CHANGES:
        return Translation(ignored=kind.removeprefix("CloudWatch Alarm ").casefold().replace(" ", "_"))
    if kind != STATE_CHANGE:
        raise Quarantined("unknown_kind", f"detail-type is {kind[:80]!r}; expected {STATE_CHANGE}")
    detail = root.child("detail")
    name, state = detail.text("alarmName"), _state(detail.at("state", "value"))
    arn = next(iter(root.texts("resources")), None) or f"{root.text('account')}:{root.text('region')}:{name}"
    labels = {**_dimensions(detail), **labels_of(detail.child_or_none("alarmTags"))}
    at = detail.moment("state", "timestamp")
    if state == ALARM:
        return _told(_alert(name, arn, labels, at, None), settings)
    if detail.text_or_none("previousState", "value") != ALARM:
        return Translation(ignored="not_from_alarm")
    # Data that ceases ends a firing as well: what follows tells no more when it began.
    return _told(_alert(name, arn, labels, detail.moment("previousState", "timestamp"), at), settings)


def _dimensions(detail: Node) -> dict[str, str]:
    metrics = detail.items("configuration", "metrics")
    return {
        name: value
        for each in metrics
        for name, value in labels_of(each.child_or_none("metricStat", "metric", "dimensions")).items()
    }


def _state(node: Node) -> str:
    state = node.text()
    if state not in (ALARM, OK, UNSURE):
        raise Quarantined("bad_value", f"{node.path} is {state[:80]!r}; expected {ALARM}, {OK} or {UNSURE}")
    return state


def _alert(name: str, key: str, labels: dict[str, str], began: datetime, ended: datetime | None) -> Alert:
    region = key.split(":")[3] if key.startswith("arn:") and key.count(":") >= 6 else None
    console = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/"
    return Alert(
        name=name,
        fingerprint=key,
        labels=labels,
        started=began,
        ended=ended,
        url=f"{console}{quote(name, safe='')}" if region else None,
    )


def _told(alert: Alert, settings: Mapping[str, str]) -> Translation:
    why = left_out(alert, settings)
    if why is not None:
        return Translation(ignored=why)
    before, found, _ = alert.fingerprint.partition(":alarm:")
    source = base_url(settings) or (before if found else ANYWHERE)
    events: list[Event] = told_alert(alert, source, settings)
    return Translation(events=events)
