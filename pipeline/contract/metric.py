"""The kind `Metric` as people write it: what the name of an outcome metric means, and how it is measured."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Literal

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema, model_validator

from pipeline.contract.fields import Duration, Name, Text
from pipeline.contract.parts import Object, Part, ServiceMetadata

Scalar = str | int | float | bool

_SCALAR = {"type": ["string", "number", "boolean"]}


def _values(value: object) -> list[Scalar]:
    """Take one value or a list of them."""
    told = value if isinstance(value, list) else [value]
    found = [each for each in told if isinstance(each, str) or (isinstance(each, int | float) and isfinite(each))]
    if not found or len(found) < len(told):
        raise ValueError("expected a text, a number, true or false, or a list of such")
    return found


def _names(value: object) -> list[str]:
    told = value if isinstance(value, list) else [value]
    found = [each for each in told if isinstance(each, str) and each.strip()]
    if not found or len(found) < len(told):
        raise ValueError("expected the name of an event as text, or a list of names")
    return found


def _written(values: list[Scalar]) -> Scalar | list[Scalar]:
    return values[0] if len(values) == 1 else values


Values = Annotated[
    list[Scalar],
    BeforeValidator(_values),
    PlainSerializer(_written),
    WithJsonSchema({"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}]}),
]
Names = Annotated[
    list[str],
    BeforeValidator(_names),
    PlainSerializer(_written),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ]
        }
    ),
]


class Selection(Part):
    """Tracked events, selected by name and by properties."""

    event: Names
    """Name of the event as it is tracked, or a list of names."""
    where: dict[Text, Values] = {}
    """Property -> the value, or a list of values, that it must have. Nested properties have dotted names."""


class Success(Selection):
    """The tracked events by which a unit succeeds."""

    within: Duration
    """How long after its first `denominator` event a unit has for it."""


class Measured(Selection):
    """The tracked events that are counted, or that carry the value."""

    value: Text | None = None
    """Property that holds the number. A `mean` needs it; a `count` without it counts events."""


class MetricSpec(Part):
    """How a metric is measured from tracked events."""

    type: Literal["proportion", "mean", "count"]
    """`proportion` of units that succeed, `mean` of a value over events, or `count`: how many, or the sum of a value"""
    unit: Text = "user"
    """What one unit is, for people: user, account, session. The connector decides which id it takes."""
    source: list[Name] = []
    """Connectors whose events count. Default all of them, each sampled by itself."""
    period: Literal["day", "week"] = "day"
    """What one sample spans, in UTC; a week begins on Monday."""
    denominator: Selection | None = None
    """Events by which a unit enters a `proportion`; its first one decides the period."""
    numerator: Success | None = None
    """Events by which a unit of a `proportion` succeeds; its earliest one decides."""
    measure: Measured | None = None
    """Events of a `mean` or a `count`."""
    variant: Text | None = None
    """Property that names the variant of an experiment; samples are told for each variant too."""
    late: Duration | None = None
    """How much older than the newest event an event may be and still count. Default `90d`."""

    @model_validator(mode="after")
    def _agree(self) -> MetricSpec:
        wanted = ("denominator", "numerator") if self.type == "proportion" else ("measure",)
        for key in ("denominator", "numerator", "measure"):
            told = getattr(self, key) is not None
            if told != (key in wanted):
                needs = " and ".join(wanted)
                raise ValueError(
                    f"a {self.type} is measured by {needs}; " + (f"remove {key}" if told else f"{key} is missing")
                )
        if self.type == "mean" and self.measure is not None and self.measure.value is None:
            raise ValueError("a mean needs measure.value, the property that holds the number")
        return self


class Metric(Object):
    """What the name of an outcome metric means, and how it is measured from tracked events."""

    kind: Literal["Metric"]
    metadata: ServiceMetadata
    spec: MetricSpec
