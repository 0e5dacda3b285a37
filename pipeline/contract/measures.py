"""What ingest reads from declared metrics: which tracked events a metric is measured by, and how.

A declaration may be of another release: unknown keys are skipped and absent ones have defaults. A measure is plain
data, so that two specs that lead to the same samples are equal measures, and it can be kept beside what was added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from pipeline.contract.durations import parse_duration
from pipeline.contract.resolve import Contract, Declaration, Unreadable

KIND = "Metric"
DEFAULT_LATE = "90d"

Scalar = str | int | float | bool | None


class Selection(msgspec.Struct, frozen=True):
    """Tracked events by name, and by the texts that their properties must have (see `text_of`)."""

    events: tuple[str, ...]
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def matches(self, name: str, properties: Mapping[str, Scalar]) -> bool:
        """Return whether an event is one of them."""
        return name in self.events and all(text_of(properties.get(key)) in texts for key, texts in self.where)


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """How one metric is measured. Spans are microseconds.

    `entries` are the denominator of a proportion, or what a mean or a count is measured by; `successes` the numerator
    of a proportion, and None otherwise. `value` None: each event counts 1.
    """

    type: Literal["proportion", "mean", "count"]
    period: Literal["day", "week"]
    sources: tuple[str, ...]
    entries: Selection
    successes: Selection | None
    within_us: int
    value: str | None
    variant: str | None
    late_us: int

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Measure:
        """Raises ValueError (msgspec.ValidationError is one) for a spec that measures nothing."""
        told = msgspec.convert(spec, _Spec)
        proportion = told.type == "proportion"
        entries = told.denominator if proportion else told.measure
        if entries is None or (proportion and told.numerator is None):
            raise ValueError("needs denominator and numerator" if proportion else "needs measure")
        if told.type == "mean" and entries.value is None:
            raise ValueError("needs measure.value")
        return cls(
            type=told.type,
            period=told.period,
            sources=tuple(sorted(set(told.source))),
            entries=entries.selection(),
            successes=told.numerator.selection() if proportion and told.numerator else None,
            within_us=_span_us(told.numerator.within) if proportion and told.numerator else 0,
            value=None if proportion else entries.value,
            variant=told.variant,
            late_us=_span_us(told.late),
        )

    def takes(self, source: str) -> bool:
        """Return whether events of a connector count."""
        return not self.sources or source in self.sources


class _Selected(msgspec.Struct):
    event: str | list[str]
    where: dict[str, Scalar | list[Scalar]] = {}
    within: str = DEFAULT_LATE
    value: str | None = None

    def selection(self) -> Selection:
        names = [self.event] if isinstance(self.event, str) else self.event
        where = ((key, value if isinstance(value, list) else [value]) for key, value in self.where.items())
        return Selection(
            events=tuple(sorted(set(names))),
            where=tuple(
                sorted((key, tuple(sorted({text_of(each) or "" for each in values}))) for key, values in where)
            ),
        )


class _Spec(msgspec.Struct):
    type: Literal["proportion", "mean", "count"]
    period: Literal["day", "week"] = "day"
    source: list[str] = []
    denominator: _Selected | None = None
    numerator: _Selected | None = None
    measure: _Selected | None = None
    variant: str | None = None
    late: str = DEFAULT_LATE


def text_of(value: object) -> str | None:
    """Return the text by which a value is compared: `1`, `1.0` and "1" are equal, and so are true and "true".

    None for null, for an empty text, and for what is no scalar: a property of that kind has no value.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case str() | int() | float():
            return str(value) or None
        case _:
            return None


def read_measures(declarations: Iterable[Declaration]) -> tuple[dict[str, Measure], list[Unreadable]]:
    """Return the measures of all metrics by their latest declarations, and what of these cannot be read.

    Withdrawn metrics are left out, and declarations of other kinds passed over.
    """
    contract = Contract.compile(each for each in declarations if each[2].kind == KIND)
    measures: dict[str, Measure] = {}
    unreadable: list[Unreadable] = []
    for (_, name), version in contract.objects().items():
        try:
            measures[name] = Measure.read(version.spec or {})
        except ValueError as error:
            unreadable.append(Unreadable(KIND, name, version.id, str(error)))
    return measures, unreadable


def _span_us(text: str) -> int:
    return int(parse_duration(text).total_seconds()) * 1_000_000
