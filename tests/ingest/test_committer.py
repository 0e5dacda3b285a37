from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime

import pytest

from pipeline.events.errors import Retryable
from pipeline.ingest.committer import Committer
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


def record(identity: str, value: bytes = b"") -> Record:
    return Record(source="s", id=identity, key="k", time=NOON, value=value)


def stored(log: EventLog) -> list[str]:
    return [each.id for each in log.read(DELIVERIES)]


def test_a_future_is_done_only_when_the_record_is_stored() -> None:
    log = Gate()
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        future = committer.submit(record("a"))
        assert log.entered.acquire(timeout=TIMEOUT)
        assert not future.done()
        log.open.set()
        future.result(TIMEOUT)
        assert stored(log) == ["a"]


def test_those_who_wait_share_one_transaction() -> None:
    log = Gate()
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        futures = [committer.submit(record("first"))]
        assert log.entered.acquire(timeout=TIMEOUT)
        futures += [committer.submit(record(str(number))) for number in range(50)]
        log.open.set()
        for future in futures:
            future.result(TIMEOUT)
    assert log.sizes == [1, 50]


def test_many_threads_get_their_own_acknowledgement(log: EventLog) -> None:
    with Committer(log, DELIVERIES, lambda: NOON) as committer:

        def send(name: str) -> None:
            for number in range(20):
                committer.submit(record(f"{name}{number}")).result(TIMEOUT)
                assert f"{name}{number}" in stored(log)

        threads = [threading.Thread(target=send, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(TIMEOUT)
    assert len(stored(log)) == 80


def test_a_duplicate_is_acknowledged_too(log: EventLog) -> None:
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        for _ in range(2):
            committer.submit(record("a")).result(TIMEOUT)
    assert stored(log) == ["a"]


def test_an_error_reaches_everyone_in_the_batch_and_the_next_batch_goes_on() -> None:
    log = Gate()
    log.error = Retryable("no space left")
    log.open.set()
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        with pytest.raises(Retryable, match="no space left"):
            committer.submit(record("a")).result(TIMEOUT)
        log.error = None
        committer.submit(record("b")).result(TIMEOUT)
    assert stored(log) == ["b"]


def test_a_record_that_cannot_be_stored_does_not_take_others_with_it() -> None:
    log = Gate()
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        blocker = committer.submit(record("blocker"))
        assert log.entered.acquire(timeout=TIMEOUT)
        good, bad, fine = (committer.submit(each) for each in (record("good"), naive("bad"), record("fine")))
        log.open.set()
        with pytest.raises(TypeError):
            bad.result(TIMEOUT)
        for future in (blocker, good, fine):
            future.result(TIMEOUT)
    assert stored(log) == ["blocker", "good", "fine"]


def naive(identity: str) -> Record:
    """A record that no log takes: its time has no zone."""
    return Record(source="s", id=identity, key="k", time=NOON.replace(tzinfo=None), value=b"")


@pytest.mark.parametrize(("records", "size"), [(2, 1_000), (100, 20)])
def test_too_much_waiting_is_refused_at_once(records: int, size: int) -> None:
    log = Gate()
    with Committer(log, DELIVERIES, lambda: NOON, max_pending=records, max_pending_bytes=size) as committer:
        futures = [committer.submit(record("first", bytes(1_000)))]
        assert log.entered.acquire(timeout=TIMEOUT)
        futures += [committer.submit(record(str(number), bytes(10))) for number in range(2)]
        with pytest.raises(Retryable, match="2 deliveries wait") as refused:
            committer.submit(record("one too many", bytes(10)))
        assert refused.value.after == 1.0
        log.open.set()
        for future in futures:
            future.result(TIMEOUT)
    assert stored(log) == ["first", "0", "1"]


def test_closing_stores_what_waits_and_refuses_more() -> None:
    log = Gate()
    committer = Committer(log, DELIVERIES, lambda: NOON)
    futures: list[Future[None]] = [committer.submit(record("0"))]
    assert log.entered.acquire(timeout=TIMEOUT)
    futures += [committer.submit(record(str(number))) for number in range(1, 2_500)]
    log.open.set()
    committer.close()
    assert all(future.done() and future.exception() is None for future in futures)
    assert len(stored(log)) == 2_500
    with pytest.raises(Retryable, match="shutting down"):
        committer.submit(record("late"))


def test_a_cancelled_future_does_not_lose_the_record() -> None:
    log = Gate()
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        committer.submit(record("first"))
        assert log.entered.acquire(timeout=TIMEOUT)
        abandoned, kept = committer.submit(record("abandoned")), committer.submit(record("kept"))
        assert abandoned.cancel()
        log.open.set()
        kept.result(TIMEOUT)
    assert stored(log) == ["first", "abandoned", "kept"]
