"""Adding up: what one tracked event changes in what is known of its unit, and in the cells of a metric.

Pure, and safe against order and repetition. Of a unit only extremes are kept: its first event of the denominator and
its earliest of the numerator; of an event of a mean or a count the least of its copies. A cell is a sum over such
rows: what a row counted for before is taken back, and what it counts for now is added. Sums are exact (fractions), so
that their order cannot show in the last digit.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from fractions import Fraction
from math import isfinite

import msgspec

from pipeline.contract.measures import Measure, Scalar, text_of
from pipeline.events.times import DAY_US

#: Where a metric has no variant: everybody.
EVERYBODY = ""
#: The greatest value that counts: its square, over all events there can be, is still a number.
MAX_VALUE = 1e100
MAX_VARIANT = 100
_MONDAY = 4  # 1970-01-05, the first Monday, in days since 1970
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?\s*", re.ASCII)

#: (start of the period in microseconds since 1970, variant or EVERYBODY)
CellKey = tuple[int, str]


class Row(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a unit of a proportion, or of an event of a mean or a count.

    Instants are microseconds since 1970. `last`: the latest event that touched it; `at`: when it entered, None: not
    yet; `variant` and `value` are those of the event with which it entered; `done`: its earliest success.
    """

    last: int
    at: int | None = None
    variant: str | None = None
    value: float = 0.0
    done: int | None = None


class Seen(msgspec.Struct, frozen=True):
    """One tracked event as a measure sees it. `key` is the row that it belongs to."""

    key: bytes
    at: int
    enters: bool
    succeeds: bool
    variant: str | None
    value: float


class Cell(msgspec.Struct):
    """The sample of one period and variant, so far.

    `revision` counts its changes; `last` is the instant of the latest event that changed it, in microseconds since
    1970; `n`, `total` and `squares` are those of `OutcomeSampled`.
    """

    revision: int = 0
    last: int = 0
    n: int = 0
    total: Fraction = Fraction()
    squares: Fraction = Fraction()

    def add(self, value: float, sign: int) -> None:
        """Add one value, or (`sign` -1) take it back."""
        exact = Fraction(value)
        self.n += sign
        self.total += sign * exact
        self.squares += sign * exact * exact

    def sums(self) -> tuple[int, Fraction, Fraction]:
        """Return what a sample tells."""
        return self.n, self.total, self.squares


class Share(msgspec.Struct, frozen=True):
    """What a row counts for: a value in the cells of one period."""

    start: int
    variant: str | None
    value: float

    @property
    def cells(self) -> list[CellKey]:
        """Return the keys of its cells: that of everybody, and that of the variant, if there is one."""
        return [(self.start, each) for each in dict.fromkeys((EVERYBODY, self.variant or EVERYBODY))]


def row_key(identity: str) -> bytes:
    """Return the key of the row of a unit, or of an observation, by its id."""
    return hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def number_of(value: Scalar) -> float | None:
    """Return the number that a property holds, as such or as text; None if it is none, not finite or out of bounds."""
    if isinstance(value, str):
        return number_of(float(value)) if len(value) <= 400 and _NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) and abs(value) <= MAX_VALUE else None


def variant_of(measure: Measure, properties: Mapping[str, Scalar]) -> str | None:
    """Return the variant that an event was tracked under; None where the metric has none or the event says none."""
    text = text_of(properties.get(measure.variant)) if measure.variant else None
    return text[:MAX_VARIANT].encode("utf-8", "replace").decode() if text else None


def forgotten_before(measure: Measure, watermark: int) -> int:
    """Return the instant before which a row without later events is forgotten.

    It lasts `within` longer than events are taken, so that an event that is just not late finds its unit.
    """
    return watermark - measure.late_us - measure.within_us


def updated(row: Row | None, seen: Seen) -> Row:
    """Return the row after an event: the same whatever the order, and however often it is told."""
    old = row or Row(last=seen.at)
    at, variant, value = old.at, old.variant, old.value
    if seen.enters and (at is None or _rank(seen.at, seen.variant, seen.value) < _rank(at, variant, value)):
        at, variant, value = seen.at, seen.variant, seen.value
    done = old.done
    if seen.succeeds and (done is None or seen.at < done):
        done = seen.at
    return Row(max(old.last, seen.at), at, variant, value, done)


def _rank(at: int, variant: str | None, value: float) -> tuple[int, bool, str, float]:
    return at, variant is None, variant or "", value


def share_of(measure: Measure, row: Row | None) -> Share | None:
    """Return what a row counts for; None: nothing yet.

    A unit of a proportion counts 1 if its earliest success lies within the time it has, else 0: one that had
    succeeded before it entered did not succeed because of it.
    """
    if row is None or row.at is None:
        return None
    start, _ = period_of(measure, row.at)
    if measure.successes is None:
        return Share(start, row.variant, row.value)
    success = row.done is not None and row.at <= row.done <= row.at + measure.within_us
    return Share(start, row.variant, float(success))


def period_of(measure: Measure, at: int) -> tuple[int, int]:
    """Return start and end of the UTC day, or of the week from Monday on, that an instant lies in."""
    if measure.period == "day":
        start = at // DAY_US * DAY_US
        return start, start + DAY_US
    week = 7 * DAY_US
    start = (at - _MONDAY * DAY_US) // week * week + _MONDAY * DAY_US
    return start, start + week
