"""A timeline behaves as a sorted list would, however its entries come and go."""

from __future__ import annotations

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from pipeline.events.times import DAY_US
from pipeline.facts.state import State
from pipeline.facts.timeline import Timelines

entries = st.tuples(st.integers(-3 * DAY_US, 40 * DAY_US), st.sampled_from("abc"))
actions = st.lists(st.tuples(st.booleans(), entries), max_size=60)


@given(actions, entries)
def test_neighbours_are_those_of_a_sorted_list(
    acts: list[tuple[bool, tuple[int, str]]], bound: tuple[int, str]
) -> None:
    timelines = Timelines(State(), "any")
    expected: set[tuple[int, str]] = set()
    for adds, (at, key) in acts:
        if adds:
            timelines.add("line", at, key)
            expected.add((at, key))
        else:
            timelines.remove("line", at, key)
            expected.discard((at, key))
    ordered = sorted(expected)
    where = bisect_left(ordered, bound)
    assert list(timelines.since("line", *bound)) == ordered[where:]
    assert list(timelines.before("line", *bound)) == ordered[:where][::-1]


def test_timelines_of_other_names_do_not_mix() -> None:
    timelines = Timelines(State(), "any")
    timelines.add("one", 5, "a")
    assert list(timelines.since("two", 0)) == []
