"""What is Opsgenie's own in polling; `test_pollers.py` tries the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline.events.errors import ConfigError
from pipeline.events.types import IncidentEvent
from tests.connectors.opsgenie.recorded import RECORDED, Genie, close
from tests.connectors.polled import bodies, events, read
from tests.ingest.sources import NOW, Answer, serving

DAY = timedelta(days=1)


@pytest.fixture
def genie() -> Iterator[Genie]:
    with serving(Genie()) as source:
        yield source


def test_details_that_no_list_has_are_asked_for(genie: Genie) -> None:
    told = events(RECORDED, read(RECORDED, genie))
    assert {event.data.deployment for event in told if isinstance(event.data, IncidentEvent)} == {
        f"shop@{number}" for number in range(10)
    }


def test_a_note_after_the_end_does_not_move_the_end(genie: Genie) -> None:
    before = {event.id: event for event in events(RECORDED, read(RECORDED, genie)) if "resolved" in event.type}
    genie.alerts[0]["updatedAt"] = "2026-11-01T00:00:00.000Z"
    assert {event.id for event in events(RECORDED, read(RECORDED, genie)) if "resolved" in event.type} == set(before)


def test_an_old_alert_that_was_closed_since_is_found(genie: Genie) -> None:
    assert bodies(read(RECORDED, genie, since=NOW - DAY)) == []
    close(genie.alerts[1], NOW - DAY / 2)
    (told,) = bodies(read(RECORDED, genie, since=NOW - DAY))
    assert told["data"]["id"] == genie.alerts[1]["id"]


def test_an_alert_that_is_deleted_while_it_is_read_is_passed_over(genie: Genie) -> None:
    genie.faults = {2: Answer(404, {}, {"message": "Alert with id does not exist"})}
    assert len(bodies(read(RECORDED, genie))) == 9


def test_a_search_narrows_both_lists(genie: Genie) -> None:
    read(RECORDED, genie, "alerts: priority: P1 OR tag: prod", since=NOW - DAY)
    queries = [parse_qs(urlsplit(target).query)["query"][0] for target in genie.asked]
    assert len(queries) == 2
    assert all(query.endswith(" AND (priority: P1 OR tag: prod)") for query in queries)


def test_more_than_opsgenie_lists_is_said(genie: Genie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.opsgenie.poll.DEEPEST", 103)
    for alert in genie.alerts:
        close(alert, NOW - DAY / 2)
    with pytest.raises(ConfigError, match="earlier `since`"):
        read(RECORDED, genie, since=NOW - DAY)


def test_incidents_of_the_last_months_are_looked_at_again(genie: Genie) -> None:
    since = NOW - DAY
    read(RECORDED, genie, "incidents", since=since)
    (asked,) = genie.asked
    assert urlsplit(asked).path == "/v1/incidents"
    milliseconds = int((since - 90 * DAY).timestamp() * 1000)
    assert parse_qs(urlsplit(asked).query)["query"] == [f"createdAt >= {milliseconds}"]


def test_a_list_that_there_is_not_is_refused(genie: Genie) -> None:
    with pytest.raises(ConfigError, match="alerts or incidents"):
        read(RECORDED, genie, "teams")
    assert genie.asked == []
