"""The whole audit: load, recompute, compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import duckdb
import msgspec

from pipeline.audit.compare import Comparison, Difference, Point, compare_facts, compare_metrics
from pipeline.audit.load import load_events
from pipeline.audit.recompute import recompute_facts, recompute_metrics
from pipeline.facts.rows import FACTS, Fact
from pipeline.log.protocol import EventLog


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found: over how many events, as of when (None: no event), and one comparison for each kind."""

    events: int
    as_of: datetime | None
    comparisons: list[Comparison]

    @property
    def agrees(self) -> bool:
        """Whether fold and recomputation hold the same facts and metrics."""
        return not any(comparison.fields for comparison in self.comparisons)

    @property
    def differences(self) -> list[Difference]:
        """The differences that were kept, by kind."""
        return [difference for comparison in self.comparisons for difference in comparison.differences]


def audit(
    connection: duckdb.DuckDBPyConnection,
    log: EventLog,
    facts: Callable[[str], Iterable[Fact]],
    metrics: Callable[[datetime], Iterable[Point]],
    *,
    as_of: datetime | None = None,
    limit: int = 100,
    report: Callable[[str], None] | None = None,
) -> Verdict:
    """Recompute everything from the canonical events in `log` and compare it with the fold's `facts` and `metrics`.

    The fold must have read the log to its end. `connection` is an empty database (`load.scratch`). Both sides take
    `as_of`, or the recomputation's own default. At most `limit` differences are kept for each kind.
    """
    events = load_events(connection, log)
    recompute_facts(connection, report)
    moment = recompute_metrics(connection, as_of)
    comparisons = [compare_facts(connection, kind, facts(kind), limit) for kind in FACTS]
    comparisons.append(compare_metrics(connection, metrics(moment) if moment is not None else (), limit))
    return Verdict(events=events, as_of=moment, comparisons=comparisons)
