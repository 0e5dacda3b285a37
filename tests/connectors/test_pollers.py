"""Every poller against a server that replays what was recorded and misbehaves; see `recorded.py`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache

import pytest

from pipeline.events.errors import ConfigError, Retryable
from pipeline.ingest.polling import Report
from pipeline.log.memory import MemoryLog
from tests.connectors.recorded import recorded, recorded_names
from tests.connectors.recorded_polling import Asking, asking
from tests.ingest.sources import BROKEN, NOW, SILENT, Answer, serving

MINUTE = timedelta(minutes=1)
LONG_AGO = NOW - timedelta(days=20_000)
#: Requests that fail in one reading: an early one and some in the middle of everything, with progress between them.
FAULTY = ((1, 13, 25), (2, 16, 31), (4, 19, 37))
#: Requests during which something changes.
CHANGED = (1, 2, 4, 7, 11)


@pytest.fixture(params=recorded_names())
def ask(request: pytest.FixtureRequest) -> Iterator[Asking]:
    """Each recorded source."""
    what = recorded(request.param)
    with serving(what.source()) as source, asking(what, source, MemoryLog()) as found:
        yield found


def test_everything_is_there_and_a_second_time_adds_nothing(ask: Asking) -> None:
    first = ask.backfill()
    assert (first.error, first.new > 3) == (None, True)
    assert ask.told() == ask.held()
    again = ask.backfill()
    assert (again.error, again.new) == (None, 0)
    assert len({delivery.id for delivery in ask.deliveries()}) == first.new
    assert ask.polling.mark(ask.what.scope) == NOW


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (Answer(429, {"retry-after": "17"}, {}), [17.0]),
        (Answer(429, {"retry-after": "Mon, 23 Nov 2026 12:00:19 GMT"}, {}), [19.0]),
        (Answer(429, {}, {}), [60.0]),
        (Answer(503, {"retry-after": "9"}, {}), [9.0]),
        (Answer(500, {}, {}), []),
        (BROKEN, []),
        (Answer(200, {}, {"message": "a proxy's page"}), []),
        (Answer(200, {}, "<html>a proxy's page</html>"), []),
    ],
    ids=["429", "429-date", "429-without-retry-after", "503", "500", "half-a-body", "not-its-own", "html"],
)
@pytest.mark.parametrize("numbers", FAULTY)
def test_faults_are_waited_out(ask: Asking, numbers: tuple[int, ...], fault: Answer, waits: list[float]) -> None:
    ask.source.faults = dict.fromkeys(numbers, fault)
    report = ask.backfill()
    assert report.error is None
    met = [number for number in numbers if number <= len(ask.source.asked)]
    assert met
    assert ask.waited == waits * len(met)
    assert ask.told() == ask.held()


def test_a_server_that_does_not_answer_in_time_is_asked_again(ask: Asking) -> None:
    ask.polling._client.timeout = 0.2
    ask.source.faults = {3: SILENT}
    assert ask.backfill().error is None
    assert ask.told() == ask.held()


def test_a_server_that_stays_away_ends_it_and_the_next_call_goes_on(ask: Asking) -> None:
    total = _requests(ask.name)
    ask.source.faults = dict.fromkeys(range(total // 2, 900), Answer(429, {"retry-after": "30"}, {}))
    report = ask.backfill()
    assert isinstance(report.error, Retryable)
    assert set(ask.waited) == {30.0}
    assert ask.polling.mark(ask.what.scope) is None, "what was not read to its end must not be passed over"
    assert ask.deliveries()
    ask.source.faults = {}
    ask.source.asked.clear()
    assert ask.backfill(until=NOW + MINUTE).error is None
    assert ask.told() == ask.held()


def test_it_goes_on_behind_what_is_stored(ask: Asking) -> None:
    total = _requests(ask.name)
    ask.source.faults = dict.fromkeys(range(total - 1, 900), Answer(401, {}, {"message": "expired"}))
    assert isinstance(ask.backfill(until=NOW + MINUTE).error, ConfigError)
    ask.source.faults = {}
    ask.source.asked.clear()
    assert ask.backfill(until=NOW + MINUTE).error is None
    assert len(ask.source.asked) < total * 2 // 3, "what is stored is not asked for again"
    assert ask.told() == ask.held()


@cache
def _requests(name: str, since: datetime | None = None) -> int:
    """Return how many requests it takes to read everything once, or what is new since an instant."""
    what = recorded(name)
    with serving(what.source()) as source, asking(what, source, MemoryLog(), dry=True) as dry:
        assert dry.backfill(since, NOW + MINUTE).error is None
        return len(source.asked)


def test_a_limit_that_comes_again_and_again_is_no_end_while_there_is_progress(ask: Asking) -> None:
    total = _requests(ask.name)
    # A reading that finds nothing new leaves no checkpoint: it must fit between two limits.
    step = max(8, total // 4, _requests(ask.name, since=NOW) + 2)
    ask.source.faults = dict.fromkeys(range(step, 3 * total, step), Answer(429, {"retry-after": "7"}, {}))
    assert ask.backfill().error is None
    assert ask.waited
    assert ask.told() == ask.held()


def test_a_wait_that_is_too_long_is_not_waited(ask: Asking) -> None:
    ask.source.faults = {3: Answer(429, {"retry-after": "90000"}, {})}
    report = ask.backfill()
    assert isinstance(report.error, Retryable)
    assert (report.error.after, ask.waited, len(ask.source.asked)) == (90_000.0, [], 3)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_names_the_setting_and_is_not_repeated(ask: Asking, status: int) -> None:
    ask.source.faults = dict.fromkeys(range(1, 900), Answer(status, {}, {"message": "Bad credentials"}))
    report = ask.backfill()
    assert isinstance(report.error, ConfigError)
    assert f"{status}" in str(report.error)
    assert f"connectors.{ask.name}." in str(report.error)
    assert ask.what.token not in str(report.error)
    assert len(ask.source.asked) == 1


def test_a_token_that_expires_on_the_way_is_named(ask: Asking) -> None:
    ask.source.faults = dict.fromkeys(range(5, 900), Answer(401, {}, {"message": "expired"}))
    report = ask.backfill()
    assert isinstance(report.error, ConfigError)
    assert f"connectors.{ask.name}.token" in str(report.error)
    assert len(ask.source.asked) == 5
    ask.source.faults = {}
    assert ask.backfill().error is None
    assert ask.told() == ask.held()


@pytest.mark.parametrize("number", CHANGED)
def test_a_page_that_changes_under_the_cursor_hides_nothing(ask: Asking, number: int) -> None:
    # What changes during the look at what changed is for the next poll.
    last = min(number, _requests(ask.name))

    def change(asked: int, _: str) -> None:
        if asked == last:
            ask.source.change(NOW + MINUTE)

    before = ask.held()
    ask.source.before = change
    assert ask.backfill().error is None
    assert before != ask.held(), "nothing changed"
    assert ask.held() <= ask.told() <= before | ask.held()


def test_items_that_are_told_twice_are_one(ask: Asking) -> None:
    expected = ask.held()
    ask.source.double()
    assert ask.backfill().error is None
    assert ask.told() == expected


def test_a_clock_that_is_ahead_of_the_source_leaves_no_gap(ask: Asking) -> None:
    theirs = NOW - timedelta(hours=5)
    ask.source.clock = theirs
    assert ask.backfill().error is None
    assert ask.polling.mark(ask.what.scope) == theirs
    ask.source.change(theirs + MINUTE)
    assert ask.polling.poll(ask.what.scope).error is None
    assert ask.held() <= ask.told()


def test_a_poll_reads_what_changed_and_little_else(ask: Asking) -> None:
    first = ask.backfill()
    later = NOW + timedelta(minutes=10)
    ask.source.change(later - MINUTE)
    ask.source.clock = later
    with asking(ask.what, ask.source, ask.log, later) as next_time:
        report = next_time.polling.poll(ask.what.scope)
        assert report.error is None
        assert 0 < report.new <= 6
        assert report.deliveries < first.deliveries
        assert next_time.polling.mark(ask.what.scope) == later
        idle = next_time.polling.poll(ask.what.scope)
    assert (idle.error, idle.new) == (None, 0)
    assert ask.held() <= ask.told()


def test_bounds_leave_out_what_lies_beyond(ask: Asking) -> None:
    assert ask.backfill(until=LONG_AGO).error is None
    assert ask.told() == set()
    assert ask.backfill(since=NOW, until=NOW + MINUTE).error is None
    if ask.what.open_ended:
        assert len(ask.told()) < len(ask.held()) / 2
    else:
        assert ask.told() == set()


def test_a_dry_run_stores_nothing_and_counts_the_same(ask: Asking) -> None:
    with asking(ask.what, ask.source, ask.log, dry=True) as dry:
        report = dry.backfill()
    assert (report.error, report.new, ask.log.end("deliveries"), ask.log.end("polls")) == (None, 0, 0, 0)
    assert ask.backfill(until=NOW + MINUTE).deliveries == report.deliveries > 0


def test_the_progress_only_grows(ask: Asking) -> None:
    seen: list[tuple[int, int | None]] = []

    def progress(report: Report) -> None:
        seen.append((report.deliveries, report.expected))

    (report,) = ask.polling.backfill([ask.what.scope], progress=progress)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == report.deliveries
    assert all(expected is None or expected >= done for done, expected in seen)


def test_the_token_goes_to_the_source_and_nowhere_else(ask: Asking) -> None:
    assert ask.backfill().error is None
    assert ask.source.tokens == {ask.what.shown}
    kept = [stored for batch in ask.log.iterate("polls") for stored in batch]
    assert ask.what.token not in repr(kept) + repr(ask.deliveries())


def test_a_scope_that_is_none_is_named(ask: Asking) -> None:
    poller = ask.what.poller
    assert poller.name == ask.name
    if poller.default_scope is None:
        (report,) = ask.polling.backfill([" "])
        assert isinstance(report.error, ConfigError)
        assert poller.name in str(report.error)
        assert not ask.source.asked, "it can be told without asking"
