"""What is Datadog's own in polling; `test_pollers.py` tries the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.polling import Access, Checkpoint
from tests.connectors.datadog.recorded import RECORDED, Dog
from tests.connectors.polled import bodies, memory, read
from tests.ingest.sources import NOW, serving

DAY = timedelta(days=1)


@pytest.fixture
def dog() -> Iterator[Dog]:
    with serving(Dog()) as source:
        yield source


def numbers(told: list[dict[str, dict[str, dict[str, int]]]]) -> set[int]:
    return {each["data"]["attributes"]["public_id"] for each in told}


def test_an_incident_that_is_deleted_while_pages_are_read_hides_none(dog: Dog) -> None:
    def delete(number: int, _: str) -> None:
        if number == 5:
            del dog.incidents[2]

    dog.before = delete
    assert numbers(bodies(read(RECORDED, dog))) == set(range(30))


def test_a_list_that_never_stands_still_is_tried_again(dog: Dog) -> None:
    def turn(*_: object) -> None:
        dog.incidents = [*dog.incidents[7:], *dog.incidents[:7]]

    dog.before = turn
    with pytest.raises(Retryable, match="not where it was"):
        read(RECORDED, dog)


def test_a_cursor_whose_incident_is_gone_begins_again(dog: Dog) -> None:
    assert numbers(bodies(read(RECORDED, dog, checkpoint=Checkpoint(cursor="7 gone")))) == set(range(30))


def test_an_old_incident_that_was_open_is_asked_for_until_it_ends(dog: Dog) -> None:
    known = memory(read(RECORDED, dog))
    assert len(known) == 15
    dog.change(NOW - DAY / 2)
    polled = read(RECORDED, dog, since=NOW - DAY, checkpoint=Checkpoint(memory=known))
    assert numbers(bodies(polled)) == {1}
    assert memory(polled) == {dog.incidents[1]["id"]: ""}
    del dog.incidents[3]
    again = read(RECORDED, dog, since=NOW - DAY, checkpoint=Checkpoint(memory=known))
    assert list(memory(again).values()) == ["", ""]


def test_persons_are_not_kept(dog: Dog) -> None:
    assert "mona" not in json.dumps(bodies(read(RECORDED, dog)))


def test_both_keys_are_needed() -> None:
    with pytest.raises(ConfigError, match=r"connectors\.datadog\.token"):
        RECORDED.poller.client(Access(token="one-key"))
    with RECORDED.poller.client(Access(token="one:two")) as client:
        assert (client.headers["dd-api-key"], client.headers["dd-application-key"]) == ("one", "two")
