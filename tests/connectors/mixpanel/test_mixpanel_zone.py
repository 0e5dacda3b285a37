"""Exports of old projects count the seconds of a wall clock in the zone of the project."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from connectors.mixpanel import CONNECTOR
from pipeline.events.delivery import Context, Delivery
from pipeline.events.errors import ConfigError, Quarantined
from tests.connectors.casebook import RECEIVED_AT


def told(moment: datetime, zone: str, kind: str = "export.events") -> datetime:
    """Return the instant of an event whose wall clock showed `moment`."""
    seconds = int(moment.replace(tzinfo=UTC).timestamp())
    body = json.dumps({"event": "e", "properties": {"time": seconds, "distinct_id": "u"}}).encode()
    delivery = Delivery(connector="mixpanel", id="d", kind=kind, received_at=RECEIVED_AT, body=body)
    context = Context(actor_key=b"key", settings={"timezone": zone})
    return CONNECTOR.translate(delivery, context).observations[0].at


@pytest.mark.parametrize(
    ("zone", "hour"), [("", 12), ("UTC", 12), ("US/Pacific", 20), ("Asia/Kolkata", 7), ("Europe/Berlin", 11)]
)
def test_the_zone_is_taken_off(zone: str, hour: int) -> None:
    assert told(datetime(2024, 1, 15, 12, 30), zone).hour == hour  # noqa: DTZ001 - a wall clock


def test_summer_time_counts() -> None:
    assert told(datetime(2024, 7, 15, 12), "Europe/Berlin") == datetime(2024, 7, 15, 10, tzinfo=UTC)  # noqa: DTZ001 - a wall clock


def test_sent_events_are_in_utc() -> None:
    moment = datetime(2024, 1, 15, 12)  # noqa: DTZ001 - a wall clock
    assert told(moment, "US/Pacific", "events") == moment.replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "US", "\x00"])
def test_a_zone_that_is_none_names_the_setting(zone: str) -> None:
    with pytest.raises(ConfigError, match="timezone"):
        told(datetime(2024, 1, 15), zone)  # noqa: DTZ001 - a wall clock


def test_an_instant_at_the_end_of_time_is_quarantined() -> None:
    with pytest.raises(Quarantined, match="bad_time"):
        told(datetime(1, 1, 1), "Asia/Tokyo")  # noqa: DTZ001 - a wall clock
