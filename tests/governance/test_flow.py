"""Journeys, couplings and confidence."""

from __future__ import annotations

from pipeline.events.coordination import ArtifactProposed
from pipeline.facts.rows import WaitFact
from pipeline.governance.confidence import confidence
from pipeline.governance.couplings import couplings, cycles
from pipeline.governance.journey import journeys, legs
from pipeline.simulate.telling import tell
from tests.governance.known_of import blocked, complete, core, decision, growth, known_of, since, status_map
from tests.simulation.story import (
    DAY,
    HOUR,
    committed,
    declared,
    deployed,
    merged,
    opened,
    seen,
    service,
    ticket_created,
    ticket_moved,
    ticket_seen,
    us,
)

_WORK = (
    growth(),
    service(),
    status_map(),
    since("01 00:00", complete()),
    ticket_created("02 09:00", "GROW-1"),
    decision("03 09:00", "decided", "D-1", initiative="speed"),
    ticket_moved("04 09:00", "GROW-1", "In Progress"),
)
_SHIPPED = (
    committed("a0", "01 09:00", message="Begin"),
    deployed("01 12:00", "d0", "a0"),
    committed("a1", "05 09:00", "a0", message="Work"),
    opened("05 10:00", 1),
    seen("05 10:00", 1, title="GROW-1 faster", commits=["a1"]),
    merged("05 12:00", 1, "a1"),
    deployed("06 09:00", "d1", "a1"),
)


def test_f1_an_initiative_shows_when_it_reached_each_stop_and_the_age_of_the_leg_under_way() -> None:
    contract, known = known_of(*_WORK)
    (journey,) = journeys(contract, known, us("05 09:00"), {})
    assert [(stop.name, stop.at, stop.id) for stop in journey.stops] == [
        ("signal", us("02 09:00"), "GROW-1"),
        ("decision", us("03 09:00"), "D-1"),
        ("scoped", us("04 09:00"), "GROW-1"),
        ("shipped", None, None),
        ("outcome read", None, None),
    ]
    assert journey.open_leg(us("05 09:00")) == ("scoped to shipped", DAY)


def test_f1_the_outcome_is_read_by_the_first_sample_after_the_horizon() -> None:
    contract, known = known_of(*_WORK, *_SHIPPED)
    samples = {"adoption": [us("10 00:00"), us("13 09:00"), us("20 00:00")], "other": [us("14 00:00")]}
    (journey,) = journeys(contract, known, us("28 00:00"), samples)
    assert journey.readable_at == us("13 09:00")
    assert journey.stops[-1].at == us("13 09:00")
    assert journey.spans() == {
        "signal to decision": DAY,
        "decision to scoped": DAY,
        "scoped to shipped": 2 * DAY,
        "shipped to outcome read": 7 * DAY,
    }
    assert journey.open_leg(us("28 00:00")) is None
    (unread,) = journeys(contract, known, us("13 08:59"), samples)
    assert unread.open_leg(us("13 08:59")) == ("shipped to outcome read", 6 * DAY + 23 * HOUR + 59 * 60)


def test_f1_a_leg_over_all_initiatives_has_percentiles_and_open_ones_beside_them() -> None:
    other = since("01 00:00", complete(tracks={"jira": [{"epic": "GROW-9"}]}), "trust")
    idea = tell(ArtifactProposed.TYPES[0], us("07 00:00"), ArtifactProposed(artifact="A-1", initiative="trust"))
    contract, known = known_of(*_WORK, *_SHIPPED, other, idea)
    found = legs(journeys(contract, known, us("09 00:00"), {}), us("09 00:00"))
    assert [(leg.name, leg.n, leg.open) for leg in found] == [
        ("signal to decision", 1, 1),
        ("decision to scoped", 1, 0),
        ("scoped to shipped", 1, 0),
        ("shipped to outcome read", 0, 1),
    ]
    assert (found[0].percentiles["p85"], found[0].open_p50) == (DAY, 2 * DAY)


_BLOCKED = (
    growth(),
    core(),
    status_map(),
    since("01 00:00", complete()),
    *(ticket_seen("02 09:00", key, status="To Do") for key in ("GROW-1", "CORE-1", "CORE-2")),
    blocked("03 09:00", "GROW-1", "CORE-1"),
)


def test_f6_pairs_of_teams_carry_the_declared_mode_or_implicit() -> None:
    _, known = known_of(*_BLOCKED)
    (found,) = couplings(known, us("04 09:00"))
    assert (found.pair, found.mode, found.waits, found.open, found.seconds) == ("growth > core", "implicit", 1, 1, DAY)
    assert found.initiatives == {"speed"}
    agreed = declared(
        "Team", "growth", {"aliases": ["GROW"], "interactions": [{"with": "core", "mode": "collaboration"}]}
    )
    _, known = known_of(*_BLOCKED[1:], agreed)
    assert [each.mode for each in couplings(known, us("04 09:00"), "speed")] == ["collaboration"]
    assert couplings(known, us("04 09:00"), "trust") == []


def test_circles_of_open_dependencies_are_found_and_named() -> None:
    _, known = known_of(
        *_BLOCKED,
        blocked("04 09:00", "CORE-1", "CORE-2"),
        blocked("05 09:00", "CORE-2", "GROW-1"),
        blocked("05 09:00", "CORE-2", "CORE-1"),
    )
    found = cycles(known.of(WaitFact), us("06 00:00"))
    assert [each.tickets for each in found] == [["CORE-1", "CORE-2"], ["GROW-1", "CORE-1", "CORE-2"]]
    assert found[0].waits == ["dependency|CORE-1|CORE-2|0", "dependency|CORE-2|CORE-1|0"]
    _, straight = known_of(*_BLOCKED)
    assert cycles(straight.of(WaitFact), us("06 00:00")) == []
    assert cycles(known.of(WaitFact), us("03 12:00")) == []
    assert [each.tickets for each in cycles(known.of(WaitFact), us("05 09:00"))] == [each.tickets for each in found]


def test_confidence_is_the_share_of_named_checks_that_hold_each_with_its_evidence() -> None:
    contract, known = known_of(*_BLOCKED, decision("02 10:00", "decided", "D-1", initiative="speed"))
    early, late = (confidence(contract, known, "speed", us(at), {}) for at in ("02 12:00", "20 00:00"))
    assert early is not None
    assert late is not None
    assert early.share == 1
    fails = {check.name: check.evidence for check in late.checks if not check.holds}
    wait = ["dependency|GROW-1|CORE-1|0"]
    assert fails == {"dependencies": wait, "overdue": wait}
    assert late.share == 7 / 9
    assert confidence(contract, known, "trust", us("20 00:00"), {}) is None


def test_c1_an_artifact_that_means_an_initiative_and_is_not_linked_costs_confidence() -> None:
    proposed = tell(ArtifactProposed.TYPES[0], us("05 00:00"), ArtifactProposed(artifact="A-1", initiative="speed"))
    stopped = since("01 00:00", complete(stage="stopped"))
    contract, known = known_of(growth(), stopped, proposed)
    found = confidence(contract, known, "speed", us("20 00:00"), {})
    assert found is not None
    assert [check.evidence for check in found.checks if check.name == "context"] == [["A-1"]]
