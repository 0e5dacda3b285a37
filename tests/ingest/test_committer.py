from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import datetime

import pytest

from pipeline.events.errors import Retryable
from pipeline.ingest.committer import MAX_BATCH, Committer
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import DELIVERIES, Appended, EventLog, Record
from tests.ingest.fakes import NOON

TIMEOUT = 10


class Gate(MemoryLog):
    """A log whose appends wait until they are let through, or fail; it remembers the size of each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.open = threading.Semaphore(0), threading.Event()
        self.error: Exception | None = None
        self.sizes: list[int] = []

    def append(self, stream: str, records: Sequence[Record], recorded: datetime | Sequence[datetime]) -> Appended:
        self.entered.release()
        assert self.open.wait(TIMEOUT)
        if self.error is not None:
            raise self.error
        appended = super().append(stream, records, recorded)
        self.sizes.append(len(records))
        return appended

    async def reached(self) -> None:
        """Wait until an append has begun."""
        assert await asyncio.to_thread(self.entered.acquire, timeout=TIMEOUT)


def record(identity: str, value: bytes = b"") -> Record:
    return Record(source="s", id=identity, key="k", time=NOON, value=value)


def stored(log: EventLog) -> list[str]:
    return [each.id for each in log.read(DELIVERIES)]


def begun(committer: Committer, *records: Record) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(committer.store(each)) for each in records]


def numbered(count: int, start: int = 0) -> list[Record]:
    return [record(str(number)) for number in range(start, start + count)]


def test_it_returns_only_when_the_record_is_stored() -> None:
    async def scenario() -> None:
        (task,) = begun(committer, record("a"))
        await log.reached()
        assert not task.done()
        log.open.set()
        await task
        assert stored(log) == ["a"]

    log = Gate()
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        asyncio.run(scenario())


def test_those_who_wait_share_one_transaction() -> None:
    async def scenario() -> None:
        first = begun(committer, *numbered(3))
        await log.reached()
        later = begun(committer, *numbered(50, start=3))
        await asyncio.sleep(0)
        log.open.set()
        await asyncio.gather(*first, *later)

    log = Gate()
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        asyncio.run(scenario())
    assert log.sizes == [3, 50]


def test_each_gets_its_own_acknowledgement(log: EventLog) -> None:
    async def send(name: str) -> None:
        for number in range(20):
            await committer.store(record(f"{name}{number}"))
            assert f"{name}{number}" in stored(log)

    async def scenario() -> None:
        await asyncio.gather(*(send(name) for name in "abcd"))

    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        asyncio.run(scenario())
    assert len(stored(log)) == 80


def test_a_duplicate_is_acknowledged_too(log: EventLog) -> None:
    async def scenario() -> None:
        await asyncio.gather(committer.store(record("a")), committer.store(record("a")))
        await committer.store(record("a"))

    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        asyncio.run(scenario())
    assert stored(log) == ["a"]


def test_an_error_reaches_everyone_in_the_batch_and_the_next_batch_goes_on() -> None:
    async def scenario() -> None:
        failed = await asyncio.gather(*begun(committer, record("a"), record("b")), return_exceptions=True)
        assert [str(each) for each in failed] == ["no space left"] * 2
        log.error = None
        await committer.store(record("c"))

    log = Gate()
    log.error = Retryable("no space left")
    log.open.set()
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        asyncio.run(scenario())
    assert stored(log) == ["c"]


def test_a_record_that_cannot_be_stored_does_not_take_others_with_it(log: EventLog) -> None:
    async def scenario() -> list[BaseException | None]:
        tasks = begun(committer, record("good"), naive("bad"), record("fine"))
        return await asyncio.gather(*tasks, return_exceptions=True)

    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        outcomes = asyncio.run(scenario())
    assert [type(each) for each in outcomes] == [type(None), TypeError, type(None)]
    assert stored(log) == ["good", "fine"]


def naive(identity: str) -> Record:
    """A record that no log takes: its time has no zone."""
    return Record(source="s", id=identity, key="k", time=NOON.replace(tzinfo=None), value=b"")


@pytest.mark.parametrize(("records", "size"), [(2, 1_000), (100, 20)])
def test_too_much_waiting_is_refused_at_once(records: int, size: int) -> None:
    async def scenario() -> None:
        tasks = begun(committer, record("first", bytes(1_000)))
        await log.reached()
        tasks += begun(committer, *(record(str(number), bytes(10)) for number in range(2)))
        await asyncio.sleep(0)
        with pytest.raises(Retryable, match="2 deliveries wait") as refused:
            await committer.store(record("one too many", bytes(10)))
        assert refused.value.after == 1.0
        log.open.set()
        await asyncio.gather(*tasks)

    log = Gate()
    with Committer(log, DELIVERIES, lambda: NOON, max_pending=records, max_pending_bytes=size) as committer:
        asyncio.run(scenario())
    assert stored(log) == ["first", "0", "1"]


def test_closing_stores_what_waits_and_refuses_more() -> None:
    async def scenario() -> None:
        begun(committer, record("first"))
        await log.reached()
        begun(committer, *numbered(2 * MAX_BATCH + 500))
        await asyncio.sleep(0)

    log = Gate()
    committer = Committer(log, DELIVERIES, lambda: NOON)
    asyncio.run(scenario())
    log.open.set()
    committer.close()
    assert log.sizes == [1, MAX_BATCH, MAX_BATCH, 500]
    with pytest.raises(Retryable, match="shutting down"):
        asyncio.run(committer.store(record("late")))


def test_whoever_stops_waiting_does_not_lose_the_record() -> None:
    async def scenario() -> None:
        (first,) = begun(committer, record("first"))
        await log.reached()
        abandoned, kept = begun(committer, record("abandoned"), record("kept"))
        await asyncio.sleep(0)
        for task in (first, abandoned):
            task.cancel()
        log.open.set()
        await kept
        assert first.cancelled()
        assert abandoned.cancelled()

    log = Gate()
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        asyncio.run(scenario())
    assert stored(log) == ["first", "abandoned", "kept"]
