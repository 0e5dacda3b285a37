"""What is ServiceNow's own in polling; `test_pollers.py` tries the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline.events.errors import ConfigError
from pipeline.events.polling import Access
from tests.connectors.polled import bodies, read
from tests.connectors.servicenow.recorded import RECORDED, Now
from tests.ingest.sources import NOW, Answer, serving

HOUR = timedelta(hours=1)


@pytest.fixture
def now() -> Iterator[Now]:
    with serving(Now()) as source:
        yield source


def test_an_account_in_another_zone_is_refused(now: Now) -> None:
    """ServiceNow reads the times of a query in the zone of the account: it would leave out hours of records."""
    now.zone = timedelta(hours=-5)
    with pytest.raises(ConfigError, match=r"connectors\.servicenow\.token.*GMT"):
        read(RECORDED, now)


def test_more_records_of_one_second_than_a_page_holds_are_all_told(now: Now) -> None:
    for record in now.incidents[3:10]:
        record["sys_updated_on"] = now.incidents[3]["sys_updated_on"]
    told = [each["result"]["number"]["value"] for each in bodies(read(RECORDED, now))]
    assert sorted(told) == [record["number"] for record in now.incidents]


def test_a_record_that_is_updated_on_the_way_hides_none(now: Now) -> None:
    def update(number: int, _: str) -> None:
        if number == 4:
            now.change(NOW)

    now.before = update
    told = [each["result"]["number"]["value"] for each in bodies(read(RECORDED, now))]
    assert set(told) == {record["number"] for record in now.incidents}


def test_a_page_of_records_that_are_hidden_is_no_end(now: Now) -> None:
    link = {"link": f'<{now.url}/api/now/table/incident?sysparm_offset=100>; rel="next"'}
    now.faults = {1: Answer(200, link, {"result": []})}
    read(RECORDED, now)
    asked = [parse_qs(urlsplit(target).query)["sysparm_offset"] for target in now.asked[:2]]
    assert asked == [["0"], ["100"]]


def test_a_query_and_the_bounds_are_joined(now: Now) -> None:
    read(RECORDED, now, "incident: priorityIN1,2", since=NOW - HOUR, until=NOW)
    (query,) = parse_qs(urlsplit(now.asked[0]).query)["sysparm_query"]
    assert query == (
        "priorityIN1,2^sys_updated_on>=2026-11-23 11:00:00^sys_created_on<2026-11-23 12:00:00"
        "^ORDERBYsys_updated_on^ORDERBYsys_id"
    )


def test_what_persons_wrote_is_not_kept(now: Now) -> None:
    assert "work_notes" in now.incidents[0]
    assert all("work_notes" not in each["result"] for each in bodies(read(RECORDED, now)))


def test_a_password_is_shown_as_basic(now: Now) -> None:
    with RECORDED.poller.client(Access(url=now.url, token="leadline:secret")) as client:
        assert client.headers["authorization"] == "Basic bGVhZGxpbmU6c2VjcmV0"


@pytest.mark.parametrize("scope", ["", "sys_user", "problem: active=true"])
def test_another_table_is_refused(now: Now, scope: str) -> None:
    with pytest.raises(ConfigError, match="incident or change_request"):
        read(RECORDED, now, scope)
    assert now.asked == []
