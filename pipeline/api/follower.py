"""The follower: one thread that translates, folds and publishes, so that whoever reads never has to compute."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Condition, Thread

import structlog

from pipeline.events.errors import ConfigError, Corrupt, Retryable
from pipeline.exporter.model import ReadModel

#: A beat: called every few thousand records, it shows that work goes on, and raises `Stopped` when it must not.
Beat = Callable[[], None]

#: Failures in a row of a kind that may pass by itself, after which it is told as a reason for not being ready.
_PATIENCE = 3
#: Seconds between two rounds: the shortest and the longest. In between, a multiple of what a round took: the door needs
#: the same processor, and must not wait for the numbers. So while deliveries rain down following them costs a tenth of
#: it, which is enough for hundreds a second, and each round takes in more.
_SHORTEST, _LONGEST, _PAUSE = 0.05, 10.0, 9.0
_LONGEST_BACKOFF = 30.0


class Stopped(Exception):
    """Raised out of a beat: the process shuts down. What was not committed is done again after the next start."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """How the follower is. `silent_seconds`: since it last gave a sign of life while at work; 0 when it waits."""

    alive: bool
    silent_seconds: float
    failures: int
    error: str | None
    last_success: datetime | None

    def problems(self, stuck_after: float) -> list[str]:
        """Return why what it publishes cannot be relied upon; empty if it can."""
        found = []
        if self.error is not None:
            found.append(f"following the log fails: {self.error}")
        if not self.alive:
            found.append("the follower has stopped")
        elif self.silent_seconds > stuck_after:
            found.append(f"the follower has given no sign of life for {self.silent_seconds:.0f} seconds")
        if self.last_success is None:
            found.append("the log has not been followed to its end yet")
        return found


class Follower:
    """Keeps a read model up to date until it is stopped.

    A round is `advance` (translate and fold what is there, calling the beat; None: another process does it) and `read`
    (return the read model; the previous one if nothing changed). A round begins when `wake` was called, and after
    `interval` seconds in any case, since other processes append as well. After an error `recover` is called and the
    round tried again, later each time; `Corrupt` and `ConfigError` end the thread, for a person has to act.
    """

    def __init__(
        self,
        advance: Callable[[Beat], None] | None,
        read: Callable[[ReadModel | None], ReadModel],
        clock: Callable[[], datetime],
        *,
        recover: Callable[[Exception], None] = lambda _: None,
        interval: float = 1.0,
    ) -> None:
        self._advance, self._read, self._recover = advance, read, recover
        self._clock, self._interval = clock, interval
        self._changed = Condition()
        self._woken = self._stopping = False
        self._model: ReadModel | None = None
        self._beat_at: float | None = None
        self._failures = 0
        self._error: str | None = None
        self._last_success: datetime | None = None
        self._thread = Thread(target=self._run, name="follow", daemon=True)

    @property
    def model(self) -> ReadModel | None:
        """The latest read model; None until the first round is through."""
        return self._model

    @property
    def last_success(self) -> datetime | None:
        """When a round last went through."""
        return self._last_success

    def start(self) -> None:
        """Begin to follow; to be called once."""
        self._thread.start()

    def wake(self) -> None:
        """Tell that there is something new. Returns at once; calls during a round add up to one."""
        # As long as no round has begun since it was told, there is no need to wake the thread again.
        if self._woken:
            return
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def stop(self) -> None:
        """End the round at its next beat and return when the thread has ended."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def wait_until(self, enough: Callable[[ReadModel], bool], timeout: float) -> bool:
        """Wait for a read model that is `enough`; False if none came within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._model is not None and enough(self._model), timeout)

    def status(self) -> Status:
        """Return how it is, without waiting for a round."""
        beat = self._beat_at
        return Status(
            alive=self._thread.is_alive(),
            silent_seconds=0.0 if beat is None else time.monotonic() - beat,
            failures=self._failures,
            error=self._error,
            last_success=self._last_success,
        )

    def _run(self) -> None:
        while not self._stopping:
            begun = time.monotonic()
            try:
                self._round()
                due = self._interval
                pause = min(_LONGEST, max(_SHORTEST, _PAUSE * (time.monotonic() - begun)))
            except Stopped:
                return
            except (Corrupt, ConfigError) as error:
                self._failed(error, patience=0)
                return
            except Retryable as error:
                self._failed(error, patience=_PATIENCE)
                due = pause = error.after or self._backoff()
            except Exception as error:  # noqa: BLE001 - a thread that ends in silence would look like an idle one
                self._failed(error, patience=0)
                due = pause = self._backoff()
            self._beat_at = None
            self._rest(pause, due)

    def _round(self) -> None:
        with self._changed:
            self._woken = False
        self._beat()
        if self._advance is not None:
            self._advance(self._beat)
        model = self._read(self._model)
        with self._changed:
            self._model = model
            self._last_success = self._clock()
            self._failures, self._error = 0, None
            self._changed.notify_all()

    def _beat(self) -> None:
        if self._stopping:
            raise Stopped
        self._beat_at = time.monotonic()

    def _rest(self, pause: float, due: float) -> None:
        """Wait for `pause` whatever happens, then until woken or until `due` seconds are over."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, pause)
            self._changed.wait_for(lambda: self._stopping or self._woken, max(0.0, due - pause))

    def _backoff(self) -> float:
        return min(_LONGEST_BACKOFF, 0.1 * 2.0 ** min(self._failures, 10))

    def _failed(self, error: Exception, patience: int) -> None:
        self._failures += 1
        if self._failures > patience:
            self._error = f"{type(error).__name__}: {error}"
        structlog.get_logger("leadline.follower").error(
            "round failed", error=str(error), kind=type(error).__name__, failures=self._failures, exc_info=error
        )
        self._recover(error)
