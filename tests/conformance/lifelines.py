"""The life of a work item worked out from a tracker's own words, without any of Leadline's code.

A second reading of `docs/coordination.md`, for the comparison with what the fold makes of the events. Instants are
microseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

UNMAPPED = "unmapped"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEGUN = {"in_progress", "in_review", "blocked"}
_ACTIVE = {"in_progress", "in_review"}
_FINAL = {"done", "cancelled"}


class Step(NamedTuple):
    """A change of status. `order` tells two changes of one second apart."""

    at: int
    order: int
    before: str | None
    after: str


class Interval(NamedTuple):
    """A time in one canonical status; `end` None: until now."""

    status: str
    start: int
    end: int | None


class Lifeline(NamedTuple):
    """What follows from the history of one work item."""

    intervals: tuple[Interval, ...]
    started_at: int | None
    finished_at: int | None
    finish: str | None
    flow: float | None
    active: float | None
    waiting: float | None


class Episode(NamedTuple):
    """From when to when one item waited for another; `removed` None: it still does."""

    ticket: str
    blocked_by: str
    added: int
    removed: int | None


def micros(moment: datetime, *, whole_second: bool = False) -> int:
    """Return an instant in microseconds, without its fraction of a second if asked."""
    us = (moment - _EPOCH) // timedelta(microseconds=1)
    return us - us % 1_000_000 if whole_second else us


def lifeline(
    created: int, steps: Iterable[Step], seen: tuple[int, str], words: Mapping[str, str], closed: int | None
) -> Lifeline:
    """Return the life of an item. `seen` is its status as of a snapshot, `words` the canonical ones of the tracker's.

    `closed` is when the tracker says that it was closed, which counts only where no word is known for its status.
    """
    intervals = _intervals(created, sorted(steps), seen, words)
    final = intervals
    while final and final[-1].status in _FINAL:
        final = final[:-1]
    ended = intervals[len(final)] if len(final) < len(intervals) else None
    finished, finish = (ended.start, intervals[-1].status) if ended else (None, None)
    if not ended and (not intervals or intervals[-1].status == UNMAPPED) and closed is not None:
        finished, finish = closed, "done"
    started = next((each.start for each in intervals if each.status in _BEGUN), None)
    if started is not None and finished is not None and started >= finished:
        started = None
    if finish != "done" or started is None or finished is None:
        return Lifeline(tuple(intervals), started, finished, finish, None, None, None)
    spent = [
        (each.status, max(min(finished if each.end is None else each.end, finished) - max(each.start, started), 0))
        for each in intervals
    ]
    active = sum(span for status, span in spent if status in _ACTIVE)
    waiting = sum(span for status, span in spent if status not in _ACTIVE and status != UNMAPPED)
    return Lifeline(
        tuple(intervals), started, finished, finish, _seconds(finished - started), _seconds(active), _seconds(waiting)
    )


def _intervals(created: int, steps: Sequence[Step], seen: tuple[int, str], words: Mapping[str, str]) -> list[Interval]:
    told = [(step.at, step.after) for step in steps]
    if steps and steps[0].before and created <= steps[0].at:
        told.insert(0, (created, steps[0].before))
    at_each = dict([*told, seen])  # Of several at one instant the last counts.
    runs: list[tuple[int, str]] = []
    for at, native in sorted(at_each.items()):
        status = words.get(native.lower(), UNMAPPED)
        if not runs or runs[-1][1] != status:
            runs.append((at, status))
    ends = [*(at for at, _ in runs[1:]), None]
    return [Interval(status, at, end) for (at, status), end in zip(runs, ends, strict=True)]


def episodes(events: Iterable[tuple[int, bool]], ticket: str, blocked_by: str) -> list[Episode]:
    """Return from when to when a dependency held. `events` are (instant, whether it was added)."""
    found: list[Episode] = []
    since: int | None = None
    for at, added in sorted(set(events)):
        if added and since is None:
            since = at
        elif not added and since is not None:
            found.append(Episode(ticket, blocked_by, since, at))
            since = None
    return [*found, Episode(ticket, blocked_by, since, None)] if since is not None else found


def _seconds(us: int) -> float:
    """Return seconds, cut to whole milliseconds."""
    return us // 1000 / 1000
