"""What is incident.io's own in polling; `test_pollers.py` tries the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline.events.incidents import REOPENED, RESOLVED
from tests.connectors.incident_io.recorded import BEGIN, HOUR, RECORDED, Responder
from tests.connectors.polled import bodies, events, read
from tests.ingest.sources import NOW, serving


@pytest.fixture
def responder() -> Iterator[Responder]:
    with serving(Responder()) as source:
        yield source


def test_each_end_and_reopening_is_told(responder: Responder) -> None:
    incident = responder.incidents[1]
    begin = BEGIN + timedelta(days=1)
    told = [event for event in events(RECORDED, read(RECORDED, responder)) if event.subject == incident["id"]]
    marks = {(event.type, event.time) for event in told if event.type in (RESOLVED, REOPENED)}
    assert marks == {
        (RESOLVED, (begin + 2 * HOUR).replace(microsecond=0)),
        (REOPENED, (begin + 5 * HOUR).replace(microsecond=0)),
        (RESOLVED, begin + 9 * HOUR),
    }


def test_a_poll_asks_for_whole_days_and_tells_what_changed_since(responder: Responder) -> None:
    responder.update(responder.incidents[0], "closed", NOW - 5 * HOUR)
    responder.update(responder.incidents[1], "closed", NOW - HOUR)
    (told,) = bodies(read(RECORDED, responder, since=NOW - 2 * HOUR))
    assert told["incident"]["id"] == responder.incidents[1]["id"]
    assert parse_qs(urlsplit(responder.asked[0]).query)["updated_at[gte]"] == [f"{NOW:%Y-%m-%d}"]


def test_who_did_what_is_not_kept(responder: Responder) -> None:
    for incident in responder.incidents:
        incident["creator"] = {"user": {"name": "Mona", "email": "mona@example.com"}}
        incident["incident_role_assignments"] = [{"assignee": {"name": "Mona"}}]
    for update in responder.updates:
        update["updater"] = {"user": {"name": "Mona"}}
    told = bodies(read(RECORDED, responder))
    assert len(told) == 10
    assert "Mona" not in json.dumps(told)


def test_how_many_there_are_is_expected(responder: Responder) -> None:
    assert {page.expected for page in read(RECORDED, responder) if page.deliveries} == {10}
