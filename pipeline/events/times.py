"""Instants: aware UTC `datetime` at the edges, integer microseconds since 1970 inside the fold."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_US = 86_400_000_000
SECOND_US = 1_000_000


def to_us(moment: datetime) -> int:
    """Return microseconds since 1970 of an aware `datetime`; exact. Raises TypeError for one without a zone."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND_US + since.microseconds


def from_us(us: int) -> datetime:
    """Return the aware UTC `datetime` of `us` microseconds since 1970."""
    return EPOCH + timedelta(microseconds=us)


def day_of(us: int) -> int:
    """Return the UTC day number (days since 1970-01-01) of an instant; floors, so it is right before 1970 too."""
    return us // DAY_US


def day_date(day: int) -> date:
    """Return the calendar date of a UTC day number."""
    return (EPOCH + timedelta(days=day)).date()


def seconds_between(start_us: int, end_us: int) -> float:
    """Return the span in seconds, cut to whole milliseconds so that every surface computes from the same number."""
    return (end_us - start_us) // 1000 / 1000
