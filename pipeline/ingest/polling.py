"""Polling: a source is asked page by page, and each page is durable before it is remembered that it was read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import chain
from threading import Event, Lock
from types import TracebackType
from typing import Self

import httpx
import msgspec
import stamina

from pipeline.events.errors import ConfigError, LeadlineError, Retryable
from pipeline.events.polling import Page, Poller, Query
from pipeline.ingest.checkpoints import Checkpoints, Run
from pipeline.ingest.deliveries import store
from pipeline.log.protocol import EventLog

#: Each query begins so much before the end of the one before: sources index late, their clocks differ, and some
#: changes (a new link between tickets) move no time at all. What is found again is a duplicate to the log.
OVERLAP = timedelta(hours=1)
#: Attempts in a row that store nothing new, after which a backfill gives up.
ATTEMPTS = 5
#: Seconds of the longest pause before another attempt at a source that does not say how long it wants to be left alone.
LONGEST_BACKOFF = 30.0
#: A source that wants a longer rest is left alone; the backfill goes on when it is called again.
LONGEST_WAIT = timedelta(hours=2)


class Stopped(Exception):
    """The process shuts down. What is stored stays, and the same query goes on there."""


@dataclass(kw_only=True)
class Report:
    """What came of a scope: pages read, deliveries in them, those that the log did not have, and why it ended early.

    `expected` is the estimate of all deliveries; None: the source does not tell.
    """

    scope: str
    pages: int = 0
    deliveries: int = 0
    new: int = 0
    expected: int | None = None
    error: LeadlineError | None = None


#: Called after each page with a report that goes on growing; never by two threads at a time.
Progress = Callable[[Report], None]


class Polling:
    """Asks one source, through `client`, which is closed with it; deliveries and checkpoints go to `log`.

    `clock` gives the instants of receipt. `wait` waits as many seconds as a source asks for, and tells whether to stop
    instead of going on. `dry_run` reads and counts but stores nothing.
    """

    def __init__(
        self,
        log: EventLog,
        poller: Poller,
        client: httpx.Client,
        clock: Callable[[], datetime],
        *,
        wait: Callable[[float], bool] | None = None,
        dry_run: bool = False,
    ) -> None:
        self._log, self._poller, self._client, self._clock = log, poller, client, clock
        self._stop = Event()
        self._wait = wait if wait is not None else self._stop.wait
        self._dry_run = dry_run
        self._checkpoints = Checkpoints(log)
        self._telling = Lock()
        #: How far the source's clock is behind ours; its words `since` and `updated` are in its own time.
        self._behind = timedelta(0)
        client.event_hooks["response"].append(self._compare_clocks)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def stop(self) -> None:
        """Let every call end after its page, with `Stopped`."""
        self._stop.set()

    def mark(self, scope: str) -> datetime | None:
        """Return the instant up to which everything of a scope was told; None: never polled to an end."""
        return self._checkpoints.mark(self._poller.name, scope)

    def backfill(
        self,
        scopes: Sequence[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        jobs: int = 1,
        progress: Progress = lambda _: None,
    ) -> list[Report]:
        """Read scopes from `since` (None: from their beginning), `jobs` at a time, and return their reports in order.

        A scope that fails with `Retryable` is tried again, after the wait that the source asks for, as long as
        attempts bring anything new; other scopes go on. What is stored when a scope fails, or the process is killed,
        stays, and the next call with the same bounds continues there. Without `until`, what changed during the
        reading is read at the end. Raises `Stopped` after `stop`, and what the log raises.
        """
        with ThreadPoolExecutor(max_workers=max(1, jobs), thread_name_prefix="backfill") as pool:
            futures = [pool.submit(self._persist, scope, since, until, progress) for scope in dict.fromkeys(scopes)]
            try:
                return [future.result() for future in futures]
            except BaseException:
                self.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def poll(self, scope: str, *, since: datetime | None = None) -> Report:
        """Read once what changed since the last time, or, the first time, from `since` on (None: everything).

        An error ends up in the report; when to try again is the caller's matter. Raises `Stopped`, and what the log
        raises.
        """
        report = Report(scope=scope)
        mark = self.mark(scope)
        try:
            self._read(report, since if mark is None else mark - OVERLAP, None, lambda _: None)
        except (Retryable, ConfigError) as error:
            report.error = error
        return report

    def _persist(self, scope: str, since: datetime | None, until: datetime | None, progress: Progress) -> Report:
        report = Report(scope=scope)
        try:
            begun = self._insist(report, since, until, progress)
            if until is None and not self._dry_run:
                self._insist(report, begun - OVERLAP, None, progress)
        except (Retryable, ConfigError) as error:
            report.error = error
        return report

    def _insist(self, report: Report, since: datetime | None, until: datetime | None, progress: Progress) -> datetime:
        """Read until it succeeds; after a round of attempts without anything new, raise the last error."""
        while True:
            before = report.new
            try:
                for attempt in stamina.retry_context(
                    on=_may_pass, attempts=ATTEMPTS, timeout=None, wait_max=LONGEST_BACKOFF
                ):
                    with attempt:
                        try:
                            return self._read(report, since, until, progress)
                        except Retryable as error:
                            if attempt.num < ATTEMPTS and error.after is not None:
                                self._rest(error, error.after)
                            raise
            except Retryable as error:
                if report.new == before or not _may_pass(error):
                    raise
                self._rest(error, LONGEST_BACKOFF if error.after is None else error.after)

    def _rest(self, error: Retryable, seconds: float) -> None:
        """Wait as long as the source asked; stamina adds its backoff, so that scopes do not return all at once."""
        if _may_pass(error) and self._wait(seconds):
            raise Stopped

    def _read(self, report: Report, since: datetime | None, until: datetime | None, progress: Progress) -> datetime:
        """Read a query to its end, from its checkpoint on, and return the instant at which it began."""
        name, scope, now = self._poller.name, report.scope, self._clock()
        known = self._checkpoints.under_way(name, scope)
        resumed = known is not None and (known.since, known.until) == (since, until)
        run = known if known is not None and resumed else Run(begun=now, since=since, until=until)
        checkpoint = self._checkpoints.checkpoint(name, scope, run)
        query = Query(scope=scope, since=since, until=until, now=now)
        done = report.deliveries
        # A last page, so that there is one even where the source had nothing to tell.
        pages = chain(self._poller.pages(self._client, query, checkpoint), [Page()])
        for number, page in enumerate(pages):
            if number == 0 and not resumed:
                run = msgspec.structs.replace(run, begun=run.begun - self._behind)
            self._keep(report, run, page, done)
            with self._telling:
                progress(report)
            if self._stop.is_set():
                raise Stopped
        if not self._dry_run:
            self._advance(scope, run)
        return run.begun

    def _keep(self, report: Report, run: Run, page: Page, done: int) -> None:
        report.pages += bool(page.deliveries)
        report.deliveries += len(page.deliveries)
        if page.expected is not None:
            report.expected = max(done + page.expected, report.deliveries)
        if self._dry_run:
            return
        now = self._clock()
        report.new += store(self._log, page.deliveries, now).new
        self._checkpoints.note(self._poller.name, report.scope, run, page.cursor, page.memory, now)

    def _advance(self, scope: str, run: Run) -> None:
        """Move the mark to the run's end, unless that would hide a stretch before the run that was never read."""
        mark = self.mark(scope)
        reached = run.begun if run.until is None else min(run.begun, run.until)
        joined = mark is None or run.since is None or run.since <= mark
        if joined and (mark is None or reached > mark):
            self._checkpoints.set_mark(self._poller.name, scope, reached)

    def _compare_clocks(self, response: httpx.Response) -> None:
        try:
            theirs = parsedate_to_datetime(response.headers["date"])
        except (KeyError, ValueError, TypeError):
            return
        if theirs.tzinfo is None:
            theirs = theirs.replace(tzinfo=UTC)
        self._behind = max(timedelta(0), self._clock() - theirs)


def _may_pass(error: Exception) -> bool:
    """Tell whether it is worth to wait for the end of an error."""
    return isinstance(error, Retryable) and (error.after or 0.0) <= LONGEST_WAIT.total_seconds()
