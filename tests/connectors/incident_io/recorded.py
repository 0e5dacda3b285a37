"""incident.io with some incidents, in the shapes that the documentation of its API has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.incident_io import CONNECTOR
from connectors.incident_io.poll import POLLER
from tests.connectors.recorded import Held, Recorded, Recording
from tests.ingest.sources import Answer

PER_PAGE = 2
BEGIN = datetime(2026, 5, 4, 13, 28, 57, 801578, tzinfo=UTC)
HOUR = timedelta(hours=1)
#: What happened to each incident: the category of its status, and how long after the beginning.
HISTORIES = (
    [("live", 0), ("closed", 3)],
    [("triage", 0), ("live", 1), ("learning", 2), ("live", 5), ("closed", 9)],
    [("live", 0)],
    [("triage", 0), ("declined", 1)],
    [("live", 0), ("learning", 2), ("live", 3)],
)


class Responder(Recording):
    """Lists incidents, the oldest first, and the updates of one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.incidents: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        for number, history in enumerate(HISTORIES * 2):
            created_at = BEGIN + timedelta(days=number)
            incident: dict[str, Any] = {
                "id": f"01FDAG4SAP5TYPT98WGR2N7W{number:02}",
                "reference": f"INC-{number}",
                "name": f"Our database is sad ({number})",
                "permalink": f"https://app.incident.io/incidents/{number}",
                "mode": "standard",
                "visibility": "public",
                "created_at": _iso(created_at),
                "severity": {"id": "01FH5TZRWMNAFB0DZ23FD1TV96", "name": "Major", "rank": 2},
                "custom_field_entries": [],
                "incident_timestamp_values": [],
                "slack_channel_name": "inc-1",
            }
            self.incidents.append(incident)
            for category, hours in history:
                self.update(incident, category, created_at + hours * HOUR)

    def update(self, incident: dict[str, Any], category: str, at: datetime) -> None:
        status = {"id": "01FCNDV6P870EA6S7TK1DSYD5H", "name": category.title(), "category": category}
        incident.update(incident_status=status, updated_at=_iso(at))
        told = {"id": f"U{len(self.updates)}", "incident_id": incident["id"], "message": "We look into it."}
        self.updates.insert(0, {**told, "created_at": _iso(at), "new_incident_status": status})

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path == "/v2/incidents":
            until = query.get("created_at[lte]", "9")
            found = [
                each
                for each in sorted(self.incidents, key=lambda each: str(each["created_at"]))
                if each["updated_at"] >= query.get("updated_at[gte]", "") and each["created_at"][:10] <= until
            ]
            return _page("incidents", found, query)
        updates = [each for each in self.updates if each["incident_id"] == query["incident_id"]]
        return _page("incident_updates", updates, query)

    def held(self) -> Iterator[Held]:
        for incident in self.incidents:
            updates = [each for each in self.updates if each["incident_id"] == incident["id"]]
            yield "rest.incident", {"incident": incident, "incident_updates": updates}, {}

    def change(self, at: datetime) -> None:
        """Close the oldest incident that is live."""
        self.update(
            next(each for each in self.incidents if each["incident_status"]["category"] == "live"), "closed", at
        )

    def double(self) -> None:
        self.incidents = [each for each in self.incidents for _ in range(2)]
        self.updates = [each for each in self.updates for _ in range(2)]


def _page(name: str, items: list[dict[str, Any]], query: dict[str, str]) -> Answer:
    after = [index for index, item in enumerate(items) if item["id"] == query.get("after")]
    start = after[-1] + 1 if after else 0
    found = items[start : start + PER_PAGE]
    paging: dict[str, Any] = {"page_size": PER_PAGE, "total_record_count": len(items)}
    if start + PER_PAGE < len(items):
        paging["after"] = found[-1]["id"]
    return Answer(body={name: found, "pagination_meta": paging})


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=Responder,
    scope="",
    token="a-token-to-keep",
    shown="Bearer a-token-to-keep",
)
