"""Rate limits: how long a source wants to be left alone, in whichever headers it says so."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from pipeline.events.errors import Quarantined
from pipeline.events.reading import parse_time

#: A reset that is told as a number below this is a span of seconds, one above it an instant.
_LONGEST_SPAN = 1e8
_REMAINING = re.compile(r"(.*rate-?limit.*-)remaining")


def rest_wanted(headers: httpx.Headers, now: datetime) -> float | None:
    """Return the seconds for which a source wants to be left alone; None: it may be asked.

    Read from `Retry-After`, a number or a date, else from `...RateLimit...-Remaining: 0` and the `...-Reset` beside
    it, a span or an instant of any precision. The source's own `Date` is what instants are compared with.
    """
    here = _date(headers.get("date")) or now
    after = headers.get("retry-after")
    if after is not None:
        if after.strip().replace(".", "", 1).isdecimal():
            return float(after)
        told = _date(after)
        return None if told is None else max(0.0, (told - here).total_seconds())
    waits = [
        wait
        for name, left in headers.items()
        if (found := _REMAINING.fullmatch(name)) and left.strip() == "0"
        if (wait := span_to(headers.get(f"{found[1]}reset", ""), here)) is not None
    ]
    return max(waits, default=None)


def span_to(reset: str, here: datetime) -> float | None:
    """Return the seconds until a rate limit is reset: told as a span or as an instant; None where it is neither."""
    try:
        number = float(reset)
        at = None if number < _LONGEST_SPAN else parse_time(number)
    except ValueError:
        return _until(reset, here)
    except Quarantined:
        return None
    return max(0.0, number) if at is None else max(1.0, (at - here).total_seconds())


def _until(reset: str, here: datetime) -> float | None:
    try:
        at = parse_time(reset)
    except Quarantined:
        return None
    return None if at is None else max(1.0, (at - here).total_seconds())


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except (ValueError, TypeError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
