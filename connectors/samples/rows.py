"""Rows of samples: from the cells of a table to a checked sample, or to a complaint that says how to put it right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache

import msgspec

from connectors.samples.periods import Calendar, Span, named
from pipeline.events.errors import Quarantined
from pipeline.events.reading import parse_time

COLUMNS = ("metric", "start", "end", "period", "n", "total", "squares", "variant", "revision", "as_of")
MAX_TEXT = 500
_LIMIT = 2**53

#: A cell as it was read: CSV has texts only.
Cell = str | int | float | bool | None


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A checked row. `as_of` None: the row does not tell when this was known."""

    metric: str
    start: datetime
    end: datetime
    n: int
    total: float
    squares: float | None
    variant: str | None
    revision: int
    as_of: datetime | None


def check_columns(names: Sequence[str]) -> None:
    """Raise `Quarantined` unless the columns that a sample needs are among `names`, each once.

    Other columns are left alone, but for those that look like one of ours misspelt.
    """
    wrong = _complaint(tuple(names))
    if wrong is not None:
        raise Quarantined(*wrong)


@lru_cache(maxsize=256)
def _complaint(names: tuple[str, ...]) -> tuple[str, str] | None:
    twice = sorted({name for name in names if name in COLUMNS and names.count(name) > 1})
    if twice:
        return "bad_value", f"the column {twice[0]!r} is there twice; keep one"
    for name in names:
        near = get_close_matches(name, COLUMNS, n=1, cutoff=0.8)
        if name not in COLUMNS and near and near[0] not in names:
            return "bad_value", f"the column {name[:80]!r} is not known; did you mean {near[0]!r}?"
    spans = {"start", "end"} <= set(names) or "period" in names
    missing = [name for name in ("metric", "n", "total") if name not in names] + ([] if spans else ["start and end"])
    if not missing:
        return None
    detail = f"the column {missing[0]!r} is absent; needed are metric, n, total, and period or start and end"
    return "missing_field", f"{detail}; there are {', '.join(names)[:200] or 'none'}"


def read_row(cells: Mapping[str, Cell], *, utc: bool) -> Sample:
    """Return the sample in a row. Raises `Quarantined`, naming the column, its value and the fix.

    `utc`: a time without a zone is in UTC; otherwise it is refused.
    """
    start, end = _span(cells, utc=utc)
    if end <= start:
        shown = f"start {start.isoformat()}, end {end.isoformat()}"
        raise Quarantined("bad_value", f"end is not after start ({shown}); a period is [start, end)")
    squares = _number(cells, "squares") if _told(cells, "squares") else None
    if squares is not None and squares < 0:
        raise _bad(cells, "squares", "a sum of squares is not negative")
    return Sample(
        metric=_text(cells, "metric"),
        start=start,
        end=end,
        n=_count(cells, "n"),
        total=_number(cells, "total"),
        squares=squares,
        variant=_text(cells, "variant") if _told(cells, "variant") else None,
        revision=_count(cells, "revision") if _told(cells, "revision") else 0,
        as_of=_time(cells, "as_of", utc=utc) if _told(cells, "as_of") else None,
    )


def check_against(sample: Sample, calendar: Calendar, line: int) -> None:
    """Add a sample to what was seen. Raises `Quarantined` where an earlier line tells otherwise."""
    series, span = (sample.metric, sample.variant), (sample.start, sample.end)
    other = calendar.overlapped(series, span)
    if other is not None:
        before = calendar.line_of((series, other))
        raise Quarantined("bad_value", f"the period {_shown(span)} overlaps {_shown(other)} of {_where(before)}")
    calendar.contradicted((series, span), None, line)
    version = (sample.revision, sample.as_of)
    before = calendar.contradicted((series, span, version), (sample.n, sample.total, sample.squares), line)
    if before is not None:
        why = f"the same period is told otherwise in {_where(before)}; give the later one a higher revision or as_of"
        raise Quarantined("bad_value", why)


def _where(line: int | None) -> str:
    return "another row" if line is None else f"line {line}"


def _shown(span: Span) -> str:
    return f"{span[0].isoformat()}/{span[1].isoformat()}"


def _told(cells: Mapping[str, Cell], column: str) -> bool:
    value = cells.get(column)
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def _bad(cells: Mapping[str, Cell], column: str, why: str) -> Quarantined:
    shown = repr(cells.get(column))
    return Quarantined("bad_value", f"{column} is {shown if len(shown) <= 80 else shown[:80] + '...'}: {why}")


def _text(cells: Mapping[str, Cell], column: str) -> str:
    if not _told(cells, column):
        raise Quarantined("missing_field", f"{column} is empty; write the name of the {column}")
    value = cells.get(column)
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text or len(text) > MAX_TEXT or "\x00" in text:
        raise _bad(cells, column, f"expected a text of at most {MAX_TEXT} characters")
    return text


def _number(cells: Mapping[str, Cell], column: str) -> float:
    if not _told(cells, column):
        raise Quarantined("missing_field", f"{column} is empty; leave out the row if it is not known")
    value = cells.get(column)
    if isinstance(value, str) and "," in value:
        raise _bad(cells, column, "write a point for decimals and nothing between thousands")
    try:
        number = math.nan if isinstance(value, bool) or value is None else float(value)
    except (ValueError, OverflowError):
        raise _bad(cells, column, "expected a number such as 12 or 0.5") from None
    if not math.isfinite(number) or (isinstance(value, str) and "_" in value):
        raise _bad(cells, column, "expected a finite number; leave out the row if it is not known")
    return number


def _count(cells: Mapping[str, Cell], column: str) -> int:
    number = _number(cells, column)
    if number < 0:
        raise _bad(cells, column, "expected 0 or more")
    if number != int(number) or number >= _LIMIT:
        raise _bad(cells, column, "expected a whole number below 2**53")
    return int(number)


def _time(cells: Mapping[str, Cell], column: str, *, utc: bool) -> datetime:
    value = cells.get(column)
    try:
        found = parse_time(value, column, zoneless_utc=utc)
    except Quarantined as error:
        hint = "" if utc else "; write a zone, such as 2026-01-31T00:00:00Z, or set utc to true"
        raise Quarantined("bad_time", error.detail + hint) from None
    if found is None:
        raise Quarantined("missing_field", f"{column} is empty; write an instant such as 2026-01-31T00:00:00Z")
    return found


def _span(cells: Mapping[str, Cell], *, utc: bool) -> Span:
    if not _told(cells, "period"):
        return _time(cells, "start", utc=utc), _time(cells, "end", utc=utc)
    if _told(cells, "start") or _told(cells, "end"):
        raise _bad(cells, "period", "write either period, or start and end")
    text = str(cells.get("period")).strip()
    first, slash, last = text.partition("/")
    if slash:
        return _time({"period": first}, "period", utc=utc), _time({"period": last}, "period", utc=utc)
    found = named(text)
    if found is None:
        raise _bad(cells, "period", "expected 2026-01-31, 2026-W05, 2026-01, 2026-Q1, 2026, or START/END")
    return found
