"""An ordered set of (instant, id) under a name, in keyed state: neighbours are found without reading the history.

Entries live in one bucket a day; a calendar lists the days that have one. So adding, removing and looking for the
next or previous entry each touch one or two small objects, however many entries there are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

import msgspec

from pipeline.events.times import DAY_US
from pipeline.facts.state import State

Entry = tuple[int, str]


class Bucket(msgspec.Struct, array_like=True):
    """The entries of one day, in order."""

    entries: list[tuple[int, str]] = []


class Calendar(msgspec.Struct, array_like=True):
    """The days that have a bucket, in order."""

    days: list[int] = []


class Timelines:
    """All timelines of one kind; a single one is addressed by its name."""

    def __init__(self, state: State, kind: str) -> None:
        self._buckets = state.table(f"{kind}_day", Bucket)
        self._calendars = state.table(f"{kind}_days", Calendar)

    def add(self, name: str, at: int, key: str) -> None:
        """Add an entry; adding it again changes nothing."""
        day = at // DAY_US
        place = f"{name}|{day}"
        bucket = self._buckets.get(place)
        if bucket is None:
            bucket = Bucket(entries=[])
            self._open(name, day)
        entry = (at, key)
        where = bisect_left(bucket.entries, entry)
        if where == len(bucket.entries) or bucket.entries[where] != entry:
            bucket.entries.insert(where, entry)
            self._buckets.put(place, bucket)

    def remove(self, name: str, at: int, key: str) -> None:
        """Remove an entry; removing one that is not there changes nothing."""
        day = at // DAY_US
        place = f"{name}|{day}"
        bucket = self._buckets.get(place)
        if bucket is None or (at, key) not in bucket.entries:
            return
        bucket.entries.remove((at, key))
        if bucket.entries:
            self._buckets.put(place, bucket)
            return
        self._buckets.delete(place)
        calendar = self._calendars.get(name)
        if calendar is not None and day in calendar.days:
            calendar.days.remove(day)
            self._calendars.put(name, calendar)

    def before(self, name: str, at: int, key: str = "") -> Iterator[Entry]:
        """Yield the entries smaller than (`at`, `key`), the nearest first."""
        calendar = self._calendars.get(name)
        if calendar is None:
            return
        days = calendar.days
        bound = (at, key)
        for index in range(bisect_right(days, at // DAY_US) - 1, -1, -1):
            entries = self._entries(name, days[index])
            yield from reversed(entries[: bisect_left(entries, bound)])

    def since(self, name: str, at: int, key: str = "") -> Iterator[Entry]:
        """Yield the entries greater than or equal to (`at`, `key`), the nearest first."""
        calendar = self._calendars.get(name)
        if calendar is None:
            return
        days = calendar.days
        bound = (at, key)
        for index in range(bisect_left(days, at // DAY_US), len(days)):
            entries = self._entries(name, days[index])
            yield from entries[bisect_left(entries, bound) :]

    def _entries(self, name: str, day: int) -> list[Entry]:
        bucket = self._buckets.get(f"{name}|{day}")
        return bucket.entries if bucket is not None else []

    def _open(self, name: str, day: int) -> None:
        calendar = self._calendars.get(name)
        if calendar is None:
            calendar = Calendar(days=[])
        if day not in calendar.days[-1:] and day not in calendar.days:
            insort(calendar.days, day)
            self._calendars.put(name, calendar)
