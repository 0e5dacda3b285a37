"""A small Leadline in memory, of which tests take snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from pipeline.engine.embedded import Engine
from pipeline.engine.store import MemoryStore
from pipeline.events.envelope import Event
from pipeline.facts.rows import FACTS
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import EVENTS, event_record
from pipeline.snapshots.build import Built, build
from pipeline.snapshots.columns import fact_row, revision_of
from pipeline.snapshots.reading import reading

START = datetime(2026, 12, 1, tzinfo=UTC)

#: What facts say: (kind, id) -> revision.
Said = dict[tuple[str, str], str]


class Desk:
    """Log, fold and a directory of snapshots. Each snapshot is taken an hour after the one before."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = MemoryLog()
        self.store = MemoryStore()
        self.engine = Engine(self.log, self.store)
        self.now = START

    def tell(self, *events: Event) -> None:
        """Append events and fold them."""
        self.log.append(EVENTS, [event_record(event) for event in events], self.now)
        self.engine.run()

    def snap(self, **options: Any) -> Built:
        """Take a snapshot."""
        self.now += timedelta(hours=1)
        return build(self.store, self.log, self.directory, self.now, version="1.2.3", **options)

    def said(self) -> Said:
        """Return what all facts say now."""
        return {
            (kind, key): revision_of(fact_row(fact))
            for kind, struct in FACTS.items()
            for key, fact in self.engine.state.table(f"fact_{kind}", struct).items()
        }

    def facts(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return all facts as plain values; of a commit without the title, which only its event tells."""
        return {
            (kind, key): msgspec.to_builtins(fact_row(fact))
            for kind, struct in FACTS.items()
            for key, fact in self.engine.state.table(f"fact_{kind}", struct).items()
        }


def ask(directory: Path, sql: str, **parameters: str | None) -> list[dict[str, Any]]:
    """Return the rows of a query on the latest snapshot."""
    with reading(directory) as library, library.ask(sql, parameters or None) as answer:
        return list(answer.rows)


def files_of(directory: Path) -> dict[Path, tuple[int, int]]:
    """Return the data files with inode and time of their last change."""
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in directory.rglob("*.parquet")}


def in_parts(events: Sequence[Event], parts: int) -> Iterable[Sequence[Event]]:
    """Cut a list into about equal parts, in its order."""
    size = -(-len(events) // parts)
    return (events[start : start + size] for start in range(0, len(events), size))
