"""A log of canonical events and its recomputation, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import duckdb

from pipeline.audit.load import load_events, scratch
from pipeline.audit.recompute import recompute_facts, recompute_metrics
from pipeline.events.codec import encode
from pipeline.events.envelope import Event
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import EVENTS, Record

RECORDED = datetime(2026, 4, 1, tzinfo=UTC)

Row = dict[str, Any]


def log_of(events: Iterable[Event], recorded: datetime = RECORDED) -> MemoryLog:
    """Return a log that took in `events` in their order."""
    log = MemoryLog()
    log.append(
        EVENTS,
        [
            Record(source=event.source, id=event.id, key=event.partitionkey, time=event.time, value=encode(event))
            for event in events
        ],
        recorded,
    )
    return log


@contextmanager
def recomputed(events: Iterable[Event], as_of: datetime | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that holds the audit's facts and metrics of `events`."""
    with scratch() as connection:
        load_events(connection, log_of(events))
        recompute_facts(connection)
        recompute_metrics(connection, as_of)
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, table: str) -> list[Row]:
    """Return a table of the audit as dictionaries."""
    with connection.cursor() as cursor:
        found = cursor.execute(f"from {table}")
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
