"""What is changed after the commitment needs a decision."""

from __future__ import annotations

from pipeline.events.envelope import Event
from pipeline.governance.scope import ScopeChange, scope_changes
from tests.governance.known_of import complete, decision, growth, known_of, since
from tests.simulation.story import declared, us


def _changes(*events: Event, at: str = "28 00:00") -> list[ScopeChange]:
    contract, known = known_of(growth(), *events)
    return scope_changes(contract, known, "speed", us(at))


_COMMITTED = since("05 00:00", complete(stage="commit"))
_WIDER = since("10 00:00", complete(stage="commit", horizon="56d"))


def test_c2_a_change_after_the_commitment_without_a_decision_is_uncontrolled() -> None:
    (found,) = _changes(_COMMITTED, _WIDER)
    assert (found.fields, found.controlled, found.at, found.event) == (["horizon"], False, us("10 00:00"), _WIDER.id)
    assert _changes(_COMMITTED, _WIDER, at="09 00:00") == []


def test_c2_another_named_decision_controls_it() -> None:
    (found,) = _changes(_COMMITTED, since("10 00:00", complete(stage="commit", horizon="56d", decision="D-2")))
    assert found.decision == "D-2"


def test_c2_a_decision_accepted_in_between_controls_it_and_an_older_one_does_not() -> None:
    older = decision("05 00:00", "decided", "D-1", initiative="speed")
    assert [each.controlled for each in _changes(_COMMITTED, _WIDER, older)] == [False]
    for at, controlled in (("05 00:01", True), ("10 00:00", True), ("10 00:01", False)):
        told = decision(at, "decided", "D-7", initiative="speed")
        assert [each.controlled for each in _changes(_COMMITTED, _WIDER, older, told)] == [controlled]
    rejected = decision("07 00:00", "decided", "D-8", initiative="speed", outcome="rejected")
    of_another = decision("07 00:00", "decided", "D-9", initiative="trust")
    assert [each.controlled for each in _changes(_COMMITTED, _WIDER, rejected, of_another)] == [False]


def test_before_the_commitment_anything_may_change_and_words_always_may() -> None:
    bet = since("03 00:00", complete(horizon="7d"))
    assert _changes(bet, _COMMITTED) == []
    assert _changes(_COMMITTED, since("10 00:00", complete(stage="commit", aliases=["faster"]))) == []
    assert _changes(_COMMITTED, since("10 00:00", complete(stage="stopped", horizon="56d"))) == []


def test_a_version_that_another_replaces_from_its_beginning_never_held() -> None:
    corrected = declared("Initiative", "speed", complete(stage="commit"), "11 00:00", "10 00:00")
    assert _changes(_COMMITTED, _WIDER, corrected) == []


def test_a_version_that_was_withdrawn_in_between_changes_nothing_of_the_comparison() -> None:
    (found,) = _changes(_COMMITTED, since("07 00:00", None), _WIDER)
    assert found.fields == ["horizon"]
