"""Datadog with some incidents, in the shape that the documentation of its API has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.datadog import CONNECTOR
from connectors.datadog.poll import POLLER
from tests.connectors.polled import show_in
from tests.connectors.recorded import Held, Recorded, Recording
from tests.ingest.sources import Answer

LIST = "/api/v2/incidents"
PER_PAGE = 3
BEGIN = datetime(2026, 1, 19, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Dog(Recording):
    """Lists incidents by number, and searches them, the newest first."""

    def __init__(self) -> None:
        super().__init__()
        show_in(self, "dd-application-key")
        self.incidents = [_incident(number) for number in range(30)]
        for incident in self.incidents[::2]:
            resolve(incident, datetime.fromisoformat(incident["attributes"]["created"]) + HOUR)

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path not in (LIST, f"{LIST}/search"):
            alone = [each for each in self.incidents if path == f"{LIST}/{each['id']}"]
            return Answer(body={"data": alone[0]}) if alone else Answer(404, {}, {"errors": ["Not found"]})
        start, incidents = int(query["page[offset]"]), self.incidents
        if path != LIST:
            incidents = sorted(incidents, key=lambda each: str(each["attributes"]["created"]), reverse=True)
        found = incidents[start : start + PER_PAGE]
        paging = {"pagination": {"offset": start, "next_offset": start + len(found), "size": len(found)}}
        if path == LIST:
            return Answer(body={"data": found, "meta": paging})
        hits = {"total": len(incidents), "facets": {}, "incidents": [{"data": each} for each in found]}
        told = {"type": "incidents_search_results", "attributes": hits}
        return Answer(body={"data": told, "meta": paging})

    def held(self) -> Iterator[Held]:
        yield "incident", {"data": self.incidents}, {}

    def change(self, at: datetime) -> None:
        """Resolve the first incident that is active."""
        resolve(next(each for each in self.incidents if each["attributes"]["state"] == "active"), at)

    def double(self) -> None:
        self.incidents = [each for each in self.incidents for _ in range(2)]


def resolve(incident: dict[str, Any], at: datetime) -> None:
    incident["attributes"].update(state="resolved", resolved=at.isoformat(), modified=at.isoformat())


def _incident(number: int) -> dict[str, Any]:
    created = BEGIN + timedelta(days=number)
    attributes = {
        "public_id": number,
        "title": "Checkout is down",
        "created": created.isoformat(),
        "modified": (created + HOUR / 2).isoformat(),
        "detected": (created - timedelta(minutes=2)).isoformat(),
        "resolved": None,
        "state": "active",
        "severity": "SEV-1",
        "notification_handles": [{"display_name": "Mona", "handle": "@mona@example.com"}],
        "fields": {"services": {"type": "autocomplete", "value": ["checkout"]}, "env": {"value": "prod"}},
    }
    return {"id": f"00000000-0000-0000-1234-0000000000{number:02}", "type": "incidents", "attributes": attributes}


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=Dog,
    scope="",
    token="an-api-key-to-keep:an-application-key-to-keep",
    shown="an-application-key-to-keep",
)
