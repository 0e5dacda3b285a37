"""The follower: wakes, tries again, gives up when a person has to act, and ends when told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from pipeline.api.follower import Beat, Follower
from pipeline.events.errors import ConfigError, Corrupt, Retryable
from pipeline.exporter.model import ReadModel

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
TIMEOUT = 10.0
NEVER = 3_600.0


@contextmanager
def following(
    advance: Callable[[Beat], None] | None,
    read: Callable[[ReadModel | None], ReadModel] = lambda model: ReadModel(
        position=model.position + 1 if model else 1
    ),
    *,
    recover: Callable[[Exception], None] = lambda _: None,
    interval: float = NEVER,
) -> Iterator[Follower]:
    follower = Follower(advance, read, lambda: NOON, recover=recover, interval=interval)
    follower.start()
    try:
        yield follower
    finally:
        follower.stop()
    assert not follower.status().alive


def reached(follower: Follower, position: int) -> bool:
    return follower.wait_until(lambda model: model.position >= position, TIMEOUT)


def test_it_publishes_once_and_then_when_woken() -> None:
    with following(lambda beat: beat()) as follower:
        assert reached(follower, 1)
        follower.wake()
        assert reached(follower, 2)
        assert (follower.last_success, follower.status().problems(60)) == (NOON, [])


def test_it_looks_by_itself_for_what_other_processes_wrote() -> None:
    with following(None, interval=0.01) as follower:
        assert reached(follower, 3)


def test_waking_it_during_a_round_makes_one_more() -> None:
    entered, go_on = threading.Event(), threading.Event()

    def advance(_: Beat) -> None:
        entered.set()
        assert go_on.wait(TIMEOUT)

    with following(advance) as follower:
        assert entered.wait(TIMEOUT)
        for _ in range(5):
            follower.wake()
        go_on.set()
        assert reached(follower, 2)
        assert not follower.wait_until(lambda model: model.position > 2, 0.3)


def test_what_passes_is_tried_again_with_a_new_engine() -> None:
    failures = [Retryable("busy", after=0.01), Retryable("busy", after=0.01)]
    recovered: list[Exception] = []

    def advance(_: Beat) -> None:
        if failures:
            raise failures.pop()

    with following(advance, recover=recovered.append) as follower:
        assert reached(follower, 1)
        assert ([str(each) for each in recovered], follower.status().error) == (["busy", "busy"], None)


def test_what_does_not_pass_becomes_a_reason() -> None:
    failed = threading.Semaphore(0)

    def advance(_: Beat) -> None:
        raise Retryable("another process is writing", after=0.001)

    with following(advance, recover=lambda _: failed.release()) as follower:
        for _ in range(4):
            assert failed.acquire(timeout=TIMEOUT)
        assert "another process is writing" in follower.status().problems(60)[0]
        assert follower.status().alive


def test_a_bug_is_a_reason_at_once_and_is_tried_again() -> None:
    told: list[str | None] = []
    bugs = [ZeroDivisionError("no")]

    def advance(_: Beat) -> None:
        told.append(follower.status().error)
        if bugs:
            raise bugs.pop()

    follower = Follower(advance, lambda _: ReadModel(), lambda: NOON)
    follower.start()
    assert follower.wait_until(lambda _: True, TIMEOUT)
    follower.stop()
    assert told == [None, "ZeroDivisionError: no"]
    assert follower.status().error is None


@pytest.mark.parametrize("error", [Corrupt("the file is damaged"), ConfigError("no such key")])
def test_it_stops_where_a_person_has_to_act(error: Exception) -> None:
    ended = threading.Event()

    def advance(_: Beat) -> None:
        raise error

    with following(advance, recover=lambda _: ended.set()) as follower:
        assert ended.wait(TIMEOUT)
        follower.stop()
        problems = follower.status().problems(60)
    assert str(error) in problems[0]
    assert "the follower has stopped" in problems


def test_a_long_round_ends_at_its_next_beat_when_told() -> None:
    begun = threading.Event()

    def advance(beat: Beat) -> None:
        while True:
            beat()
            begun.set()

    with following(advance) as follower:
        assert begun.wait(TIMEOUT)
    assert follower.model is None


def test_work_without_a_sign_of_life_is_a_reason() -> None:
    entered, go_on = threading.Event(), threading.Event()

    def advance(_: Beat) -> None:
        entered.set()
        go_on.wait(TIMEOUT)

    with following(advance) as follower:
        assert entered.wait(TIMEOUT)
        assert any("no sign of life" in each for each in follower.status().problems(stuck_after=0.0))
        assert not any("no sign of life" in each for each in follower.status().problems(stuck_after=60.0))
        go_on.set()
