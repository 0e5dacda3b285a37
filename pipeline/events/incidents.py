"""Telling incidents: what every connector of an alerting or incident tool needs to build `IncidentEvent`s.

An incident's id stays; its title, severity and service may change. So the id of each event covers the content, and a
later state is told anew as `REPORTED` at the time of the change: the earliest telling counts as the detection, the
latest one for what the incident is like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec

from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.ids import event_id
from pipeline.events.reading import Node
from pipeline.events.types import IncidentEvent

DETECTED = "dev.cdevents.incident.detected.0.3.0"
REPORTED = "dev.cdevents.incident.reported.0.3.0"
RESOLVED = "dev.cdevents.incident.resolved.0.3.0"
REOPENED = "dev.cdeventsx.leadline-incident.reopened.1.0.0"

#: The settings that say in which labels, tags or fields the parts of an incident are found; the first present counts.
LABEL_SETTINGS: Mapping[str, str] = {
    "service_labels": "service, service_name, app, application, app_kubernetes_io_name, component",
    "environment_labels": "environment, env, deployment_environment, stage",
    "deployment_labels": "deployment, deployment_id",
    "severity_labels": "severity, priority, level",
    "default_environment": "",
}

MAX_TEXT = 500
_SEPARATOR = re.compile(r"[:=]")
_NOT_A_NAME = re.compile(r"[^a-z0-9]+")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What labels say about an incident; None: they do not."""

    service: str | None
    environment: str | None
    deployment: str | None
    severity: str | None


def place(labels: Mapping[str, str], settings: Mapping[str, str]) -> Place:
    """Look into labels as the settings of `LABEL_SETTINGS` say. Case and punctuation of names do not matter."""
    known = {_name(name): value for name, value in labels.items() if value}

    def first(setting: str) -> str | None:
        names = _names(settings.get(setting, "").strip() or LABEL_SETTINGS[setting])
        return next((known[name] for name in names if name in known), None)

    return Place(
        service=first("service_labels"),
        environment=first("environment_labels") or settings.get("default_environment", "").strip() or None,
        deployment=first("deployment_labels"),
        severity=first("severity_labels"),
    )


def listed(text: str) -> tuple[str, ...]:
    """Return the parts of a setting that is a list with commas, case-folded."""
    return tuple(part.strip().casefold() for part in text.split(",") if part.strip())


@lru_cache(maxsize=256)
def _names(text: str) -> tuple[str, ...]:
    return tuple(_name(part) for part in listed(text))


def _name(text: str) -> str:
    return _NOT_A_NAME.sub("_", text.casefold()).strip("_")


def labels_of(node: Node | None) -> dict[str, str]:
    """Return the members of an object that are texts or numbers; {} for None. What is nested is no label."""
    if node is None or not isinstance(node.value, dict):
        return {}
    plain = (str, int, float)
    return {
        name: str(value)
        for name, value in node.value.items()
        if isinstance(value, plain) and not isinstance(value, bool)
    }


def tags_of(texts: Iterable[str]) -> dict[str, str]:
    """Return tags written as `name:value` or `name=value`; the first of a name counts, bare tags are left out."""
    found: dict[str, str] = {}
    for text in texts:
        name, *value = _SEPARATOR.split(text, maxsplit=1)
        if value and value[0].strip():
            found.setdefault(name.strip(), value[0].strip())
    return found


def clean(text: str | None) -> str | None:
    """Return a text cut to `MAX_TEXT` characters and without NUL, which databases refuse; None for an empty one."""
    return (text.replace("\x00", "").strip()[:MAX_TEXT] or None) if text else None


def base_url(settings: Mapping[str, str]) -> str:
    """Return the setting `base_url`, under which everything is told if it is set; "" if it is not."""
    return settings.get("base_url", "").strip().rstrip("/")


def site_of(link: str | None) -> str | None:
    """Return scheme and host of an http(s) link, or None; a user name in it is dropped."""
    try:
        parts = urlsplit(link or "")
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2].lower()
    return f"{parts.scheme}://{host}" if host and parts.scheme in {"http", "https"} else None


def whole_second(moment: datetime | None) -> datetime | None:
    """Return an instant without its fraction, for sources whose copies of one change differ in precision."""
    return None if moment is None else moment.replace(microsecond=0)


def tell(source: str, data: IncidentEvent, *marks: tuple[str, datetime | None]) -> list[Event]:
    """Return an event for each (event type, time) of which the time is known, each once.

    Texts are cleaned. A `REPORTED` at a time that another mark tells is left out: it would add nothing. Raises
    `Quarantined` for an id longer than `MAX_TEXT` and where no time is known.
    """
    key = clean(data.incident)
    if key is None or len(data.incident) > MAX_TEXT:
        shown = data.incident[:80]
        raise Quarantined("bad_value", f"the id of the incident is {shown!r}; expected 1 to {MAX_TEXT} characters")
    told = IncidentEvent(
        incident=key,
        service=clean(data.service),
        repo=clean(data.repo),
        environment=clean(data.environment),
        severity=clean(data.severity),
        title=clean(data.title) or "",
        deployment=clean(data.deployment),
        url=clean(data.url),
    )
    content = msgspec.json.encode(told).decode()
    events: dict[str, Event] = {}
    taken = {at for event_type, at in marks if event_type != REPORTED}
    for event_type, at in marks:
        if at is None or (event_type == REPORTED and at in taken):
            continue
        identity = event_id(key, event_type, at, content)
        events[identity] = Event(
            id=identity, source=source, type=event_type, time=at, subject=key, partitionkey=key, data=told
        )
    if not events:
        raise Quarantined("missing_field", f"no time is told for incident {key[:80]!r}")
    return list(events.values())
