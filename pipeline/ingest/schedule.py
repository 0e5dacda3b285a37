"""When what is polled, and the thread that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Event, Thread
from types import TracebackType
from typing import Self

import msgspec

from pipeline.events.errors import LeadlineError, Retryable
from pipeline.ingest.polling import Polling, Report, Stopped

_FIRST_BACKOFF = timedelta(seconds=30)
#: The clock is looked at this often at least: it may be set, and a machine may sleep.
_LONGEST_REST = 60.0
#: How many seconds the end of the process waits for a request.
_LONGEST_END = 5.0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A scope of a source that is polled `every` so often; the first time from `since` on (None: everything)."""

    connector: str
    scope: str
    every: timedelta
    since: datetime | None = None


class Schedule:
    """Tells which jobs are due. It reads no clock: every instant is an argument.

    `last` is how far each job had come before; what never ran is due at once.
    """

    def __init__(self, jobs: Sequence[Job], last: Callable[[Job], datetime | None]) -> None:
        self._failures = dict.fromkeys(jobs, 0)
        marks = {job: last(job) for job in jobs}
        self._due = {job: None if mark is None else mark + job.every for job, mark in marks.items()}

    def due(self, now: datetime) -> list[Job]:
        """Return the jobs that are due, in the order in which they were given."""
        return [job for job, moment in self._due.items() if moment is None or moment <= now]

    def seconds(self, now: datetime) -> float | None:
        """Return the seconds until the next job is due, at least 0; None: there are no jobs."""
        moments = [now if moment is None else moment for moment in self._due.values()]
        return max(0.0, (min(moments) - now).total_seconds()) if moments else None

    def settle(self, job: Job, now: datetime, error: Exception | None) -> None:
        """Note how a job ended. After an error that may pass it is due sooner, but never before the source wants it."""
        self._failures[job] = 0 if error is None else self._failures[job] + 1
        pause = job.every
        if isinstance(error, Retryable):
            backoff = _FIRST_BACKOFF * 2 ** min(self._failures[job] - 1, 20)
            pause = min(job.every, backoff) if error.after is None else timedelta(seconds=error.after)
        self._due[job] = now + pause


class PollLoop:
    """Runs a schedule, in a thread of its own between `start` and `stop`; or once, by `run_due`.

    `pollings` are by name of the connector. `tell` is called after each job.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        pollings: Mapping[str, Polling],
        clock: Callable[[], datetime],
        tell: Callable[[Job, Report], None],
    ) -> None:
        self._pollings, self._clock, self._tell = pollings, clock, tell
        self._schedule = Schedule(jobs, lambda job: pollings[job.connector].mark(job.scope))
        self._stop = Event()
        self._thread = Thread(target=self._run, name="poll", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for polling in self._pollings.values():
            polling.stop()
        # A request may hang; what was not stored by then is asked for again.
        self._thread.join(_LONGEST_END)

    def run_due(self) -> None:
        """Run each job that is due once. Raises `Stopped` if a polling was stopped."""
        for job in self._schedule.due(self._clock()):
            report = self._poll(job)
            self._schedule.settle(job, self._clock(), report.error)
            self._tell(job, report)

    def _poll(self, job: Job) -> Report:
        try:
            return self._pollings[job.connector].poll(job.scope, since=job.since)
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - one source must not end the polling of the others
            told = error if isinstance(error, LeadlineError) else LeadlineError(f"{type(error).__name__}: {error}")
            return Report(scope=job.scope, error=told)

    def _run(self) -> None:
        while (seconds := self._schedule.seconds(self._clock())) is not None:
            if self._stop.wait(min(seconds, _LONGEST_REST)):
                return
            try:
                self.run_due()
            except Stopped:
                return
