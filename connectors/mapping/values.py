"""Values: what an expression found, as what a field holds. Every surprise is a `Quarantined` that names the field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.mapping.vocabulary import PEOPLE, Field
from pipeline.events import references
from pipeline.events.delivery import Context
from pipeline.events.errors import Quarantined
from pipeline.events.reading import parse_time
from pipeline.events.types import Ref

_SHOWN = 80


def read_value(field: Field, value: Any, *, utc: bool, context: Context) -> Any:
    """Return a value as the field holds it, None if there is none. `utc`: times without a zone are UTC."""
    if value is None:
        return None
    if field.name in PEOPLE:
        return context.actor(as_text(field.name, value))
    if field.holds == "time":
        return parse_time(value, field.name, zoneless_utc=utc)
    return _READERS[field.holds](field, value)


def as_text(name: str, value: Any) -> str | None:
    """Return a text or an integer as text, None for null and an empty one."""
    if value is None:
        return None
    if type(value) is int:
        return str(value)
    if not isinstance(value, str):
        raise _wrong(name, value, "a text")
    return value.replace("\x00", "") or None


def _text(field: Field, value: Any) -> str | None:
    return as_text(field.name, value)


def _flag(field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(field.name, value, "true or false")
    return value


def _number(field: Field, value: Any) -> int:
    if type(value) is not int:
        raise _wrong(field.name, value, "an integer")
    if not field.least <= value < field.below:
        raise Quarantined("bad_value", f"{field.name} is {value}; expected {field.least} to {field.below - 1}")
    return value


def _decimal(field: Field, value: Any) -> float:
    if type(value) not in (int, float):
        raise _wrong(field.name, value, "a number")
    return float(value)


def _decimals(field: Field, value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        raise _wrong(field.name, value, "numbers by name")
    return {name: _decimal(field, each) for name, each in value.items()}


def _choice(field: Field, value: Any) -> str | None:
    text = as_text(field.name, value)
    if text is not None and text not in field.choices:
        raise Quarantined(
            "bad_value",
            f"{field.name} is {_show(text)}; expected one of {', '.join(field.choices)} (map it under `values`)",
        )
    return text


def _texts(field: Field, value: Any) -> list[str]:
    """Return the texts of a list; one text stands for a list of it."""
    listed = value if isinstance(value, list) else [value]
    return [text for each in listed if (text := as_text(field.name, each))]


def _refs(field: Field, value: Any) -> list[Ref]:
    return references.merge(*(references.in_text(text, "field") for text in _texts(field, value)))


#: What a field holds -> how it is read, but for times, which need to know of zones.
_READERS: dict[str, Callable[[Field, Any], Any]] = {
    "text": _text,
    "flag": _flag,
    "number": _number,
    "decimal": _decimal,
    "decimals": _decimals,
    "texts": _texts,
    "refs": _refs,
    "choice": _choice,
}


def _wrong(name: str, value: Any, expected: str) -> Quarantined:
    return Quarantined("bad_type", f"{name} is {_show(value)}; expected {expected}")


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
