"""Asking the questions of the library in tests."""

from __future__ import annotations

from typing import Any

import queries
from tests.snapshots.desk import Desk, ask

HOUR = 3600.0
DAY = 24 * HOUR


def report(desk: Desk, name: str, **given: str) -> list[dict[str, Any]]:
    """Return the rows that a question of the library has on the latest snapshot."""
    query = queries.load(name)
    return ask(desk.directory, query.sql, **query.with_defaults(given))


def picked(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Return some columns of rows."""
    return [tuple(row[name] for name in names) for row in rows]
