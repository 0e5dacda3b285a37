"""Two independent computations agree: the incremental fold, disturbed, and the SQL over the canonical events."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audit.load import scratch
from pipeline.audit.verdict import Verdict, audit
from pipeline.events.envelope import Event
from pipeline.facts.rows import FACTS
from pipeline.facts.state import State
from pipeline.log.protocol import EventLog
from pipeline.metrics.windows import read_metrics
from tests.audit.auditing import log_of
from tests.simulation.folding import fold
from tests.simulation.story import deployed, moment, opened
from tests.simulation.strategies import histories
from tests.simulation.test_fold_properties import disturbed


@settings(max_examples=15)
@given(histories(), st.integers(0, 2**32), st.integers(1, 40))
def test_the_audit_finds_no_difference_in_a_disturbed_history(events: list[Event], seed: int, size: int) -> None:
    verdict = audited(fold(disturbed(events, seed), size=size, restart=True), log_of(events))
    assert verdict.differences == []
    assert verdict.agrees


def test_a_clock_that_runs_ahead_opens_nothing_yet() -> None:
    events = [
        opened("10 09:00", 1),
        opened("25 09:00", 2),
        deployed("11 09:00", "d1", what="failed"),
        deployed("26 09:00", "d2", what="failed", repo="acme/ledger"),
    ]
    state = fold(events)
    verdict = audited(state, log_of(events, recorded=moment("20 12:00")))

    assert verdict.as_of == moment("11 09:00")
    assert verdict.differences == []
    points = read_metrics(state, verdict.as_of, latest=verdict.as_of)
    assert {(point.metric, point.value) for point in points if (point.scope, point.stat) == ("all", "value")} >= {
        ("open_changes", 1.0),
        ("open_recoveries", 1.0),
    }


def audited(state: State, log: EventLog) -> Verdict:
    """Audit a fold as of the latest event."""
    with scratch() as connection:
        return audit(
            connection,
            log,
            lambda kind: [fact for _, fact in state.table(f"fact_{kind}", FACTS[kind]).items()],
            lambda as_of: read_metrics(state, as_of, latest=as_of),
        )
