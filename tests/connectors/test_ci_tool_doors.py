"""CI and deployment tools, and trackers, that sign nothing of theirs that could be checked here."""

from __future__ import annotations

import base64

import pytest

from pipeline.events.errors import ConfigError, Rejected
from pipeline.events.names import named, read_names
from pipeline.events.tickets import local_time
from tests.connectors.casebook import cases, connector

UNSIGNED = ["aws_codepipeline", "bamboo", "gcp_cloudbuild", "harness_cd", "octopus_deploy", "teambition", "zentao"]
DESCRIBED = [*UNSIGNED, "asana", "render", "taiga", "tapd"]
BASIC = "Basic " + base64.b64encode(b"leadline:s3cret").decode()


@pytest.mark.parametrize("name", UNSIGNED)
@pytest.mark.parametrize(
    "headers", [{"X-Leadline-Token": "s3cret"}, {"authorization": "Bearer s3cret"}, {"Authorization": BASIC}]
)
def test_the_secret_is_shown(name: str, headers: dict[str, str]) -> None:
    connector(name).verify(headers, b"{}", [b"old", b"s3cret"])
    with pytest.raises(Rejected):
        connector(name).verify(headers, b"{}", [b"old"])


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_body_has_the_kind_of_its_case(name: str) -> None:
    """Whatever is pushed or polled is described as what it is translated as."""
    genuine = [case for case in cases(name) if not case.name.startswith("bad_")]
    assert genuine
    for case in genuine:
        assert connector(name).describe({}, case.delivery.body)[0] == case.delivery.kind, case.name


@pytest.mark.parametrize("name", DESCRIBED)
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"[1]", b"null", b'"text"', b"\xff", b'[{"id": [1]}]'])
def test_what_is_none_of_theirs_is_described_all_the_same(name: str, body: bytes) -> None:
    kind, identity = connector(name).describe({}, body)
    assert kind
    assert identity


def test_names_are_pairs() -> None:
    assert read_names({"names": " a=b , c = d/e,"}) == {"a": "b", "c": "d/e"}
    assert named({"names": "a=b"}, "x") == "x"
    with pytest.raises(ConfigError, match="'a'"):
        read_names({"names": "a"})


@pytest.mark.parametrize(
    ("value", "offset", "expected"),
    [
        ("2023-03-17 10:43:59", "+08:00", "2023-03-17T02:43:59+00:00"),
        ("2023-03-17 10:43:59", "-03:30", "2023-03-17T14:13:59+00:00"),
        ("2023-03-17T10:43:59Z", "+08:00", "2023-03-17T10:43:59+00:00"),
        ("1679020999", "+08:00", "2023-03-17T02:43:19+00:00"),
    ],
)
def test_a_time_without_a_zone_is_that_of_the_clock(value: str, offset: str, expected: str) -> None:
    moment = local_time(value, "time", offset)
    assert moment is not None
    assert moment.isoformat() == expected


@pytest.mark.parametrize("offset", ["8", "+8", "+25:00", "+08:99", "08:00", "+0x:00"])
def test_an_offset_that_is_none_is_named(offset: str) -> None:
    with pytest.raises(ConfigError, match="utc_offset"):
        local_time("2023-03-17 10:43:59", "time", offset)
