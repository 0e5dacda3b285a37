"""Segment and RudderStack: who may send, which clock counts, and who a unit is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from pipeline.events.delivery import Context, Delivery, Observation
from pipeline.events.errors import ConfigError, Rejected
from tests.connectors.casebook import connector

SECRET = b"s3cret"
BODY = b'{"type":"track","event":"Signed Up"}'
#: printf '{"type":"track","event":"Signed Up"}' | openssl dgst -sha1 -hmac s3cret
SIGNED = "5b494fe089c438d7480b60c173cb4bee774f9044"
RECEIVED = datetime(2026, 3, 4, 12, tzinfo=UTC)


def read(name: str = "segment", received: datetime = RECEIVED, unit: str = "", **call: Any) -> Observation:
    told = {"type": "track", "event": "Signed Up", "userId": "u1", **call}
    body = msgspec.json.encode({key: value for key, value in told.items() if value is not None})
    delivery = Delivery(connector=name, id="d", kind="track", received_at=received, body=body)
    translation = connector(name).translate(
        delivery, Context(actor_key=b"key", settings={"unit": unit} if unit else {})
    )
    (observation,) = translation.observations
    return observation


@pytest.mark.parametrize("secrets", [[SECRET], [b"new", SECRET], [b"", SECRET]])
@pytest.mark.parametrize("shown", [SIGNED, SIGNED.upper(), f" {SIGNED} "])
def test_segment_signs_the_body(secrets: list[bytes], shown: str) -> None:
    connector("segment").verify({"X-Signature": shown}, BODY, secrets)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, BODY),
        ({"X-Signature": ""}, BODY),
        ({"X-Signature": SIGNED}, BODY + b" "),
        ({"X-Signature": SIGNED}, b"[" + BODY + b"," + BODY + b"]"),
        ({"X-Signature": SIGNED[:-1]}, BODY),
        ({"X-Signature": "\udcff"}, BODY),
        ({"X-Signature": SIGNED, "X-Leadline-Token": "guess"}, BODY),
    ],
)
def test_what_is_not_signed_is_refused(headers: dict[str, str], body: bytes) -> None:
    """The fourth is a batch as Segment signs it: under the signature of its first call anything could follow."""
    with pytest.raises(Rejected) as caught:
        connector("segment").verify(headers, body, [SECRET])
    assert caught.value.status == 401


@pytest.mark.parametrize("name", ["segment", "rudderstack"])
@pytest.mark.parametrize(
    "headers",
    [
        {"x-leadline-token": "s3cret"},
        {"Authorization": "Bearer s3cret"},
        {"Authorization": "Basic bGVhZGxpbmU6czNjcmV0"},
        {"X-Leadline-Token": "s3cret", "X-Signature": "of the first call alone"},
    ],
)
def test_the_secret_may_be_shown_instead(name: str, headers: dict[str, str]) -> None:
    connector(name).verify(headers, BODY, [b"other", SECRET])
    with pytest.raises(Rejected):
        connector(name).verify(headers, BODY, [b"other"])


@pytest.mark.parametrize("name", ["segment", "rudderstack"])
@pytest.mark.parametrize(
    ("times", "hour"),
    [
        ({"timestamp": "2026-03-04T01:00:00Z", "originalTimestamp": "2026-03-04T05:00:00Z"}, 1),
        (
            {
                "originalTimestamp": "2026-03-04T05:00:00Z",
                "sentAt": "2026-03-04T06:00:00Z",
                "receivedAt": "2026-03-04T03:00:00Z",
            },
            2,
        ),
        ({"originalTimestamp": "2026-03-04T05:00:00Z", "receivedAt": "2026-03-04T08:00:00Z"}, 5),
        ({"receivedAt": "2026-03-04T08:00:00Z", "sentAt": "2026-03-04T09:00:00Z"}, 8),
        ({"timestamp": "2026-03-04T07:30:00", "sentAt": None}, 7),
        ({}, 12),
    ],
)
def test_time_is_the_corrected_one_as_far_as_it_is_told(name: str, times: dict[str, Any], hour: int) -> None:
    assert read(name, **times).at.hour == hour


def test_a_call_without_id_and_time_is_known_by_its_content() -> None:
    first, again = read(), read(received=datetime(2026, 3, 5, tzinfo=UTC))
    assert (first.id, first.at != again.at) == (again.id, True)
    assert len({first.id, read(userId="u2").id, read(event="Left").id, read(properties={"a": 1}).id}) == 4


@pytest.mark.parametrize(
    ("unit", "told", "same_as"),
    [
        ("", {"userId": "u1", "anonymousId": "a1"}, "u1"),
        ("user", {"userId": None, "anonymousId": "a1"}, "a1"),
        ("anonymous", {"userId": "u1", "anonymousId": "a1"}, "a1"),
        ("anonymous", {"userId": "u1"}, "u1"),
        ("group", {"groupId": "g1", "context": {"groupId": "g2"}}, "g1"),
        ("group", {"context": {"groupId": 7}}, "7"),
        ("group", {"userId": "u1"}, None),
    ],
)
def test_the_unit_is_who_the_setting_says(unit: str, told: dict[str, Any], same_as: str | None) -> None:
    assert read(unit=unit, **told).unit == (Context(actor_key=b"key").actor(same_as) or "")


def test_a_unit_that_there_is_not_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(
        ConfigError, match=r"connectors\.segment\.settings\.unit is 'team'; write user, anonymous, group"
    ):
        read(unit="team")
