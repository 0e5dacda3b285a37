"""What is PagerDuty's own in polling; `test_pollers.py` tries the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline.events.incidents import REOPENED, RESOLVED
from tests.connectors.pagerduty.recorded import RECORDED, Duty
from tests.connectors.polled import bodies, events, read
from tests.ingest.sources import NOW, serving

HOUR = timedelta(hours=1)


@pytest.fixture
def duty() -> Iterator[Duty]:
    with serving(Duty()) as source:
        yield source


def test_no_search_is_longer_than_pagerduty_searches(duty: Duty) -> None:
    """The incidents lie 400 days apart, and PagerDuty searches half a year at a time."""
    assert len(bodies(read(RECORDED, duty))) == 6
    searches = [parse_qs(urlsplit(target).query) for target in duty.asked if target.startswith("/incidents?since")]
    spans = [tuple(search[name][0] for name in ("since", "until")) for search in searches]
    assert len(spans) > 4
    assert all(since[:4] == until[:4] or int(until[5:7]) < int(since[5:7]) for since, until in spans)


def test_each_end_and_reopening_is_told(duty: Duty) -> None:
    incident = duty.incidents[1]
    first = incident["log_entries"][0]
    assert first["type"] == "resolve_log_entry"
    for minutes, kind in ((20, "reopen"), (40, "resolve")):
        at = f"2022-11-03T07:{minutes}:00Z"
        entry = {"id": f"R{minutes}", "type": f"{kind}_log_entry", "created_at": at}
        incident["log_entries"].insert(0, entry)
    incident["last_status_change_at"] = "2022-11-03T07:40:00Z"
    told = [event for event in events(RECORDED, read(RECORDED, duty)) if event.subject == incident["id"]]
    assert Counter(event.type for event in told)[RESOLVED] == 2
    assert [f"{event.time:%H:%M}" for event in told if event.type == REOPENED] == ["07:20"]


def test_an_old_incident_that_ended_since_is_found_in_the_log(duty: Duty) -> None:
    duty.change(NOW - HOUR / 2)
    (told,) = bodies(read(RECORDED, duty, since=NOW - HOUR))
    assert (told["incident"]["status"], told["incident"]["created_at"][:4]) == ("resolved", "2022")


def test_who_was_called_is_not_kept(duty: Duty) -> None:
    kinds = {entry["type"] for told in bodies(read(RECORDED, duty)) for entry in told["incident"]["log_entries"]}
    assert kinds == {"trigger_log_entry", "resolve_log_entry"}


def test_a_log_that_is_longer_than_can_be_listed_is_halved(duty: Duty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.pagerduty.poll.PER_PAGE", 2)
    monkeypatch.setattr("connectors.pagerduty.poll.DEEPEST", 4)
    for minutes in range(0, 90, 10):
        duty.incidents[0]["log_entries"].insert(
            0, {"id": f"N{minutes}", "type": "notify_log_entry", "created_at": f"2026-11-23T10:{minutes % 60:02}:00Z"}
        )
    duty.change(NOW - HOUR / 2)
    changed = bodies(read(RECORDED, duty, since=NOW - 3 * HOUR))
    assert {told["incident"]["id"] for told in changed} == {duty.incidents[0]["id"]}
    deep = [parse_qs(urlsplit(target).query) for target in duty.asked if target.startswith("/log_entries")]
    assert max(int(query["offset"][0]) for query in deep) <= 2
    assert len({query["until"][0] for query in deep}) > 2


def test_services_are_asked_for_and_others_left_out(duty: Duty) -> None:
    duty.change(NOW - HOUR / 2)
    assert bodies(read(RECORDED, duty, "PSOMEELSE", since=NOW - HOUR)) == []
    assert len(bodies(read(RECORDED, duty, "PSOMEELSE, PIKL83L", since=NOW - HOUR))) == 1
    searches = [target for target in duty.asked if target.startswith("/incidents?")]
    assert parse_qs(urlsplit(searches[-1]).query)["service_ids[]"] == ["PSOMEELSE", "PIKL83L"]
