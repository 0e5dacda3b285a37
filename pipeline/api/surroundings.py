"""What is kept beside the log, looked at by the follower now and then: the size of the state, the latest snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pipeline.events.errors import LeadlineError
from pipeline.exporter.model import SnapshotFigures, Surroundings, TableSize
from pipeline.snapshots.manifest import CURRENT, current

#: Seconds between two times that all tables were measured; that measuring may take at once, unless one table takes
#: longer; and how many times longer than that is waited for. To measure is to read all rows: so it costs a hundredth.
_EVERY, _SLICE, _PAUSE = 60.0, 0.05, 100.0


class Measurable(Protocol):
    """Tables that can be measured; `Reader` is one."""

    def tables(self) -> list[str]: ...

    def size(self, table: str) -> TableSize: ...


class Lookout:
    """Looks around at the end of a round; `found` returns what it saw last. One thread looks, any may ask.

    `snapshots` None: nobody looks after snapshots here. `timer` returns seconds that only ever grow.
    """

    def __init__(self, state: Measurable, snapshots: Path | None, timer: Callable[[], float] = time.monotonic) -> None:
        self._state, self._snapshots, self._timer = state, snapshots, timer
        self._due = 0.0
        self._left: list[str] = []
        self._sizes: dict[str, TableSize] = {}
        self._seen: object = None
        self._found = Surroundings()

    def found(self) -> Surroundings:
        """Return what was seen last."""
        return self._found

    def look(self) -> None:
        """Look at what is due. Nothing that goes wrong here keeps the numbers from being published."""
        tables = self._found.tables
        if self._timer() >= self._due:
            try:
                tables = self._measured()
            except LeadlineError:
                self._left, self._due = [], self._timer() + _EVERY
        readable, snapshot = self._latest()
        self._found = Surroundings(tables=tables, snapshots_readable=readable, snapshot=snapshot)

    def _measured(self) -> dict[str, TableSize]:
        """Measure as many tables as there is time for; return the sizes of all as of the last time around."""
        begun = self._timer()
        if not self._left:
            self._left = self._state.tables()
            self._sizes = {name: size for name, size in self._sizes.items() if name in self._left}
        while self._left and self._timer() - begun < _SLICE:
            name = self._left.pop()
            self._sizes[name] = self._state.size(name)
        took = self._timer() - begun
        # Before the first event there are no tables yet, which costs nothing to see.
        whole = self._sizes and not self._left
        self._due = begun + took + max(_EVERY if whole else 0.0, took * _PAUSE)
        return dict(self._sizes)

    def _latest(self) -> tuple[bool | None, SnapshotFigures | None]:
        """Return whether the snapshots can be read, and the latest. Its manifest is read once."""
        if self._snapshots is None or not self._snapshots.is_dir():
            return None, None
        try:
            seen = _identity(self._snapshots / CURRENT)
            if seen == self._seen:
                return self._found.snapshots_readable, self._found.snapshot
            last = current(self._snapshots)
        except (LeadlineError, OSError):
            self._seen = None
            return False, None
        self._seen = seen
        return True, None if last is None else SnapshotFigures(last[1].taken_at, last[1].position)


def _identity(path: Path) -> object:
    """Return what is another for every file that was ever put there."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return "absent"
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
