"""Group commit: many submitters share one durable transaction."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime
from threading import Condition, Thread
from types import TracebackType
from typing import Self

from pipeline.events.errors import LeadlineError, Retryable
from pipeline.log.protocol import EventLog, Record

#: How many records one transaction takes at most.
MAX_BATCH = 1_000

_Pending = tuple[Record, Future[None]]


class Committer:
    """Appends records to one stream from a thread of its own, all that wait in one durable append.

    A transaction costs a disk flush whatever it holds, so while one is being written the next gathers: the busier, the
    fewer flushes a record. What waits is bounded in records and in bytes. `clock` gives the instant of recording.
    Use it as a context manager, or call `close`.
    """

    def __init__(
        self,
        log: EventLog,
        stream: str,
        clock: Callable[[], datetime],
        *,
        max_pending: int = 10_000,
        max_pending_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self._log, self._stream, self._clock = log, stream, clock
        self._max_pending, self._max_bytes = max_pending, max_pending_bytes
        self._pending: deque[_Pending] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = Condition()
        self._thread = Thread(target=self._run, name=f"commit-{stream}", daemon=True)
        self._thread.start()

    def submit(self, record: Record) -> Future[None]:
        """Return a future that is done once the record is durable, or already was: a duplicate is no error.

        The future raises what the append raised. A future that is cancelled does not take the record back.
        Raises `Retryable` at once if too much waits or the committer was closed.
        """
        future: Future[None] = Future()
        with self._changed:
            if self._closed:
                raise Retryable("shutting down; send it again in a moment", after=5.0)
            full = len(self._pending) >= self._max_pending
            if full or (self._pending and self._bytes + len(record.value) > self._max_bytes):
                raise Retryable(
                    f"{len(self._pending)} deliveries wait to be stored; send it again in a moment", after=1.0
                )
            self._pending.append((record, future))
            self._bytes += len(record.value)
            self._changed.notify()
        return future

    def close(self) -> None:
        """Refuse new records, store those that wait, and return when the thread has ended."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        while batch := self._take():
            # A future that was cancelled is not told, but its record arrived and is kept.
            told = [future if future.set_running_or_notify_cancel() else None for _, future in batch]
            self._store([record for record, _ in batch], told)

    def _take(self) -> list[_Pending]:
        """Wait for records and take a batch; empty when closed and drained."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._closed)
            batch = [self._pending.popleft() for _ in range(min(len(self._pending), MAX_BATCH))]
            self._bytes -= sum(len(record.value) for record, _ in batch)
            return batch

    def _store(self, records: Sequence[Record], told: Sequence[Future[None] | None]) -> None:
        try:
            self._log.append(self._stream, records, self._clock())
        except LeadlineError as error:
            _fail(told, error)
        except Exception as error:  # noqa: BLE001 - one record that cannot be stored must not take the others with it
            if len(records) == 1:
                _fail(told, error)
                return
            for record, future in zip(records, told, strict=True):
                self._store([record], [future])
        else:
            for future in told:
                if future is not None:
                    future.set_result(None)


def _fail(told: Sequence[Future[None] | None], error: Exception) -> None:
    for future in told:
        if future is not None:
            future.set_exception(error)
