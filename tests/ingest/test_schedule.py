"""When a job is due: a function of instants, without a clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
import stamina

from pipeline.events.errors import ConfigError, LeadlineError, Retryable
from pipeline.events.polling import Access, Checkpoint, Page, Query
from pipeline.ingest.polling import Polling, Report
from pipeline.ingest.schedule import Job, PollLoop, Schedule
from pipeline.log.sqlite import SqliteLog
from tests.ingest.asking import POLLERS, SCOPES, asking, held, ids
from tests.ingest.sources import NOW, Answer, Site, serving

EVERY = timedelta(minutes=10)
FIRST = Job(connector="jira", scope="project = A", every=EVERY)
SECOND = Job(connector="jira", scope="project = B", every=timedelta(hours=1))


def schedule(**last: datetime) -> Schedule:
    return Schedule([FIRST, SECOND], lambda job: last.get(job.scope[-1]))


def test_what_never_ran_is_due_at_once() -> None:
    assert schedule().due(NOW) == [FIRST, SECOND]
    assert schedule().seconds(NOW) == 0.0


def test_what_ran_before_a_restart_is_due_when_it_would_have_been() -> None:
    found = schedule(A=NOW - timedelta(minutes=4), B=NOW - timedelta(minutes=70))
    assert found.due(NOW) == [SECOND]
    found.settle(SECOND, NOW, None)
    assert found.due(NOW) == []
    assert found.seconds(NOW) == 360.0
    assert found.due(NOW + timedelta(minutes=6)) == [FIRST]


def test_without_jobs_there_is_nothing_to_wait_for() -> None:
    assert Schedule([], lambda _: None).seconds(NOW) is None


def test_an_error_that_may_pass_is_tried_sooner_each_time_later() -> None:
    found = Schedule([SECOND], lambda _: None)
    pauses = []
    for _ in range(9):
        found.settle(SECOND, NOW, Retryable("busy"))
        pauses.append(found.seconds(NOW))
    assert pauses == [30.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0, 3600.0]
    found.settle(SECOND, NOW, None)
    found.settle(SECOND, NOW, Retryable("busy"))
    assert found.seconds(NOW) == 30.0


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (None, 600.0),
        (Retryable("limit", after=5.0), 5.0),
        (Retryable("limit", after=3_000.0), 3_000.0),
        (ConfigError("no"), 600.0),
        (LeadlineError("?"), 600.0),
    ],
)
def test_the_next_time_is_as_the_outcome_says(error: LeadlineError | None, pause: float) -> None:
    found = Schedule([FIRST], lambda _: None)
    found.settle(FIRST, NOW, error)
    assert found.seconds(NOW) == pause


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    opened = SqliteLog(tmp_path / "log.db")
    yield opened
    opened.close()


def test_the_loop_polls_what_is_due_and_tells(log: SqliteLog) -> None:
    told: list[tuple[Job, Report]] = []
    job = Job(connector="jira", scope=SCOPES["jira"], every=EVERY)
    with serving(Site()) as source, asking("jira", source, log) as found, stamina.set_testing(testing=True):
        source.faults = {1: Answer(503, {"retry-after": "40"}, {})}
        moments = [NOW]
        loop = PollLoop([job], {"jira": found.polling}, lambda: moments[0], lambda *each: told.append(each))
        loop.run_due()
        loop.run_due()
        assert [type(report.error) for _, report in told] == [Retryable], "the source wants to be left alone"
        moments[0] += timedelta(seconds=40)
        loop.run_due()
        loop.run_due()
        assert [report.error is None for _, report in told] == [False, True]
        assert ids(found.told()) == held(source)


def test_the_thread_polls_until_it_is_stopped(log: SqliteLog) -> None:
    first = threading.Event()
    job = Job(connector="jira", scope=SCOPES["jira"], every=EVERY)
    with serving(Site()) as source, asking("jira", source, log) as found:
        with PollLoop([job], {"jira": found.polling}, lambda: NOW, lambda *_: first.set()):
            assert first.wait(20)
        assert ids(found.told()) == held(source)


class _Buggy:
    """A poller with a fault of its own."""

    name = "jira"
    scope = "JQL"
    default_scope: str | None = ""
    needs: Sequence[str] = ()

    def client(self, access: Access) -> httpx.Client:
        return POLLERS["jira"].client(access)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        raise ZeroDivisionError(f"{query.scope} {checkpoint.cursor} {client}")


def test_a_bug_in_one_poller_is_told_and_ends_nothing(log: SqliteLog) -> None:
    told: list[Report] = []
    with serving(Site()) as source, asking("jira", source, log) as found:
        buggy = Polling(log, _Buggy(), found.polling._client, lambda: NOW)
        jobs = [Job(connector="buggy", scope="x", every=EVERY), Job(connector="jira", scope="", every=EVERY)]
        pollings = {"buggy": buggy, "jira": found.polling}
        PollLoop(jobs, pollings, lambda: NOW, lambda _, report: told.append(report)).run_due()
    assert "ZeroDivisionError" in str(told[0].error)
    assert (told[1].error, told[1].new) == (None, 10)
