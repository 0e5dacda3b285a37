"""Types of single fields of the contract: names, durations, horizons, texts that are not empty."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from pipeline.contract.durations import PATTERN, format_duration, parse_duration

MAX_NAME = 253
_NAME = r"^[a-z0-9]([a-z0-9./-]*[a-z0-9])?$"
_SERVICE_NAME = r"^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$"


def _name_check(pattern: str, signs: str) -> AfterValidator:
    compiled = re.compile(pattern, re.ASCII)

    def check(name: str) -> str:
        if len(name) > MAX_NAME:
            raise ValueError(f"a name of {len(name)} characters; the limit is {MAX_NAME}")
        if not compiled.fullmatch(name):
            slug = re.sub(rf"[^a-z0-9{signs}]+", "-", name.strip().lower(), flags=re.ASCII).strip(signs)
            hint = f", such as {slug!r}" if slug else ""
            raise ValueError(f"{name!r} is not a name; use lower-case letters, digits and {' '.join(signs)}{hint}")
        return name

    return AfterValidator(check)


def _duration(value: object) -> timedelta:
    return parse_duration(value if isinstance(value, str) else str(value))


def _horizon(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        try:
            parse_duration(value)
        except ValueError:
            raise ValueError(f"{value!r} is neither a date such as '2026-12-31' nor a duration such as '28d'") from None
    return value


def _day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError(f"{value!r} is no date such as '2026-12-31'") from None


def _filled(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty; write its value or leave the key out")
    return value


Text = Annotated[str, AfterValidator(_filled), WithJsonSchema({"type": "string", "minLength": 1})]
Name = Annotated[
    str,
    _name_check(_NAME, "./-"),
    WithJsonSchema({"type": "string", "pattern": _NAME, "maxLength": MAX_NAME}),
]
ServiceName = Annotated[
    str,
    _name_check(_SERVICE_NAME, "._/-"),
    WithJsonSchema({"type": "string", "pattern": _SERVICE_NAME, "maxLength": MAX_NAME}),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["90m", "72h", "3d"]}),
]
Horizon = Annotated[
    str,
    AfterValidator(_horizon),
    WithJsonSchema({"type": "string", "examples": ["28d", "2026-12-31"]}),
]
Day = Annotated[str, AfterValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
