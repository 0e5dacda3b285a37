"""ServiceNow with some incidents, each made of one of its Table API (recorded by SuperPlane, Apache License 2.0)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.servicenow import CONNECTOR
from connectors.servicenow.poll import POLLER
from tests.connectors.recorded import Held, Recorded, Recording, pages_of
from tests.ingest.sources import Answer

PER_PAGE = 2
BEGIN = datetime(2026, 2, 20, 17, 0, 6, tzinfo=UTC)
SERVICE = "27d32778c0a8000b00db970eeaa60f16"
#: How a state is displayed.
STATES = {"2": "In Progress", "6": "Resolved", "7": "Closed"}


class Now(Recording):
    """Understands the comparisons of an encoded query, and sorts by when records were updated.

    `zone` is how far the clock of the account is ahead of UTC.
    """

    def __init__(self) -> None:
        super().__init__()
        recorded: dict[str, Any] = pages_of("servicenow")["incident"]
        self.zone = timedelta(0)
        self.incidents = [_record(recorded, number) for number in range(24)]

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path != "/api/now/table/incident":
            return Answer(400, {}, {"error": {"message": "Invalid table"}, "status": "failure"})
        found = [each for each in self.incidents if _matches(each, query["sysparm_query"])]
        found.sort(key=lambda each: (str(each["sys_updated_on"]), str(each["sys_id"])))
        start = int(query["sysparm_offset"])
        more = start + PER_PAGE < len(found)
        headers = {"link": f'<{self.url}{path}?sysparm_offset={start + PER_PAGE}>; rel="next"'} if more else {}
        return Answer(200, headers, {"result": [self.shown(each) for each in found[start : start + PER_PAGE]]})

    def shown(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return a record with what is displayed beside what is stored."""
        told = {name: {"value": value, "display_value": value} for name, value in record.items()}
        told["state"]["display_value"] = STATES[record["state"]]
        told["priority"]["display_value"] = "3 - Moderate"
        told["sys_class_name"]["display_value"] = "Incident"
        here = datetime.fromisoformat(record["sys_updated_on"]) + self.zone
        told["sys_updated_on"]["display_value"] = f"{here:%d/%m/%Y %H:%M:%S}"
        link = f"https://acme.service-now.com/api/now/table/cmdb_ci_service/{SERVICE}"
        told["business_service"] = {"value": SERVICE, "display_value": record["business_service"], "link": link}
        return told

    def held(self) -> Iterator[Held]:
        yield "rest.incident", {"result": [self.shown(each) for each in self.incidents]}, {}

    def change(self, at: datetime) -> None:
        """Resolve the first incident that is in progress."""
        record = next(each for each in self.incidents if each["state"] == "2")
        record.update(state="6", incident_state="6", resolved_at=_stored(at), sys_updated_on=_stored(at))

    def double(self) -> None:
        self.incidents = [each for each in self.incidents for _ in range(2)]


def _record(recorded: dict[str, Any], number: int) -> dict[str, Any]:
    opened_at = BEGIN + timedelta(days=number)
    times = {"opened_at": opened_at, "sys_created_on": opened_at, "sys_updated_on": opened_at + timedelta(hours=2)}
    record = {**recorded, **{name: _stored(at) for name, at in times.items()}}
    record.update(number=f"INC00{10456 + number}", sys_id=f"{number:02}d8a0b983c332104005f7efeeaad999")
    if number % 3 == 0:
        record.update(state="7", incident_state="7", resolved_at=_stored(opened_at + timedelta(hours=1)))
    return record


def _stored(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _matches(record: dict[str, Any], search: str) -> bool:
    for name, sign, bound in re.findall(r"(sys_\w+_on)(>=|<)([\d: -]+)", search):
        if (record[name] >= bound) != (sign == ">="):
            return False
    return True


RECORDED = Recorded(
    poller=POLLER,
    connector=CONNECTOR,
    source=Now,
    scope="incident",
    token="an-oauth-token-to-keep",
    shown="Bearer an-oauth-token-to-keep",
)
