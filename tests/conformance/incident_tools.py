"""Real payloads of alerting and incident tools through their connectors, compared with what the payloads say.

Not counted as failures: payloads that lack what the tool itself always sends, because whoever published them trimmed
them (`TRIMMED`), which must be quarantined.
"""

from __future__ import annotations

import importlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.events.delivery import Connector
from pipeline.events.envelope import Event
from pipeline.events.errors import Rejected
from pipeline.events.types import IncidentEvent
from tests.conformance.told import Row, Told, outcomes, tell

#: Bodies only are published; Sentry tells the time of some changes in a header.
HEADERS = {"sentry": {"sentry-hook-timestamp": "1700000000"}}
#: Files whose payload lacks its time.
TRIMMED = ("on_alert_firing__superplane",)
#: Files that hold no payload of a delivery.
VECTORS = ("signature_vector__",)


class Says(NamedTuple):
    """What a payload itself says of its incident; None is not compared."""

    incident: str | None = None
    title: str | None = None
    service: str | None = None
    severity: str | None = None
    url: str | None = None
    began: object = None
    ended: object = None


def _pagerduty(body: Any) -> Says:
    incident = body.get("incident", body)
    ended = incident.get("resolved_at") or (
        incident["last_status_change_at"] if incident["status"] == "resolved" else None
    )
    severity = (incident.get("priority") or {}).get("summary") or incident["urgency"]
    service = incident["service"]["summary"]
    return Says(
        incident["id"], incident["title"], service, severity, incident["html_url"], incident["created_at"], ended
    )


def _alertmanager(body: Any) -> Says:
    alert = body["alerts"][0]
    ended = alert["endsAt"] if alert["status"] == "resolved" else None
    labels = alert["labels"]
    return Says(
        title=labels["alertname"],
        severity=labels["severity"],
        url=alert["generatorURL"],
        began=alert["startsAt"],
        ended=ended,
    )


def _opsgenie(body: Any) -> Says:
    alert = body.get("alert", body)
    return Says(
        incident=alert.get("alertId") or alert["id"],
        title=alert["message"],
        severity=f"P{str(alert['priority']).removeprefix('P')}",
        began=alert["createdAt"],
    )


def _statuspage(body: Any) -> Says:
    incident = body.get("incident", body)
    return Says(
        incident=incident["id"],
        title=incident["name"],
        severity=incident["impact"],
        url=incident["shortlink"],
        began=incident["created_at"],
        ended=incident["resolved_at"],
    )


def _sentry(body: Any) -> Says:
    if "data" not in body:
        event = body["event"]
        return Says(
            body["id"], event["title"], body["project_slug"], body["level"], body["url"], began=event["timestamp"]
        )
    data = body["data"]
    if "issue" in data:
        issue = data["issue"]
        return Says(issue["id"], issue["title"], issue["project"]["slug"], issue["level"], began=issue["firstSeen"])
    if "event" in data:
        return Says(data["event"]["issue_id"], data["event"]["title"], began=data["event"]["datetime"])
    return Says(f"metric_alert/{data['metric_alert']['id']}", data["metric_alert"]["title"])


def _incident_io(body: Any) -> Says:
    severity = body["severity"]["name"]
    return Says(body["id"], body["name"], None, severity, body["permalink"], body["created_at"])


def _rootly(body: Any) -> Says:
    return Says(body["id"], body["title"], None, body["severity"], body["url"], body["started_at"])


def _firehydrant(body: Any) -> Says:
    began = body["milestones"][0]["occurred_at"]
    return Says(body["id"], body["name"], None, body["severity"], body["incident_url"], began)


def _servicenow(body: Any) -> Says:
    began = body["opened_at"].replace(" ", "T") + "Z"
    return Says(body["number"], body["short_description"], body["business_service"], body["priority"], None, began)


def _newrelic(body: Any) -> Says:
    return Says(body["issueId"], body["title"], None, body["priority"], body["issueUrl"], body["createdAt"])


SOURCES: dict[str, Callable[[Any], Says]] = {
    "pagerduty": _pagerduty,
    "alertmanager": _alertmanager,
    "grafana_alerting": _alertmanager,
    "opsgenie": _opsgenie,
    "statuspage": _statuspage,
    "sentry": _sentry,
    "incident_io": _incident_io,
    "rootly": _rootly,
    "firehydrant": _firehydrant,
    "servicenow": _servicenow,
    "newrelic": _newrelic,
    "datadog": lambda _: Says(),
}


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for each comparison; `root` is the folder of the real data."""
    rows = []
    for source, says in SOURCES.items():
        told = list(_told(source, root / "payloads" / source))
        rows.append(outcomes(f"{source} payloads", told, _trimmed))
        rows.append(_fields(source, told, says))
    return [*rows, _signature(root / "payloads/pagerduty/signature_vector__go-pagerduty.json")]


def _connector(source: str) -> Connector:
    found: Connector = importlib.import_module(f"connectors.{source}").CONNECTOR
    return found


def _told(source: str, folder: Path) -> Iterator[Told]:
    connector, headers = _connector(source), HEADERS.get(source, {})
    for path in sorted(folder.glob("*.json")):
        raw = path.read_bytes()
        if path.name.startswith(VECTORS):
            raw = json.loads(raw)["body"].encode()
        yield tell(connector, path.name, connector.describe(headers, raw)[0], raw, headers)


def _trimmed(told: Told) -> bool:
    return told.where.startswith(TRIMMED)


def _fields(source: str, told: list[Told], says: Callable[[Any], Says]) -> Row:
    """Each translated payload's incident has the id, texts and times that the payload gives it."""
    checked, differ = 0, Counter[str]()
    for each in told:
        if each.result == "translated" and not each.where.startswith(VECTORS):
            expected = says(each.body)._asdict()
            ours = _ours(each.events)
            compared = {name: value for name, value in expected.items() if value is not None}
            checked += len(compared)
            differ.update(name for name, value in compared.items() if ours[name] != _comparable(name, value))
    return f"{source} fields as in the payload", checked, differ.total(), f"differ: {dict(differ) or 'none'}"


def _ours(events: list[Event]) -> dict[str, object]:
    data = events[-1].data
    if not isinstance(data, IncidentEvent):
        return {}
    began = [event.time for event in events if ".detected." in event.type or ".reported." in event.type]
    ended = [event.time for event in events if ".resolved." in event.type]
    return {
        "incident": data.incident,
        "title": data.title,
        "service": data.service,
        "severity": data.severity,
        "url": data.url,
        "began": min(began, default=None),
        "ended": max(ended, default=None),
    }


def _comparable(name: str, value: object) -> object:
    if name not in ("began", "ended"):
        return value
    if isinstance(value, str):
        head, _, tail = value.partition(".")
        digits = tail.rstrip("Z").partition("+")[0][:6]
        zone = "+" + tail.partition("+")[2] if "+" in tail else "Z"
        return datetime.fromisoformat(f"{head}.{digits}{zone}" if tail else value).astimezone(UTC)
    seconds = float(str(value)) / (1000 if isinstance(value, int) else 1)
    return datetime.fromtimestamp(seconds, UTC)


def _signature(path: Path) -> Row:
    """The vector of PagerDuty's own Go client verifies, and does not with one byte more."""
    vector = json.loads(path.read_bytes())
    headers, body = {vector["header"]: vector["signature"]}, vector["body"].encode()
    failed = 0
    for raw, genuine in ((body, True), (body + b" ", False)):
        try:
            _connector("pagerduty").verify(headers, raw, [vector["secret"].encode()])
            failed += not genuine
        except Rejected:
            failed += genuine
    return "pagerduty signature vector", 2, failed, "of github.com/PagerDuty/go-pagerduty"
