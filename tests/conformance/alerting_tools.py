"""Real payloads of other alerting tools through their connectors.

All that are published are trimmed: they lack the time or the state that the tool itself always sends, and must be
quarantined for that. Made whole with nothing but what is lacking, they are compared with their own fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from pipeline.events.delivery import Connector
from pipeline.events.types import IncidentEvent
from tests.conformance.told import Row, Told, accounted, fields, same, tell

_AT = "2024-02-29T11:48:32Z"


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for each comparison; `root` is the folder of the real data."""
    folder = root / "payloads/other_alerting"
    as_published = list(_told(folder, whole=False))
    trimmed = {each.where: "missing_field" for each in as_published}
    return [
        accounted("other alerting payloads", as_published, trimmed),
        fields("other alerting fields, made whole", list(_told(folder, whole=True)), _mistakes),
    ]


def _told(folder: Path, *, whole: bool) -> Iterator[Told]:
    for path in sorted(folder.glob("*.json")):
        name = path.name.split("__")[0]
        connector: Connector = import_module(f"connectors.{name}").CONNECTOR
        body = json.loads(path.read_bytes())
        if whole:
            _complete(name, body)
        yield tell(connector, path.name, None, json.dumps(body).encode())


def _complete(name: str, body: dict[str, Any]) -> None:
    if name == "cloudwatch":
        body["Message"] |= {"NewStateValue": "ALARM", "StateChangeTime": _AT}
    elif name == "gcpmonitoring":
        body["incident"]["started_at"] = 1709207312
    else:
        body["timestamp"] = _AT


def _mistakes(told: Told) -> list[str] | None:
    (event,) = told.of(IncidentEvent)
    data: IncidentEvent = event.data
    mistakes = same("time", event.time.isoformat(), "2024-02-29T11:48:32+00:00")
    if told.where.startswith("cloudwatch"):
        message = told.body["Message"]
        return (
            mistakes
            + same("title", data.title, message["AlarmName"])
            + same("severity", data.severity, message["Priority"])
        )
    if told.where.startswith("gcpmonitoring"):
        incident = told.body["incident"]
        labels = incident["metadata"]
        mistakes += same("incident", data.incident, incident["incident_id"])
        mistakes += same("title", data.title, incident["condition_name"])
        mistakes += same("environment", data.environment, labels["user_labels"]["environment"])
        return mistakes + same("severity", data.severity, labels["system_labels"]["severity"])
    mistakes += same("incident", data.incident, told.body["incidentId"])
    return mistakes + same("severity", data.severity, told.body["severity"])
