"""Periods: how a table names them, and which of a file contradict each other."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from datetime import UTC, date, datetime, timedelta

_NAMED = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?|-?Q(?P<quarter>[1-4])|-?W(?P<week>\d\d))?", re.IGNORECASE
)

Span = tuple[datetime, datetime]


def named(text: str) -> Span | None:
    """Return the UTC days that a name means: `2026`, `2026-Q1`, `2026-01`, `2026-W05`, `2026-01-31`; None: none."""
    found = _NAMED.fullmatch(text.strip())
    if found is None:
        return None
    year = int(found["year"])
    try:
        if found["week"]:
            return _days(date.fromisocalendar(year, int(found["week"]), 1), 7)
        if found["day"]:
            return _days(date(year, int(found["month"]), int(found["day"])), 1)
        if found["month"]:
            return _months(year, int(found["month"]), 1)
        return _months(year, int(found["quarter"]) * 3 - 2, 3) if found["quarter"] else _months(year, 1, 12)
    except (ValueError, OverflowError):
        return None


def _days(first: date, count: int) -> Span:
    return _midnight(first), _midnight(first + timedelta(days=count))


def _months(year: int, month: int, count: int) -> Span:
    after = year * 12 + month - 1 + count
    return _midnight(date(year, month, 1)), _midnight(date(after // 12, after % 12 + 1, 1))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class Calendar:
    """The periods of the samples seen so far, by series (metric and variant).

    Two periods of one series that overlap without being the same would count units twice.
    """

    def __init__(self) -> None:
        self._spans: dict[tuple[str, str | None], list[Span]] = {}
        self._told: dict[object, tuple[object, int]] = {}

    def overlapped(self, series: tuple[str, str | None], span: Span) -> Span | None:
        """Add a period; returns one of the same series that overlaps it and is another, and then adds nothing."""
        spans = self._spans.setdefault(series, [])
        # No two that were added overlap, so only the neighbours can.
        at = bisect_left(spans, span)
        if at < len(spans) and spans[at] == span:
            return None
        for near in spans[max(at - 1, 0) : at + 1]:
            if near[0] < span[1] and span[0] < near[1]:
                return near
        insort(spans, span)
        return None

    def line_of(self, key: object) -> int | None:
        """Return the line that first told a key, or None."""
        found = self._told.get(key)
        return None if found is None else found[1]

    def contradicted(self, key: object, values: object, line: int) -> int | None:
        """Add what a line tells of a key; returns the earlier line that tells something else of it."""
        before = self._told.setdefault(key, (values, line))
        return None if before[0] == values else before[1]
