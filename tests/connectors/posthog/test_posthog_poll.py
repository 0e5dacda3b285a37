"""The poller against a real HTTP server on a loopback socket, which pages and sorts events as PostHog does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stamina

from connectors.posthog import CONNECTOR
from connectors.posthog import poll as posthog
from connectors.posthog.poll import POLLER
from pipeline.events.delivery import Context
from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.polling import Access, Checkpoint, Query
from pipeline.ingest.deliveries import from_stored
from pipeline.ingest.polling import ATTEMPTS, Polling, Report
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import DELIVERIES
from tests.connectors.casebook import ROOT
from tests.ingest.sources import BROKEN, NOW, SILENT, Answer, Source, serving

PROJECT = "4711"
PAGE_SIZE = 5
CONTEXT = Context(actor_key=b"key")


class Hog(Source):
    """A project with events and flags. `before` and `after` are exclusive, and offsets count within them."""

    def __init__(self) -> None:
        super().__init__()
        recorded = json.loads((ROOT / "posthog/cases/flags-listed/delivery.json").read_text(encoding="utf-8"))
        self.flags: list[dict[str, Any]] = recorded["body"]["results"]
        self.events: list[dict[str, Any]] = []
        for number in range(13):
            self.add(number, NOW - timedelta(hours=30, minutes=-7 * number))

    def add(self, number: int, at: datetime) -> None:
        who = {"is_identified": True, "distinct_ids": ["u1"], "properties": {"seen": len(self.events)}}
        self.events.append(
            {
                "id": f"0190-{number:04}",
                "event": "signed up",
                "distinct_id": f"u{number}",
                "timestamp": at.isoformat(),
                "properties": {"$feature/checkout": "test"},
                "person": who,
            }
        )

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path == f"/api/projects/{PROJECT}/feature_flags/":
            start = int(query["offset"])
            return Answer(body={"results": self.flags[start : start + int(query["limit"])]})
        if path != f"/api/projects/{PROJECT}/events/":
            return Answer(404)
        after, before = (datetime.fromisoformat(query[name]) for name in ("after", "before"))
        if before - after >= timedelta(days=365):
            return Answer(400, body={"detail": "a year or more"})
        held = sorted(self.events, key=lambda event: datetime.fromisoformat(event["timestamp"]))
        found = [event for event in held if after < datetime.fromisoformat(event["timestamp"]) < before]
        start = int(query.get("offset", "0"))
        return Answer(body={"next": "https://example.com", "results": found[start : start + int(query["limit"])]})

    def ids(self) -> set[str]:
        return {event["id"] for event in self.events}


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(posthog, "PAGE_SIZE", PAGE_SIZE)
    monkeypatch.setattr(posthog, "FLAGS_A_PAGE", 2)
    with stamina.set_testing(testing=True, attempts=ATTEMPTS, cap=True):
        yield


@pytest.fixture
def hog() -> Iterator[Hog]:
    with serving(Hog()) as hog:
        yield hog


def polling(hog: Hog, log: MemoryLog, waited: list[float] | None = None, now: datetime = NOW) -> Polling:
    client = POLLER.client(Access(url=hog.url, token="phx_key"))
    client.timeout = 0.5
    waits = [] if waited is None else waited

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    return Polling(log, POLLER, client, lambda: now, wait=wait)


def backfill(hog: Hog, log: MemoryLog, waited: list[float] | None = None, since: datetime | None = None) -> Report:
    with polling(hog, log, waited) as asking:
        (report,) = asking.backfill([PROJECT], since=since)
        return report


def told(log: MemoryLog) -> list[str]:
    """Return the ids of all observations, as often as they are told."""
    stored = [from_stored(each) for batch in log.iterate(DELIVERIES) for each in batch]
    return [each.id for delivery in stored for each in CONNECTOR.translate(delivery, CONTEXT).observations]


def kinds(log: MemoryLog) -> dict[str, int]:
    stored = [from_stored(each) for batch in log.iterate(DELIVERIES) for each in batch]
    return {kind: sum(each.kind == kind for each in stored) for kind in {each.kind for each in stored}}


def test_everything_is_read_from_the_beginning(hog: Hog) -> None:
    log = MemoryLog()
    assert backfill(hog, log).error is None
    assert set(told(log)) == hog.ids()
    assert hog.tokens == {"Bearer phx_key"}
    assert kinds(log)["rest.feature_flags"] == -(-len(hog.flags) // 2)


def test_persons_are_not_stored(hog: Hog) -> None:
    log = MemoryLog()
    backfill(hog, log)
    events = [from_stored(each) for batch in log.iterate(DELIVERIES) for each in batch]
    assert all(b'"person"' not in each.body for each in events if each.kind == "rest.events")


def test_events_of_one_instant_that_fill_pages_are_all_read(hog: Hog) -> None:
    for number in range(100, 100 + 3 * PAGE_SIZE):
        hog.add(number, NOW - timedelta(hours=29))
    log = MemoryLog()
    backfill(hog, log)
    assert set(told(log)) == hog.ids()


def test_an_event_that_arrives_while_pages_are_read_hides_none(hog: Hog) -> None:
    def late(number: int, path: str) -> None:
        if path.endswith("/events/") and len(hog.events) < 16:
            hog.add(200 + number, NOW - timedelta(hours=30, minutes=1))

    hog.before = late
    log = MemoryLog()
    at_first = hog.ids()
    backfill(hog, log)
    assert at_first <= set(told(log))


def test_what_comes_later_is_read_by_the_next_poll_and_the_rest_is_known(hog: Hog) -> None:
    log = MemoryLog()
    backfill(hog, log)
    hog.add(300, NOW - timedelta(minutes=10))
    with polling(hog, log, now=NOW + timedelta(minutes=5)) as asking:
        report = asking.poll(PROJECT)
    assert (report.error, report.new) == (None, 1)
    assert set(told(log)) == hog.ids()
    with polling(hog, log, now=NOW + timedelta(minutes=10)) as asking:
        assert asking.poll(PROJECT).new == 0


@pytest.mark.parametrize("number", [1, 2, 5, 9])
@pytest.mark.parametrize(
    "fault",
    [
        Answer(500),
        Answer(429, headers={"retry-after": "17"}),
        Answer(429),
        Answer(200, body="a proxy's page"),
        Answer(200, body={"results": [{"id": "1"}]}),
        BROKEN,
        SILENT,
    ],
    ids=["500", "429 with a wait", "429", "proxy", "half an item", "half a body", "silence"],
)
def test_faults_lose_nothing(hog: Hog, number: int, fault: Answer) -> None:
    hog.faults = {number: fault}
    waited: list[float] = []
    log = MemoryLog()
    report = backfill(hog, log, waited, since=NOW - timedelta(hours=40))
    assert report.error is None
    assert set(told(log)) == hog.ids()
    if fault.status == 429 and number < len(hog.asked):
        assert waited == [float(fault.headers.get("retry-after", "60"))]


def test_a_query_goes_on_where_it_was_left(hog: Hog) -> None:
    query = Query(scope=PROJECT, now=NOW, since=NOW - timedelta(hours=40))
    with POLLER.client(Access(url=hog.url, token="phx_key")) as client:
        whole = list(POLLER.pages(client, query, Checkpoint()))
        assert len(whole) > 3
        for left, page in enumerate(whole, 1):
            rest = POLLER.pages(client, query, Checkpoint(cursor=page.cursor))
            read = [each for done in (*whole[:left], *rest) for each in done.deliveries]
            translated = [CONNECTOR.translate(each, CONTEXT) for each in read]
            assert {each.id for part in translated for each in part.observations} == hog.ids()
            assert len({each.subject for part in translated for each in part.events}) == len(hog.flags)


@pytest.mark.parametrize("status", [401, 404])
def test_a_refusal_names_the_settings(hog: Hog, status: int) -> None:
    hog.faults = dict.fromkeys(range(1, 20), Answer(status))
    report = backfill(hog, MemoryLog())
    assert isinstance(report.error, ConfigError)
    assert "connectors.posthog.token" in str(report.error)


def test_a_key_that_may_not_read_flags_reads_events(hog: Hog) -> None:
    log = MemoryLog()
    original = hog.answer
    hog.answer = lambda path, query: Answer(403) if "flags" in path else original(path, query)  # type: ignore[method-assign]
    assert backfill(hog, log).error is None
    assert set(told(log)) == hog.ids()


def test_a_source_that_stays_away_is_retryable(hog: Hog) -> None:
    hog.faults = dict.fromkeys(range(1, 50), Answer(503))
    assert isinstance(backfill(hog, MemoryLog()).error, Retryable)


@pytest.mark.parametrize("scope", ["", "acme", "47/11", "../x"])
def test_a_scope_that_is_no_project_is_refused(hog: Hog, scope: str) -> None:
    with (
        POLLER.client(Access(url=hog.url, token="phx_key")) as client,
        pytest.raises(ConfigError, match="project"),
    ):
        list(POLLER.pages(client, Query(scope=scope, now=NOW), Checkpoint()))
    assert hog.asked == []


def test_the_span_of_a_question_is_below_a_year() -> None:
    assert timedelta(days=366) > posthog.SPAN
    assert datetime(2020, 1, 1, tzinfo=UTC) == posthog.BEGINNING
