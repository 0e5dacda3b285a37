"""Opsgenie with some alerts, in the shape that the documentation of its Alert API has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.opsgenie import CONNECTOR
from connectors.opsgenie.poll import POLLER
from tests.connectors.recorded import Held, Recorded, Recording
from tests.ingest.sources import Answer

PER_PAGE = 2
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
#: What a list leaves out of an alert.
_DETAILS = ("details", "description", "entity", "actions")


def alert(number: int, created_at: datetime, closed_after: timedelta | None = None) -> dict[str, Any]:
    """Return an alert as it is answered alone."""
    told: dict[str, Any] = {
        "id": f"70413a06-38d6-4c85-92b8-5ebc900d42{number:02}",
        "tinyId": str(1700 + number),
        "alias": f"event_{number}",
        "message": f"Our servers are in danger ({number})",
        "status": "open",
        "acknowledged": False,
        "isSeen": True,
        "tags": ["service:checkout", "env:prod"],
        "snoozed": False,
        "count": 1,
        "lastOccurredAt": _iso(created_at),
        "createdAt": _iso(created_at),
        "updatedAt": _iso(created_at),
        "source": "Isengard",
        "priority": "P1",
        "responders": [{"id": "4513b7ea-3b91-438f-b7e4-e3e54af9147c", "type": "team"}],
        "integration": {"id": "4513b7ea-3b91-438f-b7e4-e3e54af9147c", "name": "Nebuchadnezzar", "type": "API"},
        "entity": "server1",
        "description": "Example description",
        "details": {"serverName": "Zion", "region": "Oregon", "deployment": f"shop@{number}"},
        "actions": ["Restart"],
    }
    if closed_after is not None:
        close(told, created_at + closed_after)
    return told


def close(told: dict[str, Any], at: datetime) -> None:
    created_at = datetime.fromisoformat(told["createdAt"])
    milliseconds = round((at - created_at) / timedelta(milliseconds=1))
    told.update(status="closed", updatedAt=_iso(at), report={"closeTime": milliseconds})


class Genie(Recording):
    """Searches alerts by when they were created, sorts them as asked for, and tells details only of a single one."""

    def __init__(self) -> None:
        super().__init__()
        ends = (timedelta(minutes=7), None, timedelta(hours=30), None, timedelta(seconds=90, milliseconds=345))
        self.alerts = [alert(number, BEGIN + timedelta(days=number), end) for number, end in enumerate(ends * 2)]

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path == "/v1/incidents":
            return Answer(body={"data": [], "paging": {}, "took": 0.1})
        if path != "/v2/alerts":
            found = [each for each in self.alerts if each["id"] == path.rpartition("/")[2]]
            return Answer(body={"data": found[0], "took": 0.1}) if found else Answer(404, {}, {"message": "not found"})
        alerts = [each for each in self.alerts if _matches(each, query["query"])]
        alerts.sort(key=lambda each: str(each[query["sort"]]), reverse=query["order"] == "desc")
        start, size = int(query["offset"]), min(int(query["limit"]), PER_PAGE)
        paging = {"first": f"{self.url}{path}?offset=0"}
        if start + size < len(alerts):
            paging["next"] = f"{self.url}{path}?offset={start + size}"
        listed = [
            {name: value for name, value in each.items() if name not in _DETAILS}
            for each in alerts[start : start + size]
        ]
        return Answer(body={"data": listed, "paging": paging, "took": 0.1, "requestId": "r"})

    def held(self) -> Iterator[Held]:
        for each in self.alerts:
            yield "rest", {"data": each}, {}

    def change(self, at: datetime) -> None:
        """Close the oldest alert that is open."""
        close(next(each for each in self.alerts if each["status"] == "open"), at)

    def double(self) -> None:
        self.alerts = [each for each in self.alerts for _ in range(2)]


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _matches(told: dict[str, Any], search: str) -> bool:
    for name, sign, bound in re.findall(r"(createdAt|updatedAt) (>=|<) (\d+)", search):
        milliseconds = datetime.fromisoformat(told[name]).timestamp() * 1000
        if (milliseconds >= int(bound)) != (sign == ">="):
            return False
    return True


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=Genie,
    scope="alerts",
    token="a-token-to-keep",
    shown="GenieKey a-token-to-keep",
)
