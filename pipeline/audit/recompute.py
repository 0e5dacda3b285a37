"""The steps of the recomputation, in their order; what each does is said in its file under `queries/audit`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.resources import files

import duckdb

from pipeline.events.times import from_us, to_us

_FACTS = (
    "01_events",
    "02_contract",
    "03_practice",
    "04_occurrences",
    "05_resolution",
    "06_containment",
    "07_changes",
    "08_delivery",
    "09_failures",
    "10_tickets",
    "11_belonging",
    "12_decisions",
    "13_waits",
    "14_attribution",
    "15_delivery_facts",
    "16_work_facts",
)
_METRICS = ("17_delivery_metrics", "18_work_metrics")


def recompute_facts(connection: duckdb.DuckDBPyConnection, report: Callable[[str], None] | None = None) -> None:
    """Make a table `audit_<kind>` for each kind of fact from the table `event`, once.

    `report` is told the name of each step before it runs.
    """
    with connection.cursor() as cursor:
        for step in _FACTS:
            if report is not None:
                report(step)
            cursor.execute(_sql(step))


def recompute_metrics(connection: duckdb.DuckDBPyConnection, as_of: datetime | None = None) -> datetime | None:
    """Make the table `audit_metric` from the facts as of an instant; returns that instant.

    None means the default instant of the definitions, and is returned when the log holds no event to give it.
    """
    with connection.cursor() as cursor:
        moment = as_of if as_of is not None else _default_as_of(cursor)
        cursor.execute("set variable as_of_us = $1::bigint", [None if moment is None else to_us(moment)])
        for step in _METRICS:
            cursor.execute(_sql(step))
    return moment


def _default_as_of(cursor: duckdb.DuckDBPyConnection) -> datetime | None:
    row = cursor.execute("select as_of_us from log_end").fetchone()
    return from_us(row[0]) if row and row[0] is not None else None


def _sql(step: str) -> str:
    return (files("queries") / "audit" / f"{step}.sql").read_text(encoding="utf-8")
