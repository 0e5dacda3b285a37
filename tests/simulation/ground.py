"""The small world in which nasty histories happen: few names and few instants, so that things collide often."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from hypothesis import strategies as st

from pipeline.events.times import SECOND_US, to_us

T = TypeVar("T")

START_US = to_us(datetime(2026, 3, 2, tzinfo=UTC))
HOUR_US = 3600 * SECOND_US

SHOP = "acme/shop"
MONO = "acme/mono"
BARE = "acme/undeclared"
SHAS = [f"{digit}{digit:x}c0ffee".ljust(40, f"{digit:x}") for digit in range(1, 9)]
STRANGER = "dead" * 10
PEOPLE = ["p-ann", "p-bob"]
TICKETS = ["GROW-1", "GROW-2", "GROW-3", "CORE-1", "CORE-2"]
INCIDENTS = ["INC-1", "INC-2", "INC-3"]
ROLLBACKS = ["r1", "r2", "d1"]
CHANGES = [(SHOP, 1), (SHOP, 2), (SHOP, 3), (SHOP, 4), (MONO, 1), (MONO, 2), (BARE, 1)]
DEPLOYMENTS = ["d1", "d2", "d3", "d4", "d5"]
PRODUCTION = ["production", "Prod", "eu-live"]
ELSEWHERE = ["staging", "pre-prod", "qa"]

repos = st.sampled_from([SHOP, SHOP, SHOP, MONO, MONO, BARE])
shas = st.sampled_from([*SHAS, *SHAS, STRANGER])
people = st.sampled_from([None, *PEOPLE])
environments = st.sampled_from([*PRODUCTION, *PRODUCTION, *PRODUCTION, *ELSEWHERE])
services = st.sampled_from([None, None, "shop", "gateway", "ledger", "ghost"])

#: An instant in the ten days of the history: mostly full hours, which collide; some with odd microseconds.
instants = st.builds(
    lambda hour, odd: START_US + hour * HOUR_US + odd,
    st.integers(0, 240),
    st.sampled_from([0, 0, 0, 1, 999, 1_500, 86_399_999]),
)


def times(low: int = 0, high: int = 2) -> st.SearchStrategy[list[int]]:
    """Between `low` and `high` different instants."""
    return st.lists(instants, min_size=low, max_size=high, unique=True)


def some(choices: Sequence[T], low: int = 0, high: int | None = None) -> st.SearchStrategy[list[T]]:
    """Between `low` and `high` (all) of `choices`, each at most once."""
    positions = st.lists(st.integers(0, len(choices) - 1), min_size=low, max_size=high or len(choices), unique=True)
    return positions.map(lambda drawn: [choices[position] for position in drawn])
