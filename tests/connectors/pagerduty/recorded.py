"""PagerDuty with some incidents, two of them recorded by Apache DevLake (Apache License 2.0); names were replaced."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from connectors.pagerduty import CONNECTOR
from connectors.pagerduty.poll import POLLER
from tests.connectors.recorded import Held, Recorded, Recording, pages_of
from tests.ingest.sources import Answer

PER_PAGE = 2
_TELLING = ("trigger_log_entry", "resolve_log_entry", "reopen_log_entry")


class Duty(Recording):
    """Lists incidents, the oldest first, and log entries, the newest first; an incident holds its own entries."""

    def __init__(self) -> None:
        super().__init__()
        recorded: list[dict[str, Any]] = pages_of("pagerduty")["incidents"]
        self.incidents = [_later(incident, days) for days in (0, 1, 400) for incident in recorded]

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        parts = path.strip("/").split("/")
        if path == "/incidents":
            found = [_without_log(each) for each in self.incidents if _within(each, query)]
            return _page("incidents", sorted(found, key=_created), query, PER_PAGE)
        if path == "/log_entries":
            entries = [
                {**entry, "incident": {"id": incident["id"], "type": "incident_reference"}}
                for incident in self.incidents
                for entry in incident["log_entries"]
            ]
            found = sorted([entry for entry in entries if _within(entry, query)], key=_created, reverse=True)
            return _page("log_entries", found, query, 100)
        incident = next((each for each in self.incidents if each["id"] == parts[1]), None)
        if incident is None:
            return Answer(404, {}, {"error": {"message": "Not Found", "code": 2100}})
        if len(parts) == 3:
            return _page("log_entries", incident["log_entries"], query, 100)
        return Answer(body={"incident": _without_log(incident)})

    def held(self) -> Iterator[Held]:
        for incident in self.incidents:
            entries = [entry for entry in incident["log_entries"] if entry["type"] in _TELLING]
            yield "rest.incident", {"incident": {**incident, "log_entries": entries}}, {}

    def change(self, at: datetime) -> None:
        """Resolve the oldest incident that is open."""
        incident = next(each for each in self.incidents if each["status"] != "resolved")
        now = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        incident.update(status="resolved", last_status_change_at=now)
        incident["log_entries"].insert(0, {"id": f"R{at:%H%M%S}", "type": "resolve_log_entry", "created_at": now})

    def double(self) -> None:
        self.incidents = [incident for incident in self.incidents for _ in range(2)]


def _later(recorded: dict[str, Any], days: int) -> dict[str, Any]:
    """Return a recorded incident as if it had happened so many days later."""
    incident = copy.deepcopy(recorded)
    incident["id"] = f"{incident['id']}{days or ''}"
    for place in (incident, *incident["log_entries"]):
        for name in ("created_at", "last_status_change_at"):
            if name in place:
                place[name] = f"{datetime.fromisoformat(place[name]) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
    return incident


def _without_log(incident: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in incident.items() if name != "log_entries"}


def _created(item: dict[str, Any]) -> str:
    return str(item["created_at"])


def _within(item: dict[str, Any], query: dict[str, str]) -> bool:
    return query.get("since", "") <= str(item["created_at"]) < query.get("until", "9")


def _page(name: str, items: list[dict[str, Any]], query: dict[str, str], most: int) -> Answer:
    start, size = int(query.get("offset", "0")), min(int(query["limit"]), most)
    return Answer(body={name: items[start : start + size], "more": start + size < len(items)})


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=Duty,
    scope="",
    token="a-token-to-keep",
    shown="Token token=a-token-to-keep",
)
