"""Opsgenie's alerts and incidents -> canonical events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pipeline.events.delivery import Context, Delivery, Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import DETECTED, REOPENED, REPORTED, RESOLVED, base_url, labels_of, place, tags_of, tell
from pipeline.events.reading import Node, parse_json
from pipeline.events.types import IncidentEvent

#: Opsgenie names no account in its webhooks, so everything that it tells has one source.
ANYWHERE = "https://api.opsgenie.com"

#: What an action means; their names are compared without case and spaces. A deleted alert would stay open for ever.
ACTIONS = {
    "create": DETECTED,
    "close": RESOLVED,
    "resolve": RESOLVED,
    "delete": RESOLVED,
    "reopen": REOPENED,
    "updatepriority": REPORTED,
    "updatemessage": REPORTED,
    "addtags": REPORTED,
    "removetags": REPORTED,
    "adddetails": REPORTED,
    "removedetails": REPORTED,
}
_NAMES = """
    acknowledge addnote addrecipient addresponder addstakeholder addteam assign assignownership associatealert
    disassociatealert escalate escalatenext executecustomaction removeresponder removeteam snooze snoozeended
    takeownership unacknowledge updatedescription
"""
#: Actions that neither begin nor end an incident nor change what is told of it.
LEFT_OUT = frozenset(_NAMES.split())
_OVER = frozenset({"closed", "resolved"})
#: A hundred years: no alert was open for longer.
_LONGEST_MS = 3_155_760_000_000


def kind_of(body: bytes) -> str:
    """Return what a pushed body is called; never raises."""
    try:
        root = Node(parse_json(body))
        if isinstance(root.value, list) or not root.has("action"):
            return "rest"
        return f"{'incident' if root.has('incident') else 'alert'}.{_action(root) or 'unknown'}"
    except Quarantined:
        return "unknown"


def translate(delivery: Delivery, context: Context) -> Translation:
    """Translate a webhook, or what the REST API answers for alerts and incidents: one, a list, or either in `data`.

    Raises nothing but `Quarantined`.
    """
    root = Node(parse_json(delivery.body))
    if isinstance(root.value, list):
        return _joined(_snapshot(item, context) for item in root.items())
    root = root.child()
    if root.has("action"):
        return _webhook(root, context)
    if isinstance(root.at("data").value, list):
        return _joined(_snapshot(item, context) for item in root.items("data"))
    return _joined([_snapshot(root.child("data") if root.has("data") else root, context)])


def _joined(told: Iterable[list[Event]]) -> Translation:
    return Translation(events=list({event.id: event for events in told for event in events}.values()))


def _action(root: Node) -> str:
    return root.text("action").replace(" ", "").casefold()


def _webhook(root: Node, context: Context) -> Translation:
    action = _action(root)
    subject = root.child("incident") if root.has("incident") else root.child("alert")
    if action in LEFT_OUT:
        return Translation(ignored=action)
    if action not in ACTIONS:
        shown = root.text("action")[:80]
        raise Quarantined("unknown_kind", f"action is {shown!r}: a custom one, or none that Opsgenie documents")
    created, updated = _times(subject)
    what = ACTIONS[action]
    if what == DETECTED:
        created = created or _needed(subject, updated)
    times = [(DETECTED, created)] if what == DETECTED else [(DETECTED, created), (what, _needed(subject, updated))]
    return Translation(events=_tell(subject, times, context))


def _times(subject: Node) -> tuple[datetime | None, datetime | None]:
    """Return when it was created and updated, in whole milliseconds.

    One body has milliseconds and nanoseconds, of which the API shows the milliseconds.
    """
    return _millisecond(subject.moment_or_none("createdAt")), _millisecond(subject.moment_or_none("updatedAt"))


def _millisecond(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _needed(subject: Node, updated: datetime | None) -> datetime:
    return updated or subject.moment("updatedAt")


def _snapshot(subject: Node, context: Context) -> list[Event]:
    """Tell an alert or incident as the API shows it."""
    subject.child().moment("createdAt")
    created, updated = _times(subject)
    times = [(DETECTED, created), (REPORTED, updated)]
    if subject.text("status") in _OVER:
        ended = _millisecond(subject.moment_or_none("impactEndDate")) or _closed(subject, created)
        times.append((RESOLVED, ended or _needed(subject, updated)))
    return _tell(subject, times, context)


def _closed(subject: Node, created: datetime | None) -> datetime | None:
    """Return when an alert was closed, which its report tells as milliseconds since it was created.

    Notes of later make it an updated one, so that `updatedAt` would move the end.
    """
    after = subject.integer_or_none("report", "closeTime")
    if created is None or after is None or not 0 <= after <= _LONGEST_MS:
        return None
    return created + timedelta(milliseconds=after)


def _tell(subject: Node, times: list[tuple[str, datetime | None]], context: Context) -> list[Event]:
    labels = tags_of(subject.texts("tags"))
    for field in ("details", "extraProperties"):
        labels |= labels_of(subject.child_or_none(field))
    found = place(labels, context.settings)
    services = subject.texts("impactedServices")
    data = IncidentEvent(
        incident=subject.key_or_none("alertId") or subject.key_or_none("incidentId") or subject.key("id"),
        service=found.service or subject.text_or_none("entity") or (services[0] if len(services) == 1 else None),
        environment=found.environment,
        severity=_priority(subject) or found.severity,
        title=subject.text_or_none("message") or "",
        deployment=found.deployment,
        url=subject.text_or_none("links", "web"),
    )
    return tell(base_url(context.settings) or ANYWHERE, data, *times)


def _priority(subject: Node) -> str | None:
    """Return `P1` to `P5`; some webhooks write the digit only."""
    told = subject.key_or_none("priority")
    return f"P{told}" if told is not None and told.isdigit() else told
