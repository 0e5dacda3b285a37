"""Statuspage with one page, made of an incident as its API answers it (recorded by SuperPlane, Apache License 2.0)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.statuspage import CONNECTOR
from connectors.statuspage.poll import POLLER
from tests.connectors.recorded import Held, Recorded, Recording, pages_of
from tests.ingest.sources import Answer

PAGE = "kctbh9vrtdwd"
PER_PAGE = 2
BEGIN = datetime(2026, 1, 12, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


class StatusPages(Recording):
    """Lists incidents, the newest first."""

    def __init__(self) -> None:
        super().__init__()
        recorded = pages_of("statuspage")["incident"]
        self.incidents = [_incident(recorded, number) for number in range(24)]
        for incident in self.incidents[::3]:
            resolve(incident, datetime.fromisoformat(incident["created_at"]) + HOUR)

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path == f"/pages/{PAGE}/incidents":
            found = sorted(self.incidents, key=lambda each: str(each["created_at"]), reverse=True)
            start = (int(query["page"]) - 1) * PER_PAGE
            return Answer(body=found[start : start + PER_PAGE])
        alone = [each for each in self.incidents if path == f"/pages/{PAGE}/incidents/{each['id']}"]
        return Answer(body=alone[0]) if alone else Answer(404, {}, {"error": "Not found"})

    def held(self) -> Iterator[Held]:
        for incident in self.incidents:
            yield "rest.incident", incident, {}

    def change(self, at: datetime) -> None:
        """Resolve the oldest incident that is open."""
        resolve(next(each for each in self.incidents if each["status"] != "resolved"), at)

    def double(self) -> None:
        self.incidents = [each for each in self.incidents for _ in range(2)]


def resolve(incident: dict[str, Any], at: datetime) -> None:
    now = _iso(at)
    incident.update(status="resolved", updated_at=now, resolved_at=now)
    update = {"id": f"upd{at:%H%M%S}", "status": "resolved", "body": "It works.", "created_at": now, "display_at": now}
    incident["incident_updates"].insert(0, {**update, "affected_components": None})


def _incident(recorded: dict[str, Any], number: int) -> dict[str, Any]:
    """Return the recorded incident as if it had happened once more, some days later."""
    incident = copy.deepcopy(recorded)
    created_at = BEGIN + timedelta(days=number)
    updated_at = created_at + HOUR / 2
    incident.update(id=f"p31zjtct2j{number:02}", created_at=_iso(created_at), updated_at=_iso(updated_at))
    for update, at in zip(incident["incident_updates"], (updated_at, created_at), strict=True):
        update.update(created_at=_iso(at), updated_at=_iso(at), display_at=_iso(at))
    return incident


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=StatusPages,
    scope=PAGE,
    token="a-token-to-keep",
    shown="OAuth a-token-to-keep",
)
