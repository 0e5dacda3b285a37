"""A log of canonical events and its recomputation, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import duckdb
import msgspec

from pipeline.audit.load import load_events, scratch
from pipeline.audit.recompute import recompute_facts, recompute_metrics
from pipeline.audit.verdict import Verdict, audit
from pipeline.events.coordination import AgentActed, ArtifactProposed, DecisionEvent
from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.events.types import Payload, Ref
from pipeline.facts.rows import (
    FACTS,
    ActFact,
    ArtifactFact,
    ChangeFact,
    DecisionFact,
    DeploymentFact,
    FailureFact,
    TicketFact,
    WaitFact,
)
from pipeline.log import protocol
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import event_record
from pipeline.metrics.catalogue import MetricPoint
from pipeline.simulate.telling import tell
from tests.simulation.story import deployed, merged, moment, opened, seen, ticket_seen, trouble, us

RECORDED = datetime(2026, 4, 1, tzinfo=UTC)
AS_OF = moment("28 12:00")

Row = dict[str, Any]
AnyFact = ChangeFact | DeploymentFact | FailureFact | TicketFact | WaitFact | DecisionFact | ArtifactFact | ActFact


def _told(at: str, payload: Payload) -> Event:
    return tell(payload.TYPES[0], us(at), payload)


#: A little of everything, two deployments and one fact of every other kind.
EVENTS = [
    deployed("01 09:00", "d0"),
    opened("02 09:00", 1),
    seen("02 09:00", 1, title="GROW-1 faster", labels=["b", "a"]),
    merged("02 10:00", 1),
    deployed("02 11:00", "d1"),
    trouble("02 12:00", "i1"),
    trouble("02 13:00", "i1", "resolved"),
    ticket_seen("02 09:00", "GROW-1", labels=["z", "y"]),
    _told("02 09:00", DecisionEvent(decision="ADR-1", approvers=["legal", "core"])),
    _told("02 09:00", ArtifactProposed(artifact="spec-1", agent="assistant")),
    _told("02 09:00", AgentActed(act="act-1", agent="assistant", action="merge", approvals=["legal", "core"])),
]


def log_of(events: Iterable[Event], recorded: datetime = RECORDED) -> MemoryLog:
    """Return a log that took in `events` in their order."""
    log = MemoryLog()
    log.append(
        protocol.EVENTS,
        [event_record(event) for event in events],
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


def facts_of(connection: duckdb.DuckDBPyConnection, kind: str) -> list[AnyFact]:
    """Return the audit's own facts as a fold would hold them."""
    return [_fact_of(kind, row) for row in rows(connection, f"audit_{kind}")]


def points_of(connection: duckdb.DuckDBPyConnection) -> list[MetricPoint]:
    """Return the audit's own metrics as a fold would hold them."""
    return [MetricPoint(**row, unit="", as_of=to_us(AS_OF)) for row in rows(connection, "audit_metric")]


def verdict_on(**wrong: Any) -> Verdict:
    """Audit a fold of `EVENTS` that agrees, except in these fields of its deployments."""
    with recomputed(EVENTS, AS_OF) as connection:
        facts = {kind: facts_of(connection, kind) for kind in FACTS}
        points = points_of(connection)
    facts["deployment"] = [msgspec.structs.replace(fact, **wrong) for fact in facts["deployment"]]
    with scratch() as connection:
        return audit(connection, log_of(EVENTS), facts.__getitem__, lambda _: points, as_of=AS_OF)


def _fact_of(kind: str, row: Row) -> AnyFact:
    refs = {"refs": [Ref(**ref) for ref in row["refs"]]} if "refs" in row else {}
    fact = FACTS[kind](**(row | refs))
    assert isinstance(fact, AnyFact)
    return fact
