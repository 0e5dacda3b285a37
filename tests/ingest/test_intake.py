from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta

import pytest

from pipeline.events.errors import Rejected
from pipeline.ingest import deliveries
from pipeline.ingest.committer import Committer
from pipeline.ingest.intake import MAX_BODY_BYTES, Checked, Intake
from pipeline.log.protocol import DELIVERIES, Appended, EventLog
from tests.ingest.fakes import NOON, DatedForge, Forge, delivery, sign

SECRETS = {"forge": [b"old", b"new"]}


@pytest.fixture
def intake(log: EventLog) -> Iterator[Intake]:
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        yield Intake(committer, {"forge": Forge()}, lambda name: SECRETS[name], lambda: NOON)


def headers(body: bytes, secret: bytes = b"new", **more: str) -> dict[str, str]:
    told = {name.replace("_", "-"): value for name, value in more.items()}
    return {"X-Signature": sign(body, secret), "X-Kind": "changes", "X-Delivery": "d1", **told}


def accept(intake: Intake, connector: str, told: dict[str, str], body: bytes) -> Checked:
    checked = intake.check(connector, told, body)
    asyncio.run(intake.store(checked))
    return checked


def test_an_accepted_delivery_is_stored_as_it_came(intake: Intake, log: EventLog) -> None:
    body = b'[{"change": "\xff\x00"}]'
    told = headers(body, Content_Type="application/json", CE_ID="7", Authorization="Bearer x", Cookie="y")
    accepted = accept(intake, "forge", told, body)
    (stored,) = log.read(DELIVERIES)
    found = deliveries.from_stored(stored)
    assert (accepted.connector, accepted.id, accepted.kind, accepted.answer) == ("forge", "d1", "changes", None)
    assert (stored.source, stored.id, stored.key, stored.recorded) == ("delivery:forge", "d1", "forge", NOON)
    assert (found.connector, found.id, found.kind, found.received_at, found.body) == (
        "forge",
        "d1",
        "changes",
        NOON,
        body,
    )
    assert found.headers == {"content-type": "application/json", "ce-id": "7"}


def test_a_redelivery_is_accepted_and_stored_once(intake: Intake, log: EventLog) -> None:
    for secret in (b"old", b"new"):
        accept(intake, "forge", headers(b"[]", secret), b"[]")
    assert log.stat(DELIVERIES).records == 1


@pytest.mark.parametrize(
    ("connector", "body", "signature", "answer"),
    [
        ("forge", b"[]", "0" * 64, (401, "signature")),
        ("forge", b"[]", "", (401, "signature")),
        ("forrge", b"[]", None, (404, "there are: forge")),
        ("forge", bytes(MAX_BODY_BYTES + 1), None, (413, f"limit is {MAX_BODY_BYTES}")),
        ("forge", b"[" * 65 + b"]" * 65, None, (422, "64 levels")),
        # The signature comes first: a stranger learns nothing else.
        ("forge", b"[" * 65, "0" * 64, (401, "signature")),
    ],
)
def test_what_is_not_accepted_is_not_stored(
    intake: Intake, log: EventLog, connector: str, body: bytes, signature: str | None, answer: tuple[int, str]
) -> None:
    told = headers(body) if signature is None else {**headers(body), "X-Signature": signature}
    status, message = answer
    with pytest.raises(Rejected, match=message) as rejected:
        accept(intake, connector, told, body)
    assert (rejected.value.status, log.end(DELIVERIES)) == (status, 0)


def test_bodies_at_the_limits_pass(intake: Intake, log: EventLog) -> None:
    for number, body in enumerate([b"[" * 64 + b"]" * 64, b"x" * MAX_BODY_BYTES, b"not json [[[", b""]):
        accept(intake, "forge", {**headers(body), "X-Delivery": str(number)}, body)
    assert log.stat(DELIVERIES).records == 4


def test_a_genuine_delivery_that_cannot_be_described_is_kept(intake: Intake, log: EventLog) -> None:
    unnamed = {"X-Signature": sign(b"[]", b"new")}
    accepted = accept(intake, "forge", unnamed, b"[]")
    assert (accepted.kind, len(accepted.id)) == ("unknown", 32)
    accept(intake, "forge", unnamed, b"[]")
    assert log.stat(DELIVERIES).records == 1


@pytest.mark.parametrize(
    ("secrets", "unsigned", "passes"), [([], {"forge"}, True), ([], {}, False), ([b"s"], {"forge"}, False)]
)
def test_unsigned_pushes_pass_only_where_allowed_and_no_secret_is_set(
    log: EventLog, secrets: list[bytes], unsigned: set[str], passes: bool
) -> None:
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        intake = Intake(committer, {"forge": Forge()}, lambda _: secrets, lambda: NOON, unsigned=unsigned)
        with nullcontext() if passes else pytest.raises(Rejected, match="signature"):
            accept(intake, "forge", {"x-kind": "changes"}, b"[]")
    assert log.end(DELIVERIES) == int(passes)


@pytest.mark.parametrize(
    ("seconds", "configured", "passes"),
    [
        (0, None, True),
        (-300, None, True),
        (300, None, True),
        (-301, None, False),
        (301, None, False),
        (-3_600, timedelta(hours=1), True),
        (-31, timedelta(seconds=30), False),
    ],
)
def test_what_was_signed_too_long_ago_is_refused(
    log: EventLog, seconds: int, configured: timedelta | None, passes: bool
) -> None:
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        forges = {"forge": DatedForge()}
        intake = Intake(committer, forges, lambda _: [b"new"], lambda: NOON, window=lambda _: configured)
        body = (NOON + timedelta(seconds=seconds)).isoformat().encode()
        words = f"signed {abs(seconds)} seconds .*connectors.forge.replay_window"
        with nullcontext() if passes else pytest.raises(Rejected, match=words) as refused:
            accept(intake, "forge", headers(body), body)
    assert log.end(DELIVERIES) == int(passes)
    assert refused is None or refused.value.status == 401


def test_a_signature_is_checked_before_its_time(log: EventLog) -> None:
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        intake = Intake(committer, {"forge": DatedForge()}, lambda _: [b"new"], lambda: NOON)
        with pytest.raises(Rejected, match="signature"):
            intake.check("forge", headers(b"2020-01-01T00:00:00Z", b"guess"), b"2020-01-01T00:00:00Z")


def test_a_message_without_a_signed_time_has_no_age(log: EventLog) -> None:
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        intake = Intake(committer, {"forge": DatedForge()}, lambda _: [b"new"], lambda: NOON)
        accept(intake, "forge", headers(b""), b"")
    assert log.end(DELIVERIES) == 1


def test_fetched_deliveries_are_stored_in_bulk_and_only_once(log: EventLog) -> None:
    fetched = [delivery(str(number), "c") for number in range(2_500)]
    assert deliveries.store(log, iter(fetched), NOON) == Appended(2_500, 0)
    assert deliveries.store(log, iter(fetched[:10]), NOON) == Appended(0, 10)
    assert deliveries.store(log, [], NOON) == Appended(0, 0)
    assert deliveries.from_stored(log.read(DELIVERIES, after=2_499)[0]) == fetched[-1]
