"""Backfills and polls against servers that replay recorded pages, and against servers that misbehave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import pytest
import stamina

from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.polling import Access
from pipeline.ingest.deliveries import store
from pipeline.ingest.polling import ATTEMPTS, OVERLAP, Polling, Report, Stopped
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import EventLog
from tests.ingest.asking import POLLERS, SCOPES, TOKEN, Asking, asking, held, ids, pushed_pull
from tests.ingest.sources import BROKEN, NOW, REPO, SILENT, Answer, Hub, Site, Source, serving

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def without_backoff() -> Iterator[None]:
    with stamina.set_testing(testing=True, attempts=ATTEMPTS, cap=True):
        yield


@pytest.fixture(params=["github", "jira"])
def ask(request: pytest.FixtureRequest, log: EventLog) -> Iterator[Asking]:
    """Each of the two sources, over each of the logs."""
    source: Source = Hub() if request.param == "github" else Site()
    with serving(source), asking(request.param, source, log) as found:
        yield found


@pytest.fixture
def hub() -> Iterator[Asking]:
    with serving(Hub()) as source, asking("github", source, MemoryLog()) as found:
        yield found


@pytest.fixture
def site() -> Iterator[Asking]:
    with serving(Site()) as source, asking("jira", source, MemoryLog()) as found:
        yield found


def test_everything_is_there_and_a_second_time_adds_nothing(ask: Asking) -> None:
    first = ask.backfill()
    assert (first.error, first.new > 5) == (None, True)
    assert ids(ask.told()) == held(ask.source)
    again = ask.backfill()
    assert (again.error, again.new) == (None, 0)
    assert len({delivery.id for delivery in ask.deliveries()}) == first.new
    assert ask.polling.mark(SCOPES[ask.name]) == NOW


@pytest.mark.parametrize("number", [1, 3, 4, 6])
@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (Answer(429, {"retry-after": "17"}, {}), {"github": [17.0], "jira": [17.0]}),
        (Answer(429, {}, {}), {"github": [60.0], "jira": []}),
        (Answer(503, {"retry-after": "9"}, {}), {"github": [], "jira": [9.0]}),
        (Answer(500, {}, {}), {"github": [], "jira": []}),
        (BROKEN, {"github": [], "jira": []}),
        (Answer(200, {}, {"message": "a proxy's page"}), {"github": [], "jira": []}),
    ],
    ids=["429", "429-without-retry-after", "503", "500", "half-a-body", "not-its-own"],
)
def test_a_fault_is_waited_out(ask: Asking, number: int, fault: Answer, waits: dict[str, list[float]]) -> None:
    ask.source.faults = {number: fault}
    report = ask.backfill()
    assert report.error is None
    assert ask.waited == waits[ask.name]
    assert ids(ask.told()) == held(ask.source)


def test_a_server_that_does_not_answer_in_time_is_asked_again(ask: Asking) -> None:
    ask.polling._client.timeout = 0.2
    ask.source.faults = {4: SILENT}
    assert ask.backfill().error is None
    assert ids(ask.told()) == held(ask.source)


def test_a_server_that_stays_away_ends_it_and_the_next_call_goes_on(ask: Asking) -> None:
    down = dict.fromkeys(range(5, 200), Answer(429, {"retry-after": "30"}, {}))
    ask.source.faults = down
    report = ask.backfill()
    assert isinstance(report.error, Retryable)
    assert "429" in str(report.error) or "rate limit" in str(report.error)
    assert set(ask.waited) == {30.0}
    assert ask.polling.mark(SCOPES[ask.name]) is None, "what was not read to its end must not be passed over"
    stored = len(ask.deliveries())
    assert stored > 0
    ask.source.faults = {}
    assert ask.backfill().error is None
    assert ids(ask.told()) == held(ask.source)


def test_a_limit_that_comes_again_and_again_is_no_end_while_there_is_progress(hub: Asking) -> None:
    hub.source.faults = dict.fromkeys(range(12, 84, 12), Answer(429, {"retry-after": "7"}, {}))
    assert hub.backfill().error is None
    assert hub.waited == [7.0] * 6
    assert len(hub.waited) > ATTEMPTS
    assert ids(hub.told()) == held(hub.source)


def test_a_wait_that_is_too_long_is_not_waited(ask: Asking) -> None:
    ask.source.faults = {3: Answer(429, {"retry-after": "90000"}, {})}
    report = ask.backfill()
    assert isinstance(report.error, Retryable)
    assert (report.error.after, ask.waited, len(ask.source.asked)) == (90_000.0, [], 3)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_names_the_setting_and_is_not_repeated(ask: Asking, status: int) -> None:
    ask.source.faults = dict.fromkeys(range(5, 200), Answer(status, {}, {"message": "Bad credentials"}))
    report = ask.backfill()
    assert isinstance(report.error, ConfigError)
    assert f"{status}" in str(report.error)
    assert f"connectors.{ask.name}." in str(report.error)
    assert TOKEN not in str(report.error)
    assert len(ask.source.asked) == 5


def test_after_an_expired_token_was_replaced_it_goes_on(hub: Asking) -> None:
    hub.source.faults = dict.fromkeys(range(9, 200), Answer(401, {}, {"message": "Bad credentials"}))
    assert isinstance(hub.backfill().error, ConfigError)
    taken = {path for path in hub.source.paths()[:8] if path.endswith("/reviews")}
    assert taken
    hub.source.faults = {}
    hub.source.asked.clear()
    assert hub.backfill().error is None
    # The last one read is the one whose page was being stored.
    assert len(taken & set(hub.source.paths())) <= 1
    assert ids(hub.told()) == held(hub.source)


def test_jira_goes_on_behind_what_is_stored(site: Asking) -> None:
    site.source.faults = {5: Answer(401, {}, {})}
    assert isinstance(site.backfill().error, ConfigError)
    site.source.faults = {}
    site.source.asked.clear()
    assert site.backfill().error is None
    searches = [target for target in site.source.asked if "/search" in target]
    assert "created+%3E%3D" in searches[0], "it begins where the stored pages end"
    assert "created+%3E%3D" not in searches[-1], "and the look at what changed meanwhile at the beginning"
    assert ids(site.told()) == held(site.source)


def test_a_page_that_changes_under_the_cursor_hides_nothing(hub: Asking) -> None:
    source = hub.source
    assert isinstance(source, Hub)
    last = source.lists["pulls"][-1]

    def change(_: int, path: str) -> None:
        if path.endswith("/reviews") and last["title"] != "Changed":
            source.touch(last["number"], NOW + MINUTE, "Changed")

    source.before = change
    assert hub.backfill().error is None
    assert source.lists["pulls"][0]["title"] == "Changed", "it jumped over the pages that were read"
    assert ids(hub.told()) == held(source)


def test_issues_that_vanish_under_the_cursor_hide_nothing(site: Asking) -> None:
    source = site.source
    assert isinstance(source, Site)

    def vanish(number: int, _: str) -> None:
        if number == 4:
            del source.issues[0]

    source.before = vanish
    assert site.backfill().error is None
    assert len(source.issues) == 9
    assert held(source) < ids(site.told()), "the one that vanished was read before"


def test_an_issue_that_appears_under_the_cursor_is_found(site: Asking) -> None:
    source = site.source
    assert isinstance(source, Site)
    late = source.issues.pop(0)

    def appear(number: int, _: str) -> None:
        if number == 4:
            late["fields"]["updated"] = (NOW + MINUTE).isoformat()
            source.issues.insert(0, late)

    source.before = appear
    assert site.backfill().error is None
    assert len(source.issues) == 10
    assert ids(site.told()) == held(source)


def test_items_that_are_told_twice_are_one(ask: Asking) -> None:
    expected = held(ask.source)
    if isinstance(ask.source, Hub):
        ask.source.lists = {name: [item for item in items for _ in "12"] for name, items in ask.source.lists.items()}
    elif isinstance(ask.source, Site):
        ask.source.issues = [item for item in ask.source.issues for _ in "12"]
    assert ask.backfill().error is None
    assert ids(ask.told()) == expected


def test_a_clock_that_is_ahead_of_the_source_leaves_no_gap(ask: Asking) -> None:
    theirs = NOW - timedelta(hours=5)
    ask.source.clock = theirs
    assert ask.backfill().error is None
    assert ask.polling.mark(SCOPES[ask.name]) == theirs
    _change_one(ask.source, theirs + MINUTE)
    assert ask.polling.poll(SCOPES[ask.name]).error is None
    assert held(ask.source) <= ids(ask.told())


def test_a_clock_that_is_behind_the_source_is_taken_as_it_is(ask: Asking) -> None:
    ask.source.clock = NOW + timedelta(hours=5)
    assert ask.backfill().error is None
    assert ask.polling.mark(SCOPES[ask.name]) == NOW


def _change_one(source: Source, moment: datetime) -> None:
    if isinstance(source, Hub):
        source.touch(source.lists["pulls"][-1]["number"], moment, "Changed")
    elif isinstance(source, Site):
        source.issues[4]["fields"].update(updated=moment.isoformat(), summary="Changed")


def test_a_poll_reads_what_changed_and_nothing_else(ask: Asking, log: EventLog) -> None:
    assert ask.backfill().new > 5
    later = NOW + timedelta(minutes=10)
    _change_one(ask.source, later - MINUTE)
    ask.source.clock = later
    with asking(ask.name, ask.source, log, moment=later) as next_time:
        report = next_time.polling.poll(SCOPES[ask.name])
        assert report.error is None
        assert 0 < report.new <= 4
        assert next_time.polling.mark(SCOPES[ask.name]) == later
        before = (log.end("polls"), log.end("deliveries"))
        idle = next_time.polling.poll(SCOPES[ask.name])
    assert (idle.error, idle.new) == (None, 0)
    assert (log.end("polls"), log.end("deliveries")) == before, "an idle poll leaves nothing behind"
    assert held(ask.source) <= ids(ask.told())


def test_the_first_poll_begins_where_it_is_told(site: Asking) -> None:
    assert site.polling.poll(SCOPES["jira"], since=NOW).deliveries == 0
    assert site.polling.mark(SCOPES["jira"]) == NOW
    (search,) = [target for target in site.source.asked if "/search" in target]
    assert "2026-11-23+11%3A00" in search


def test_a_backfill_of_a_stretch_does_not_hide_the_one_before_it(site: Asking) -> None:
    scope = SCOPES["jira"]
    early = NOW - timedelta(days=30)
    assert site.backfill(until=early).error is None
    assert site.polling.mark(scope) == early
    assert site.backfill(since=NOW - timedelta(days=2)).error is None
    assert site.polling.mark(scope) == early, "28 days in between were never read"
    assert site.backfill(since=early).error is None
    assert site.polling.mark(scope) == NOW


def test_bounds_leave_out_what_lies_beyond(site: Asking) -> None:
    source = site.source
    assert isinstance(source, Site)
    for index, issue in enumerate(source.issues):
        issue["fields"]["created"] = (NOW - timedelta(days=30 - index)).isoformat()
        issue["fields"]["updated"] = (NOW - timedelta(days=20 - 2 * index)).isoformat()
    report = site.backfill(since=NOW - timedelta(days=11), until=NOW - timedelta(days=24, hours=12))
    assert (report.error, report.new) == (None, 1)
    (delivery,) = site.deliveries()
    assert f'"key": "{source.issues[5]["key"]}"' in delivery.body.decode()


def test_github_is_told_the_bounds(hub: Asking) -> None:
    since, until = NOW - timedelta(days=60), NOW - timedelta(days=30)
    assert hub.backfill(since=since, until=until).error is None
    runs, *_ = [target for target in hub.source.asked if "/actions/runs" in target]
    (commits,) = [target for target in hub.source.asked if "/ants/commits" in target]
    assert "created=2026-09-17T12%3A00%3A00Z..2026-10-24T12%3A00%3A00Z" in runs
    assert "since=2026-09-24T12%3A00%3A00Z" in commits
    assert "until=2026-10-24T12%3A00%3A00Z" in commits
    assert not [path for path in hub.source.paths() if path.endswith("/reviews")]


def test_what_was_left_out_is_read_later(hub: Asking) -> None:
    assert hub.backfill(until=NOW - timedelta(days=5_000)).error is None
    assert not [path for path in hub.source.paths() if path.endswith("/reviews")]
    assert hub.backfill().error is None
    assert ids(hub.told()) == held(hub.source)


def test_a_dry_run_stores_nothing_and_counts_the_same(ask: Asking, log: EventLog) -> None:
    with asking(ask.name, ask.source, log, dry_run=True) as dry:
        report = dry.backfill()
    assert (report.error, report.new, log.end("deliveries"), log.end("polls")) == (None, 0, 0, 0)
    assert ask.polling.mark(SCOPES[ask.name]) is None
    assert ask.backfill(until=NOW).deliveries == report.deliveries


def test_the_progress_tells_counts_and_an_estimate(ask: Asking) -> None:
    seen: list[tuple[int, int | None]] = []

    def progress(report: Report) -> None:
        seen.append((report.deliveries, report.expected))

    (report,) = ask.polling.backfill([SCOPES[ask.name]], progress=progress)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == report.deliveries
    estimates = [expected for done, expected in seen if expected is not None]
    assert len(estimates) > 2
    assert all(expected is None or expected >= done for done, expected in seen)
    assert 0.5 < estimates[0] / report.new < 2


def test_pushed_and_polled_copies_are_one_event(hub: Asking) -> None:
    source = hub.source
    assert isinstance(source, Hub)
    pull = next(pull for pull in source.lists["pulls"] if pull["merged_at"])
    store(hub.log, [pushed_pull(pull, "hook-1"), pushed_pull(pull, "hook-2")], NOW)
    pushed = ids(hub.told())
    assert len(pushed) >= 3
    assert hub.backfill().error is None
    found = hub.told()
    assert ids(found) == pushed | held(source)
    merged = [event for event in found if "change.merged" in event.type and event.subject == f"{REPO}#{pull['number']}"]
    assert len(merged) == 1


def test_scopes_are_read_side_by_side_but_not_more_than_allowed() -> None:
    both = threading.Barrier(2, timeout=20)
    running: set[str] = set()
    most: list[int] = []
    lock = threading.Lock()

    def meet(_: int, path: str) -> None:
        name = path.split("/")[3]
        if path.endswith("/pulls"):
            with lock:
                running.add(name)
                most.append(len(running))
            both.wait()
        if path.endswith("/ants/commits") or path.split("/")[4] == "commits":
            with lock:
                running.discard(name)

    with serving(Hub()) as source, asking("github", source, MemoryLog()) as found:
        source.before = meet
        source.lists = {}
        reports = found.polling.backfill(["acme/a", "acme/b", "acme/a"], since=NOW - OVERLAP, until=NOW, jobs=2)
    assert [(report.scope, report.error) for report in reports] == [("acme/a", None), ("acme/b", None)]
    assert max(most) == 2


def test_one_scope_that_fails_does_not_stop_the_others(hub: Asking) -> None:
    reports = hub.polling.backfill(["nonsense", REPO])
    assert isinstance(reports[0].error, ConfigError)
    assert "OWNER/NAME" in str(reports[0].error)
    assert reports[1].error is None
    assert ids(hub.told()) == held(hub.source)


def test_a_stop_ends_a_wait(log: EventLog) -> None:
    with serving(Hub()) as source, ExitStack() as stack:
        source.faults = {4: Answer(429, {"retry-after": "3000"}, {})}
        found = stack.enter_context(asking("github", source, log))
        polling = Polling(log, POLLERS["github"], found.polling._client, lambda: NOW)

        def stop(number: int, _: str) -> None:
            if number == 4:
                polling.stop()

        source.before = stop
        with pytest.raises(Stopped):
            polling.backfill([REPO])
    assert log.end("deliveries") > 0


def test_the_token_goes_to_the_source_and_nowhere_else(ask: Asking) -> None:
    assert ask.backfill().error is None
    assert ask.source.tokens == {f"Bearer {TOKEN}"}
    kept: list[Any] = [stored for batch in ask.log.iterate("polls") for stored in batch]
    assert TOKEN not in repr(kept) + repr(ask.deliveries())
    assert TOKEN not in repr(Access(url=ask.source.url, token=TOKEN))
