"""Groups of alerts in the webhook format of Prometheus Alertmanager, which Grafana and others send as well.

An alert is known by its fingerprint (a hash of its labels) and fires again and again. Each firing, from `startsAt` on,
is an incident of its own; a notification that is repeated while it lasts tells the same event.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from pipeline.events.delivery import Translation
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.incidents import DETECTED, RESOLVED, labels_of, listed, place, tell
from pipeline.events.reading import Node
from pipeline.events.types import IncidentEvent

FIRING, ENDED = "firing", "resolved"
#: What the API of Alertmanager calls an alert that fires, notified of or not.
_FIRING_STATES = frozenset({"active", "suppressed", "unprocessed"})

_FNV_OFFSET = 14695981039346656037
_FNV_PRIME = 1099511628211
_SEPARATOR = 255


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One firing of an alert. `ended` is None while it lasts."""

    name: str
    fingerprint: str
    labels: dict[str, str]
    started: datetime
    ended: datetime | None
    url: str | None


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """Return the fingerprint that Prometheus gives to labels: 64 bits of FNV-1a, hexadecimal."""
    total = _FNV_OFFSET
    for name in sorted(labels):
        for byte in (*name.encode(), _SEPARATOR, *labels[name].encode(), _SEPARATOR):
            total = (total ^ byte) * _FNV_PRIME % 2**64
    return f"{total:016x}"


def read_alert(node: Node, links: tuple[str, ...]) -> Alert:
    """Read one alert of a group, or of the API; raises `Quarantined`. `links`: fields with its URL, the best first."""
    labels = labels_of(node.child("labels"))
    resolved = _is_over(node)
    return Alert(
        name=labels.get("alertname") or node.text_or_none("annotations", "summary") or "",
        fingerprint=node.text_or_none("fingerprint") or fingerprint_of(labels),
        labels=labels,
        started=node.moment("startsAt"),
        ended=node.moment("endsAt") if resolved else None,
        url=next((url for link in links if (url := node.text_or_none(link))), None),
    )


def _is_over(node: Node) -> bool:
    told = node.child("status").text("state") if isinstance(node.at("status").value, dict) else node.text("status")
    if told in (FIRING, ENDED) or told in _FIRING_STATES:
        return told == ENDED
    raise Quarantined("bad_value", f"{node.path}.status is {told[:80]!r}; expected {FIRING} or {ENDED}")


def told_alert(alert: Alert, source: str, settings: Mapping[str, str]) -> list[Event]:
    """Return the events of one firing: detected when it started and, once it is over, resolved when it ended."""
    found = place(alert.labels, settings)
    data = IncidentEvent(
        incident=f"{alert.fingerprint}@{alert.started:%Y-%m-%dT%H:%M:%S.%fZ}",
        service=found.service,
        environment=found.environment,
        severity=found.severity,
        title=alert.name,
        deployment=found.deployment,
        url=alert.url,
    )
    return tell(source, data, (DETECTED, alert.started), (RESOLVED, alert.ended))


def left_out(alert: Alert, settings: Mapping[str, str]) -> str | None:
    """Return the setting by which an alert is no incident, or None.

    `ignored_alerts`: names that are no incident, such as a dead man's switch. `severities`: if set, no others are one.
    """
    if alert.name.casefold() in listed(settings.get("ignored_alerts", "")):
        return "ignored_alerts"
    wanted = listed(settings.get("severities", ""))
    severity = place(alert.labels, settings).severity or ""
    return "severities" if wanted and severity.casefold() not in wanted else None


def told_alerts(nodes: list[Node], links: tuple[str, ...], source: str, settings: Mapping[str, str]) -> Translation:
    """Translate the alerts of a group, without those that the settings leave out (see `left_out`)."""
    events: dict[str, Event] = {}
    last = "no_alerts"
    for node in nodes:
        alert = read_alert(node, links)
        why = left_out(alert, settings)
        if why is None:
            events.update((event.id, event) for event in told_alert(alert, source, settings))
        else:
            last = why
    return Translation(events=list(events.values())) if events else Translation(ignored=last)
