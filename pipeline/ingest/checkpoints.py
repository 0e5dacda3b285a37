"""How far the polling of each scope has come, kept in the log: it survives whatever the deliveries survive.

A cursor of the log holds the *mark*: everything up to that instant was told. A stream of its own holds what is under
way, and what a poller wants to remember.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from threading import RLock

import msgspec

from pipeline.events.errors import Corrupt
from pipeline.events.polling import Checkpoint
from pipeline.events.times import from_us, to_us
from pipeline.log.protocol import EventLog, Record, Stored

POLLS = "polls"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A query under way: its bounds and, since a crash does not move it, the instant at which it began."""

    begun: datetime
    since: datetime | None = None
    until: datetime | None = None


class _Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    run: Run
    cursor: str = ""
    memory: dict[str, str] = {}


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Entry)


class Checkpoints:
    """The checkpoints of all scopes of all pollers, over the log. Threads may share one."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._lock = RLock()
        self._position = 0
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._runs: dict[tuple[str, str], tuple[Run, str]] = {}
        self._memory: dict[tuple[str, str], dict[str, str]] = {}

    def mark(self, poller: str, scope: str) -> datetime | None:
        """Return the instant up to which everything was told; None: never polled to an end."""
        us = self._log.cursor(_mark(poller, scope))
        return from_us(us) if us else None

    def set_mark(self, poller: str, scope: str, mark: datetime) -> None:
        """Durably set the mark."""
        self._log.commit(_mark(poller, scope), to_us(mark))

    def under_way(self, poller: str, scope: str) -> Run | None:
        """Return the query that left a cursor and has not ended."""
        with self._lock:
            self._refresh()
            found = self._runs.get((poller, scope))
        return None if found is None else found[0]

    def checkpoint(self, poller: str, scope: str, run: Run) -> Checkpoint:
        """Return where `run` stands, and the memory of its scope. A cursor of another query is none of this one."""
        with self._lock:
            self._refresh()
            known, cursor = self._runs.get((poller, scope), (None, ""))
            memory = dict(self._memory.get((poller, scope), {}))
        return Checkpoint(cursor=cursor if known == run else "", memory=memory)

    def note(self, poller: str, scope: str, run: Run, cursor: str, memory: Mapping[str, str], now: datetime) -> None:
        """Durably note the cursor of a run (empty: it has none, or it ended) and the new entries of the memory.

        What is noted already is not written again, so an idle poll leaves nothing behind.
        """
        key = (poller, scope)
        with self._lock:
            self._refresh()
            known = self._memory.get(key, {})
            news = {name: value for name, value in memory.items() if known.get(name) != value}
            before = self._runs.get(key)
            if not news and before == ((run, cursor) if cursor else None):
                return
            record = Record(
                source=f"poll:{poller}",
                id=f"{scope}\x1f{self._numbers[key] + 1}",
                key=scope,
                time=run.begun,
                value=_encoder.encode(_Entry(run=run, cursor=cursor, memory=news)),
            )
            self._log.append(POLLS, [record], now)
            self._refresh()

    def _refresh(self) -> None:
        for batch in self._log.iterate(POLLS, after=self._position):
            for stored in batch:
                key, entry = (stored.source.removeprefix("poll:"), stored.key), _entry(stored)
                self._numbers[key] += 1
                self._memory.setdefault(key, {}).update(entry.memory)
                if entry.cursor:
                    self._runs[key] = (entry.run, entry.cursor)
                else:
                    self._runs.pop(key, None)
            self._position = batch[-1].offset


def _mark(poller: str, scope: str) -> str:
    return f"poll:{poller}:{scope}"


def _entry(stored: Stored) -> _Entry:
    try:
        return _decoder.decode(stored.value)
    except msgspec.MsgspecError as error:
        raise Corrupt(f"record {stored.offset} of the stream {POLLS} is no checkpoint: {error}") from error
