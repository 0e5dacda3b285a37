"""Expressions in JMESPath: checked when the mapping is read, evaluated over bodies that may be anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jmespath
import msgspec
from jmespath.exceptions import IncompleteExpressionError, JMESPathError, ParseError
from jmespath.functions import Functions
from jmespath.parser import ParsedResult

from pipeline.contract.problems import did_you_mean
from pipeline.events.errors import Quarantined

_FUNCTIONS = frozenset(Functions.FUNCTION_TABLE)


class Expression(msgspec.Struct, frozen=True):
    """A compiled expression; `place` is where it stands in the mapping."""

    text: str
    place: str
    compiled: ParsedResult

    def of(self, value: Any) -> Any:
        """Return what the expression finds in `value`, None if nothing; raises `Quarantined` if it does not apply."""
        try:
            return self.compiled.search(value)
        # Functions of the library are applied to whatever a body holds, and raise whatever Python does.
        except (ValueError, TypeError, ArithmeticError, AttributeError, LookupError, RecursionError) as error:
            raise Quarantined(
                "bad_type", f"{self.place}: {self.text!r} cannot be applied: {_first_line(error)}"
            ) from error


def compile_expression(text: str, place: str) -> Expression:
    """Compile an expression. Raises ValueError with what is wrong and what to write instead."""
    try:
        compiled = jmespath.compile(text)
    except (JMESPathError, RecursionError) as error:
        raise ValueError(f"{text!r} is no JMESPath expression: {_why(error)}") from error
    for name in _called(dict(compiled.parsed)):
        if name not in _FUNCTIONS:
            raise ValueError(f"{text!r} calls {name}(), which JMESPath does not have{did_you_mean(name, _FUNCTIONS)}")
    return Expression(text, place, compiled)


def is_true(value: Any) -> bool:
    """Return whether a value counts as true in JMESPath: all but null, false, and what is empty."""
    return not (value is None or value is False or (isinstance(value, str | list | dict) and not value))


def _called(node: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the functions that a parsed expression calls."""
    if node.get("type") == "function_expression":
        yield str(node["value"])
    for child in node.get("children", ()):
        if isinstance(child, dict):
            yield from _called(child)


def _why(error: Exception) -> str:
    """Return where a parser stopped, in one line; its own messages draw the expression over several."""
    match error:
        case IncompleteExpressionError():
            return "it ends too early"
        case ParseError():
            return f"unexpected {error.token_value!r} at character {error.lex_position + 1}"
        case _:
            return _first_line(error)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
