"""Two independent computations agree: the incremental fold, disturbed, and the SQL over the canonical events."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audit.load import scratch
from pipeline.audit.verdict import Verdict, audit
from pipeline.events.coordination import AgentActed, ReviewRequest
from pipeline.events.envelope import Event
from pipeline.events.times import from_us
from pipeline.events.types import DependencyEvent
from pipeline.facts.rows import FACTS, ActFact, DeploymentFact, Fact, WaitFact
from pipeline.facts.state import State
from pipeline.log.protocol import EventLog
from pipeline.metrics.windows import read_metrics
from pipeline.simulate.telling import TRACKER, tell
from tests.audit.auditing import log_of
from tests.simulation.folding import facts_of, fold, latest_of
from tests.simulation.ground import SHOP, instants
from tests.simulation.story import (
    declared,
    deployed,
    merged,
    moment,
    opened,
    seen,
    ticket_moved,
    ticket_seen,
    us,
)
from tests.simulation.strategies import histories
from tests.simulation.test_fold_properties import disturbed

FactT = TypeVar("FactT", bound=Fact)

#: Instants inside the ten days of a history; None: the latest of its events.
_as_of = st.none() | instants.map(from_us)


@settings(max_examples=15)
@given(histories(), st.integers(0, 2**32), st.integers(1, 40), _as_of)
def test_the_audit_finds_no_difference_in_a_disturbed_history(
    events: list[Event], seed: int, size: int, as_of: datetime | None
) -> None:
    state = fold(disturbed(events, seed), size=size, restart=True)
    verdict = audited(state, log_of(events), as_of, latest_of(events))
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


_TEAMS = [declared("Team", "growth", {"aliases": ["GROW"]}), declared("Team", "core", {"aliases": ["CORE"]})]
_STATUSES = declared("StatusMap", "tracker", {"tracker": "tracker", "map": {"Doing": "in_progress", "Done": "done"}})


def _blocked(at: str) -> Event:
    edge = DependencyEvent(tracker=TRACKER, ticket="GROW-1", blocked_by="CORE-1")
    return tell(DependencyEvent.TYPES[0], us(at), edge)


def test_a_blocker_known_less_than_a_millisecond_before_work_began_was_known_before() -> None:
    events = [*_TEAMS, _STATUSES, _blocked("03 09:00"), ticket_moved("03 09:00:00.000001", "GROW-1", "Doing")]
    state = fold(events)
    assert {wait.discovery_lag for wait in _facts(state, WaitFact)} == {-0.001}
    assert audited(state, log_of(events)).differences == []


def test_waits_that_have_all_ended_are_told_without_any_that_is_open() -> None:
    events = [
        *(*_TEAMS, _STATUSES, _blocked("03 09:00")),
        *(ticket_seen("01 09:00", key) for key in ("GROW-1", "CORE-1")),
        ticket_moved("03 11:00", "CORE-1", "Done"),
    ]
    state = fold(events)
    now = moment("03 11:00")
    told = {point.value for point in read_metrics(state, now, latest=now) if point.metric == "dependency_wait"}
    assert told == {7200.0}
    assert audited(state, log_of(events)).differences == []


def test_a_change_that_needs_no_initiative_may_serve_one_all_the_same() -> None:
    events = [
        declared("Policy", "default", {"exempt": {"branches": ["chore/*"]}}),
        declared("Initiative", "faster-activation", {"stage": "bet"}),
        deployed("01 09:00", "d0"),
        opened("02 09:00", 1),
        seen("02 09:00", 1, branch="chore/x", body="Initiative: faster-activation"),
        merged("02 10:00", 1),
        deployed("02 11:00", "d1"),
    ]
    state = fold(events)
    traced = {fact.deployment: (fact.trace, fact.initiatives) for fact in _facts(state, DeploymentFact)}
    assert traced["d1"] == ("exempt", ["faster-activation"])
    assert audited(state, log_of(events)).differences == []


@pytest.mark.parametrize(("approvals", "violation"), [(["Core", "core"], True), (["core", "legal"], False)])
def test_one_role_written_twice_is_one_approval(approvals: list[str], violation: bool) -> None:
    act = AgentActed(act="a1", agent="assistant", action="Deploy", approvals=approvals)
    events = [
        declared("Policy", "default", {"agents": {"crossFunctional": ["deploy"]}}),
        tell(AgentActed.TYPES[0], us("02 09:00"), act),
    ]
    state = fold(events)
    assert {fact.violation for fact in _facts(state, ActFact)} == {violation}
    assert audited(state, log_of(events)).differences == []


def test_a_review_of_a_change_between_two_initiatives_names_both() -> None:
    names = ["faster-activation", "safer-core"]
    asked = ReviewRequest(repo=SHOP, change=f"{SHOP}#1", team="core")
    events = [
        *(declared("Initiative", name, {"stage": "bet"}) for name in names),
        opened("02 09:00", 1),
        seen("02 09:00", 1, body="\n".join(f"Initiative: {name}" for name in names)),
        tell(ReviewRequest.TYPES[0], us("02 10:00"), asked),
    ]
    state = fold(events)
    assert [(wait.initiative, wait.candidates) for wait in _facts(state, WaitFact)] == [(None, names)]
    assert audited(state, log_of(events)).differences == []


def _facts(state: State, kind: type[FactT]) -> list[FactT]:
    return [fact for fact in facts_of(state, kind.KIND).values() if isinstance(fact, kind)]


def audited(state: State, log: EventLog, as_of: datetime | None = None, latest: datetime | None = None) -> Verdict:
    """Audit a fold as of an instant, by default that of the latest event."""
    with scratch() as connection:
        return audit(
            connection,
            log,
            lambda kind: [fact for _, fact in state.table(f"fact_{kind}", FACTS[kind]).items()],
            lambda moment: read_metrics(state, moment, latest=latest or moment),
            as_of=as_of,
        )
