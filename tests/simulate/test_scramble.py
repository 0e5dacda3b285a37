from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events.envelope import Event
from pipeline.simulate.chance import Chance
from pipeline.simulate.organisation import organisation
from pipeline.simulate.plan import Plan
from pipeline.simulate.scramble import HOUR_US, Disorder, scramble
from tests.simulation.strategies import histories


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return list(organisation(Plan(days=30, teams=2)))


def test_nothing_is_lost_and_some_comes_twice(events: list[Event]) -> None:
    arrived = Counter(event.id for event in scramble(events, Chance(1)))
    assert set(arrived) == {event.id for event in events}
    assert set(arrived.values()) == {1, 2}
    assert 0.01 < sum(count == 2 for count in arrived.values()) / len(events) < 0.06


def test_much_arrives_out_of_order_and_some_days_late(events: list[Event]) -> None:
    arrived = list(scramble(events, Chance(1)))
    assert sum(one.time > other.time for one, other in pairwise(arrived)) > len(events) / 10
    latest, lateness = arrived[0].time, []
    for event in arrived:
        latest = max(latest, event.time)
        lateness.append(latest - event.time)
    assert max(lateness).days >= 5


def test_the_seed_decides_the_order(events: list[Event]) -> None:
    one, again, other = ([event.id for event in scramble(events, Chance(seed))] for seed in (1, 1, 2))
    assert one == again != other


def test_without_disorder_everything_stays_as_it_was(events: list[Event]) -> None:
    calm = Disorder(repeated=0, late=0, jitter_us=0)
    assert [event.id for event in scramble(events, Chance(1), calm)] == [event.id for event in events]


@given(
    histories(),
    st.integers(0, 1_000),
    st.builds(Disorder, repeated=st.floats(0, 1), late=st.floats(0, 1), jitter_us=st.integers(0, 9 * HOUR_US)),
)
def test_any_history_keeps_its_events(history: list[Event], seed: int, disorder: Disorder) -> None:
    arrived = list(scramble(history, Chance(seed), disorder))
    assert {(event.source, event.id) for event in arrived} == {(event.source, event.id) for event in history}
    assert len(history) <= len(arrived) <= 2 * len(history)
