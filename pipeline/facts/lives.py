"""What a ticket's history says: its status in canonical words, its team, and where its time went.

Pure functions over what was told and the contract; `docs/coordination.md` defines every word.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import msgspec

from pipeline.contract.coordination import UNMAPPED
from pipeline.contract.resolve import Contract
from pipeline.events.times import seconds_between
from pipeline.facts.work import Ticket

ACTIVE = frozenset({"in_progress", "in_review"})
BEGUN = ACTIVE | {"blocked"}
FINAL = frozenset({"done", "cancelled"})

#: [start, end) in microseconds; end None: until now.
Interval = tuple[int, int | None]


class Run(msgspec.Struct, frozen=True):
    """A time during which a ticket had one canonical status. `end` None: it still has."""

    status: str
    start: int
    end: int | None


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from the history of one ticket. Instants in microseconds."""

    runs: tuple[Run, ...]
    #: (instant, native status) of each change of the native status.
    changes: tuple[tuple[int, str], ...]
    canonical_type: str
    canonical_status: str
    started_at: int | None
    finished_at: int | None
    finish: str | None

    @property
    def status_since(self) -> int | None:
        """The beginning of the present canonical status."""
        return self.runs[-1].start if self.runs else None


def live(ticket: Ticket, contract: Contract) -> Life:
    """Return what follows from a ticket's history."""
    words = contract.coordination
    tracker = ticket.told_tracker
    changes = _changes(ticket)
    runs = _runs([(at, words.canonical_status(tracker, status)) for at, status in changes])
    finished_at, finish = _finish(ticket, runs)
    started_at = next((run.start for run in runs if run.status in BEGUN), None)
    if started_at is not None and finished_at is not None and started_at >= finished_at:
        started_at = None
    return Life(
        runs=tuple(runs),
        changes=tuple(changes),
        canonical_type=words.canonical_type(tracker, ticket.kind),
        canonical_status=runs[-1].status if runs else UNMAPPED,
        started_at=started_at,
        finished_at=finished_at,
        finish=finish,
    )


def closed_at(ticket: Ticket) -> int | None:
    """Return when a ticket was closed, unless it was seen open later."""
    reopened = ticket.closed is not None and ticket.seen_open is not None and ticket.seen_open > ticket.closed
    return None if reopened else ticket.closed


def team_at(ticket: Ticket, at: int, contract: Contract) -> str | None:
    """Return the team that a ticket was with at an instant."""
    held = bisect_right(ticket.owners, at, key=lambda entry: entry[0])
    if held:
        return _team(ticket, ticket.owners[held - 1][2], at, contract)
    first = ticket.owners[0] if ticket.owners else (0, "", "", "")
    return _team(ticket, first[3] or first[2], at, contract)


def latest(ticket: Ticket) -> int:
    """Return the instant of the latest word on a ticket."""
    entries = [each[-1][0] for each in (ticket.statuses, ticket.owners, ticket.flags) if each]
    return max([*entries, ticket.created or 0, ticket.closed or 0])


def time_in(life: Life) -> tuple[float | None, float | None, float | None]:
    """Return flow, active and waiting time in seconds; None unless the ticket is done and was seen to begin."""
    start, end = life.started_at, life.finished_at
    if life.finish != "done" or start is None or end is None:
        return None, None, None
    spans = {True: 0, False: 0}
    for run in life.runs:
        if run.status != UNMAPPED:
            first, last = max(run.start, start), min(end if run.end is None else run.end, end)
            spans[run.status in ACTIVE] += max(last - first, 0)
    return seconds_between(start, end), seconds_between(0, spans[True]), seconds_between(0, spans[False])


def blocked(ticket: Ticket, life: Life, waits: Iterable[Interval]) -> tuple[float | None, int | None]:
    """Return how long a ticket was blocked, in seconds, and since when it is (None: it is not)."""
    if life.started_at is None:
        return None, None
    found = [*waits, *_flagged(ticket), *((run.start, run.end) for run in life.runs if run.status == "blocked")]
    total, since = 0, None
    for start, end in _union(_clip(found, life.started_at, life.finished_at)):
        if end is None:
            since = start
        else:
            total += end - start
    return seconds_between(0, total), since


def transfers(ticket: Ticket, contract: Contract) -> list[tuple[int, str, str]]:
    """Return (instant, team before, team after) of each time that a ticket went from one known team to another."""
    found = []
    word = ticket.owners[0][3] if ticket.owners else ""
    for at, entries in groupby(ticket.owners, key=lambda entry: entry[0]):
        before = _team(ticket, word, at, contract) if word else None
        *_, (_, _, word, _) = entries
        after = _team(ticket, word, at, contract)
        if before is not None and after is not None and before != after:
            found.append((at, before, after))
    return found


def _team(ticket: Ticket, word: str, at: int, contract: Contract) -> str | None:
    """Return the team that a word means for a ticket, or else its project."""
    named = contract.coordination.team_named
    return named(word, at) or named(ticket.told_project, at) or _owner_of_repo(ticket.told_project, at, contract)


def _owner_of_repo(project: str, at: int, contract: Contract) -> str | None:
    service = contract.service_of(project, None, at)
    return contract.team_of(service, at)


def _changes(ticket: Ticket) -> list[tuple[int, str]]:
    """Return the history of the native status, each instant and each change of it once."""
    found: list[tuple[int, str]] = []
    for at, rank, _, status, before, _ in ticket.statuses:
        if not found and rank == 0 and before and ticket.created is not None and ticket.created <= at:
            found.append((ticket.created, before))
        if found and found[-1][0] == at:
            found.pop()
        if not found or found[-1][1] != status:
            found.append((at, status))
    return found


def _runs(history: Sequence[tuple[int, str]]) -> list[Run]:
    merged = [entry for index, entry in enumerate(history) if index == 0 or history[index - 1][1] != entry[1]]
    ends = [*(at for at, _ in merged[1:]), None]
    return [Run(status, at, end) for (at, status), end in zip(merged, ends, strict=False)]


def _finish(ticket: Ticket, runs: Sequence[Run]) -> tuple[int | None, str | None]:
    at: int | None = None
    finish: str | None = None
    last = runs[-1].status if runs else UNMAPPED
    if last in FINAL:
        tail = len(runs)
        while tail and runs[tail - 1].status in FINAL:
            tail -= 1
        at, finish = runs[tail].start, last
    elif last == UNMAPPED and (closed := closed_at(ticket)) is not None:
        at, finish = closed, "done"
    if ticket.deleted is not None and (at is None or at > ticket.deleted):
        return ticket.deleted, "deleted"
    return at, finish


def _flagged(ticket: Ticket) -> Iterator[Interval]:
    since: int | None = None
    for at, _, flagged in ticket.flags:
        if flagged and since is None:
            since = at
        elif not flagged and since is not None:
            yield since, at
            since = None
    if since is not None:
        yield since, None


def _clip(intervals: Iterable[Interval], first: int, last: int | None) -> Iterator[Interval]:
    for start, end in intervals:
        ends = [each for each in (end, last) if each is not None]
        clipped = max(start, first), min(ends) if ends else None
        if clipped[1] is None or clipped[0] < clipped[1]:
            yield clipped


def _union(intervals: Iterable[Interval]) -> Iterator[Interval]:
    """Yield disjoint intervals that cover the same time, in order."""
    current: Interval | None = None
    for start, end in sorted(intervals, key=lambda each: each[0]):
        if current is None:
            current = start, end
        elif current[1] is not None and start > current[1]:
            yield current
            current = start, end
        else:
            current = current[0], None if current[1] is None or end is None else max(current[1], end)
    if current is not None:
        yield current
