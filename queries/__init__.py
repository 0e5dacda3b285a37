"""The library of questions: SQL files, each with a header that says what it answers.

    -- Question:   what a person wants to know
    -- Columns:
    --   name [unit]  meaning
    -- Parameters:
    --   name = default  meaning

`metrics` and `reports` are asked by name on the views of a snapshot. A parameter is `$name` in the text; its value is a
text that the query casts itself, the default `null` is SQL's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

ROOMS = ("metrics", "reports")
_SECTION = re.compile(r"--\s(Question|Columns|Parameters):\s*(.*)")
_COLUMN = re.compile(r"--\s{3}(\w+)(?: \[([^\]]+)\])?\s{2,}(\S.*)")
_PARAMETER = re.compile(r"--\s{3}(\w+) = (\S+)\s{2,}(\S.*)")


@dataclass(frozen=True)
class Column:
    """A column of the answer. `unit` None: it is no quantity."""

    name: str
    unit: str | None
    meaning: str


@dataclass(frozen=True)
class Parameter:
    """What a query can be asked with. `default` None: null."""

    name: str
    default: str | None
    meaning: str


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
        """Return the values of all parameters. Raises ValueError for one that the query does not have."""
        known = {parameter.name: parameter.default for parameter in self.parameters}
        for name in given:
            if name not in known:
                names = ", ".join(known) or "none"
                raise ValueError(f"query {self.name}: no parameter {name!r}; it has {names}")
        return known | given


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
            parameters.append(Parameter(named, None if default == "null" else default, meaning))
        else:
            raise ValueError(f"queries/{room}/{name}.sql: header line not understood: {line}")
    if not question or not columns:
        raise ValueError(f"queries/{room}/{name}.sql: the header has to say `Question:` and `Columns:`")
    asked = " ".join(question)
    return Query(name, room, asked[:1].upper() + asked[1:], tuple(columns), tuple(parameters), sql)
