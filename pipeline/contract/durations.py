"""Durations as people write them in a contract: `90m`, `72h`, `3d`."""

from __future__ import annotations

import re
from datetime import timedelta

PATTERN = r"^[1-9][0-9]{0,5}[smhdw]$"
_PATTERN = re.compile(PATTERN, re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def parse_duration(text: str) -> timedelta:
    """Return the span that a whole number and one unit (`s`, `m`, `h`, `d`, `w`) name.

    A day is 24 hours. Raises ValueError, naming the value and the form expected, for anything else, zero included.
    """
    if not _PATTERN.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; write a whole number and a unit (s, m, h, d, w), such as '72h'")
    return timedelta(seconds=int(text[:-1]) * _SECONDS[text[-1]])


def format_duration(span: timedelta) -> str:
    """Return `span`, whole seconds, in the largest unit up to days that divides it: 72 hours are `3d`."""
    seconds = int(span.total_seconds())
    unit = next(unit for unit in "dhms" if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"
