from datetime import datetime

import msgspec
import pytest

from pipeline.events.errors import ConfigError
from pipeline.events.times import DAY_US
from pipeline.simulate.plan import MOST_DAYS, MOST_EVENTS, MOST_TEAMS, Plan


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", -1),
        ("days", 6),
        ("days", MOST_DAYS + 1),
        ("teams", 0),
        ("teams", MOST_TEAMS + 1),
        ("events", 0),
        ("events", MOST_EVENTS + 1),
    ],
)
def test_a_value_that_cannot_be_simulated_is_named(field: str, value: int) -> None:
    with pytest.raises(ConfigError, match=rf"simulate: {field} is {value}; give a whole number from"):
        msgspec.structs.replace(Plan(), **{field: value})


def test_a_start_without_a_zone_is_refused() -> None:
    with pytest.raises(ConfigError, match="start 2026-01-05T00:00:00 has no time zone"):
        Plan(start=datetime(2026, 1, 5))  # noqa: DTZ001


def test_the_plan_spans_its_days() -> None:
    plan = Plan(days=30)
    assert plan.end_us - plan.start_us == 30 * DAY_US
    assert plan.moment_us(0.5) == plan.start_us + 15 * DAY_US


def test_more_events_mean_smaller_gaps() -> None:
    assert Plan(events=20_000).gap_us == pytest.approx(2 * Plan(events=40_000).gap_us)
