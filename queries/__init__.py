"""The library of questions: SQL files, each with a header that says what it answers.

    -- Question:   what a person wants to know
    -- Columns:
    --   name [unit]  meaning
    -- Parameters:
    --   name = default  meaning

`metrics` and `reports` are asked by name on the views of a snapshot. A parameter is `$name::type` in the text, which
casts its value from a text; that type is what a given value is held to. The default `null` is SQL's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

ROOMS = ("metrics", "reports")
_SECTION = re.compile(r"--\s(Question|Columns|Parameters):\s*(.*)")
_COLUMN = re.compile(r"--\s{3}(\w+)(?: \[([^\]]+)\])?\s{2,}(\S.*)")
_PARAMETER = re.compile(r"--\s{3}(\w+) = (\S+)\s{2,}(\S.*)")
_CAST = re.compile(r"\$([a-z_]+)::([a-z]+)")
_WHOLE_NUMBER = "a whole number, 0 or more"
#: What a value of a type has to be.
EXPECTED = {
    "varchar": "a text",
    "integer": _WHOLE_NUMBER,
    "bigint": _WHOLE_NUMBER,
    "boolean": "true or false",
    "timestamptz": "an ISO 8601 date or instant, such as 2026-03-31T12:00Z",
}


@dataclass(frozen=True)
class Column:
    """A column of the answer. `unit` None: it is no quantity."""

    name: str
    unit: str | None
    meaning: str


@dataclass(frozen=True)
class Parameter:
    """What a query can be asked with. `default` None: null; `type` is one of `EXPECTED`."""

    name: str
    default: str | None
    meaning: str
    type: str

    def takes(self, value: str) -> bool:
        """Tell whether a value is one of the type."""
        match self.type:
            case "integer" | "bigint":
                return re.fullmatch(r"[0-9]{1,9}", value) is not None
            case "boolean":
                return value in ("true", "false")
            case "timestamptz":
                return _is_instant(value)
        return True


@dataclass(frozen=True)
class Query:
    """One question of the library."""

    name: str
    room: str
    question: str
    columns: tuple[Column, ...]
    parameters: tuple[Parameter, ...]
    sql: str

    @property
    def usage(self) -> str:
        """The parameters with their defaults, as `--param` takes them."""
        return ", ".join(f"{each.name}={each.default or ''}" for each in self.parameters)

    def with_defaults(self, given: dict[str, str]) -> dict[str, str | None]:
        """Return the values of all parameters; an empty one is the default.

        Raises ValueError for a parameter that the query does not have, and for a value that is not of its type.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name, value in given.items():
            if name not in known:
                names = ", ".join(known) or "none"
                raise ValueError(f"query {self.name}: no parameter {name!r}; it has {names}")
            if value and not known[name].takes(value):
                raise ValueError(f"query {self.name}: {name}={value!r}: expected {EXPECTED[known[name].type]}")
        return {name: given.get(name) or parameter.default for name, parameter in known.items()}


@cache
def library() -> dict[str, Query]:
    """Return all questions by name. Raises ValueError when a file has no proper header."""
    found = sorted(_read(), key=lambda query: query.name)
    return {query.name: query for query in found}


def load(name: str) -> Query:
    """Return a question. Raises KeyError with a message that lists the names."""
    try:
        return library()[name]
    except KeyError:
        raise KeyError(f"no query {name!r}; there are {', '.join(library())}") from None


def _read() -> Iterator[Query]:
    for room in ROOMS:
        for file in (files(__name__) / room).iterdir():
            if file.name.endswith(".sql"):
                yield parse(file.name.removesuffix(".sql"), room, file.read_text(encoding="utf-8"))


def parse(name: str, room: str, sql: str) -> Query:
    """Read the header of a query. Raises ValueError naming the line that is not in its form."""
    question: list[str] = []
    columns: list[Column] = []
    parameters: list[Parameter] = []
    types = dict(_CAST.findall(sql))
    section = ""
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        if (begun := _SECTION.fullmatch(line)) is not None:
            section, rest = begun.groups()
            question += [rest] if section == "Question" else []
        elif section == "Question":
            question.append(line.removeprefix("--").strip())
        elif section == "Columns" and (column := _COLUMN.fullmatch(line)) is not None:
            columns.append(Column(*column.groups()))
        elif section == "Parameters" and (parameter := _PARAMETER.fullmatch(line)) is not None:
            named, default, meaning = parameter.groups()
            if types.get(named) not in EXPECTED:
                raise ValueError(f"queries/{room}/{name}.sql: ${named}: cast it as one of {', '.join(EXPECTED)}")
            parameters.append(Parameter(named, None if default == "null" else default, meaning, types[named]))
        else:
            raise ValueError(f"queries/{room}/{name}.sql: header line not understood: {line}")
    if not question or not columns:
        raise ValueError(f"queries/{room}/{name}.sql: the header has to say `Question:` and `Columns:`")
    asked = " ".join(question)
    return Query(name, room, asked[:1].upper() + asked[1:], tuple(columns), tuple(parameters), sql)


def _is_instant(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
