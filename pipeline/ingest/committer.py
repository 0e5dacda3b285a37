"""Group commit: many submitters share one durable transaction."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Self

from pipeline.events.errors import LeadlineError, Retryable
from pipeline.log.protocol import EventLog, Record

#: How many records one transaction takes at most.
MAX_BATCH = 1_000

_Waiting = tuple[Record, asyncio.Future[None]]


class Committer:
    """Appends records to one stream in a thread of its own, all that wait in one durable append.

    A transaction costs a disk flush whatever it holds, so while one is being written the next gathers: the busier, the
    fewer flushes a record. What waits is bounded in records and in bytes. `clock` gives the instant of recording.
    `store` is called on one event loop, and that loop alone decides when a transaction begins: a thread that is woken
    by each record takes the interpreter's lock from whoever brings the next. Use it as a context manager around the
    loop, or call `close` after it.
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
        self._pending: deque[_Waiting] = deque()
        self._bytes = 0
        self._writing = self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"commit-{stream}")

    async def store(self, record: Record) -> None:
        """Return once the record is durable, or already was: a duplicate is no error.

        Raises what the append raised. To stop waiting does not take the record back. Raises `Retryable` at once if too
        much waits or the committer was closed.
        """
        if self._closed:
            raise Retryable("shutting down; send it again in a moment", after=5.0)
        full = len(self._pending) >= self._max_pending
        if full or (self._pending and self._bytes + len(record.value) > self._max_bytes):
            raise Retryable(f"{len(self._pending)} deliveries wait to be stored; send it again in a moment", after=1.0)
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()
        self._pending.append((record, stored))
        self._bytes += len(record.value)
        if not self._writing:
            self._writing = True
            # Not at once: whoever else is ready in this round of the loop gets into the same transaction.
            loop.call_soon(self._next, loop)
        await stored

    def close(self) -> None:
        """Refuse new records, store those that wait, and return when that is done; to be called after the loop ended.

        Raises what kept them from being stored; nobody was told that they are.
        """
        self._closed = True
        self._thread.shutdown()
        while self._pending:
            self._log.append(self._stream, [record for record, _ in self._take()], self._clock())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._writing = bool(self._pending) and not self._closed
        if self._writing:
            batch = self._take()
            written = loop.run_in_executor(self._thread, self._append, [record for record, _ in batch])
            written.add_done_callback(partial(self._tell, loop, [stored for _, stored in batch]))

    def _take(self) -> list[_Waiting]:
        batch = [self._pending.popleft() for _ in range(min(len(self._pending), MAX_BATCH))]
        self._bytes -= sum(len(record.value) for record, _ in batch)
        return batch

    def _append(self, records: Sequence[Record]) -> list[Exception | None]:
        """Return for each record what kept it from being stored, None if nothing did. Runs in the thread."""
        try:
            self._log.append(self._stream, records, self._clock())
        except LeadlineError as error:
            return [error] * len(records)
        except Exception as error:  # noqa: BLE001 - one record that cannot be stored must not take the others with it
            return [error] if len(records) == 1 else [self._append([record])[0] for record in records]
        return [None] * len(records)

    def _tell(
        self,
        loop: asyncio.AbstractEventLoop,
        waiting: Sequence[asyncio.Future[None]],
        written: asyncio.Future[list[Exception | None]],
    ) -> None:
        for stored, error in zip(waiting, written.result(), strict=True):
            if stored.done():
                continue
            if error is None:
                stored.set_result(None)
            else:
                stored.set_exception(error)
        self._next(loop)
