"""What is Buildkite's own in polling; `test_pollers.py` tries the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline.events.errors import ConfigError
from tests.connectors.buildkite.recorded import RECORDED, Kite
from tests.connectors.polled import bodies, read
from tests.ingest.sources import NOW, serving

HOUR = timedelta(hours=1)


@pytest.fixture
def kite() -> Iterator[Kite]:
    with serving(Kite()) as source:
        yield source


def test_more_builds_of_one_second_than_a_page_holds_are_all_told(kite: Kite) -> None:
    for build in kite.builds[3:10]:
        build["created_at"] = kite.builds[3]["created_at"]
    assert {told["number"] for told in bodies(read(RECORDED, kite))} == set(range(24))


def test_a_build_that_is_deleted_while_pages_are_read_hides_none(kite: Kite) -> None:
    def delete(number: int, _: str) -> None:
        if number == 5:
            del kite.builds[-3:]

    kite.before = delete
    assert {told["number"] for told in bodies(read(RECORDED, kite))} >= set(range(21))


def test_an_old_build_that_finished_since_is_found(kite: Kite) -> None:
    kite.change(NOW - HOUR / 2)
    (told,) = bodies(read(RECORDED, kite, since=NOW - HOUR))
    assert (told["number"], told["state"]) == (3, "passed")
    asked = [parse_qs(urlsplit(target).query) for target in kite.asked]
    assert [sorted(set(each) & {"created_from", "finished_from"}) for each in asked] == [
        ["created_from"],
        ["finished_from"],
    ]


def test_only_what_tells_of_delivery_is_kept(kite: Kite) -> None:
    for build in kite.builds:
        build["meta_data"] = {"environment": "production", "release-notes": "secret"}
        build["env"] = {"TOKEN": "secret"}
        build["jobs"][0]["command"] = "deploy --password secret"
    told = bodies(read(RECORDED, kite))
    assert {each["meta_data"]["environment"] for each in told} == {"production"}
    assert "secret" not in json.dumps(told)
    assert "mona" not in json.dumps(told)


def test_one_pipeline_has_an_address_of_its_own(kite: Kite) -> None:
    read(RECORDED, kite, "my-great-org/deploy", until=NOW)
    assert set(kite.paths()) == {"/organizations/my-great-org/pipelines/deploy/builds"}


@pytest.mark.parametrize("scope", ["", "my-great-org/", "my-great-org/deploy/builds", "/deploy"])
def test_a_scope_that_is_none_is_refused(kite: Kite, scope: str) -> None:
    with pytest.raises(ConfigError, match="ORGANIZATION/PIPELINE"):
        read(RECORDED, kite, scope)
    assert kite.asked == []
