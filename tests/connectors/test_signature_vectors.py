"""Every scheme accepts what the vendor signed, and nothing with a change of a byte, a header, a secret or a clock."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from pipeline.events.delivery import Dated
from pipeline.events.errors import Rejected
from pipeline.ingest.committer import Committer
from pipeline.ingest.intake import Intake
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import DELIVERIES
from tests.connectors.casebook import connector, connector_names
from tests.connectors.vectors import NOT_PUSHED, SHOWN, VECTORS, Vector

each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector.connector}-{vector.published}")


def verify(vector: Vector, headers: dict[str, str], body: bytes, *secrets: bytes) -> None:
    connector(vector.connector).verify(headers, body, secrets or (vector.secret,))


def refused(vector: Vector, headers: dict[str, str], body: bytes, *secrets: bytes) -> bool:
    with pytest.raises(Rejected) as caught:
        verify(vector, headers, body, *secrets)
    return caught.value.status == 401


def test_every_connector_is_here() -> None:
    signing = {vector.connector for vector in VECTORS}
    assert signing | SHOWN | NOT_PUSHED == {*connector_names()}
    assert not signing & SHOWN


@each_vector
def test_it_is_accepted_under_any_of_several_secrets(vector: Vector) -> None:
    for secrets in ((vector.secret,), (b"old", vector.secret), (vector.secret, b"", b"new")):
        verify(vector, vector.headers, vector.body, *secrets)
    verify(vector, {name.lower(): value for name, value in vector.headers.items()}, vector.body)


@each_vector
def test_another_secret_does_not_vouch(vector: Vector) -> None:
    other = b"whsec_" + base64.b64encode(b"another key") if vector.secret.startswith(b"whsec_") else b"other"
    assert refused(vector, vector.headers, vector.body, other)
    assert refused(vector, vector.headers, vector.body, vector.secret + b"x")
    assert refused(vector, vector.headers, vector.body, b"")


@each_vector
def test_any_other_body_is_refused(vector: Vector) -> None:
    flipped = [
        vector.body[:at] + bytes([vector.body[at] ^ 1]) + vector.body[at + 1 :]
        for at in {0, len(vector.body) // 2, len(vector.body) - 1}
    ]
    for body in (b"", vector.body[:-1], vector.body + b"\n", b" " + vector.body, vector.body * 2, *flipped):
        assert refused(vector, vector.headers, body)


@each_vector
def test_any_other_header_is_refused(vector: Vector) -> None:
    for name, value in vector.headers.items():
        changed = [value[:at] + ("0" if value[at] != "0" else "1") + value[at + 1 :] for at in range(len(value) - 1)]
        for given in ("", "\u00e9", value[:-2], value[1:], *changed):
            assert refused(vector, {**vector.headers, name: given}, vector.body), f"{name}: {given}"
        assert refused(vector, {other: each for other, each in vector.headers.items() if other != name}, vector.body)


@each_vector
def test_the_signed_time_is_read(vector: Vector) -> None:
    found = connector(vector.connector)
    signed = found.signed_at(vector.headers, vector.body) if isinstance(found, Dated) else None
    assert signed == (None if vector.signed_at is None else vector.sent)


@each_vector
@pytest.mark.parametrize("years", [-1, 0, 1])
def test_another_clock_refuses_what_signs_its_time(vector: Vector, years: int) -> None:
    now = vector.sent + timedelta(days=365 * years)
    with Committer(MemoryLog(), DELIVERIES, lambda: now) as committer:
        doors = {vector.connector: connector(vector.connector)}
        intake = Intake(committer, doors, lambda _: [vector.secret], lambda: now)
        if years == 0 or vector.signed_at is None:
            assert intake.check(vector.connector, vector.headers, vector.body).connector == vector.connector
            return
        with pytest.raises(Rejected, match=f"connectors.{vector.connector}.replay_window"):
            intake.check(vector.connector, vector.headers, vector.body)


@pytest.mark.parametrize("seconds", ["", "soon", "-1", "1614265330.5", "1e9", "\u0661", "9" * 40])
def test_a_signed_time_that_is_none_is_refused(seconds: str) -> None:
    for name, headers in {
        "buildkite": {"X-Buildkite-Signature": f"timestamp={seconds},signature=00"},
        "rootly": {"X-Rootly-Signature": f"t={seconds},v1=00"},
        "grafana_alerting": {"X-Grafana-Alerting-Signature": "00", "X-Grafana-Alerting-Timestamp": seconds},
    }.items():
        dated = connector(name)
        assert isinstance(dated, Dated)
        with pytest.raises(Rejected, match="seconds since 1970"):
            dated.signed_at(headers, b"{}")
