"""Instants go in and out of microseconds without loss."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events.times import DAY_US, day_date, day_of, from_us, seconds_between, to_us


@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_and_datetimes_say_the_same(moment: datetime) -> None:
    assert from_us(to_us(moment)) == moment
    assert day_date(day_of(to_us(moment))) == moment.date()


def test_the_zone_of_a_datetime_does_not_matter() -> None:
    there = datetime(2026, 3, 2, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert to_us(there) == to_us(datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    assert day_date(day_of(to_us(there))) == date(2026, 3, 1)


def test_a_datetime_without_a_zone_is_refused_rather_than_read_as_local() -> None:
    with pytest.raises(TypeError):
        to_us(datetime(2026, 3, 2))  # noqa: DTZ001


def test_days_before_1970_are_right_too() -> None:
    assert (day_of(-1), day_of(0), day_of(DAY_US - 1), day_of(DAY_US)) == (-1, 0, 0, 1)
    assert day_date(-1) == date(1969, 12, 31)


def test_spans_are_cut_to_whole_milliseconds() -> None:
    assert seconds_between(0, 1_999) == 0.001
    assert seconds_between(0, 1_234_567) == 1.234
    assert seconds_between(1, 0) == -0.001
