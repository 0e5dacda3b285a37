"""Two independent computations agree: the incremental fold, disturbed, and the SQL over the canonical events."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audit.load import scratch
from pipeline.audit.verdict import audit
from pipeline.events.envelope import Event
from pipeline.facts.rows import FACTS
from pipeline.metrics.windows import read_metrics
from tests.audit.auditing import log_of
from tests.simulation.folding import fold
from tests.simulation.strategies import histories
from tests.simulation.test_fold_properties import disturbed


@settings(max_examples=15)
@given(histories(), st.integers(0, 2**32), st.integers(1, 40))
def test_the_audit_finds_no_difference_in_a_disturbed_history(events: list[Event], seed: int, size: int) -> None:
    state = fold(disturbed(events, seed), size=size, restart=True)
    with scratch() as connection:
        verdict = audit(
            connection,
            log_of(events),
            lambda kind: [fact for _, fact in state.table(f"fact_{kind}", FACTS[kind]).items()],
            lambda as_of: read_metrics(state, as_of),
        )
    assert verdict.differences == []
    assert verdict.agrees
