"""Order does not matter: any permutation, duplication, split and restart of the same events ends in one result."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pipeline.events.envelope import Event
from tests.simulation.folding import fold, results
from tests.simulation.strategies import histories

orders = st.integers(0, 2**32)


def disturbed(events: list[Event], seed: int) -> list[Event]:
    """Return the events in another order, a fifth of them told twice."""
    chance = Random(seed)
    told = [*events, *(event for event in events if chance.random() < 0.2)]
    chance.shuffle(told)
    return told


@given(histories(), orders, st.integers(1, 40))
def test_any_order_any_repetition_any_split_and_any_restart_give_the_same_results(
    events: list[Event], seed: int, size: int
) -> None:
    undisturbed = results(fold(events))
    assert results(fold(disturbed(events, seed), size=size, restart=True)) == undisturbed


@given(histories(), st.integers(1, 40))
def test_a_batch_in_pieces_equals_the_batch_whole(events: list[Event], size: int) -> None:
    assert results(fold(events, size=size)) == results(fold(events))


@given(histories())
def test_applying_everything_twice_changes_nothing(events: list[Event]) -> None:
    assert results(fold([*events, *events], size=len(events))) == results(fold(events))
