"""What is wrong with a contract, and where: file, line, column, field, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal, NamedTuple

import msgspec

#: Where a value stands in a document: mapping keys and list indices from the top.
FieldPath = tuple[str | int, ...]


class Position(NamedTuple):
    """Line and column, both counted from 1; line 0 means the file as a whole."""

    line: int
    column: int


WHOLE_FILE = Position(0, 0)


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to correct (`error`: nothing is applied) or to think about (`finding`: it can be applied as it is)."""

    file: str
    line: int
    column: int
    path: str
    message: str
    severity: Literal["error", "finding"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.path, self.message) if part)


def dotted(path: FieldPath) -> str:
    """Return a path as people write it: `spec.outcomes[0].metric`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def closest(word: str, words: Iterable[str]) -> str | None:
    """Return the one of `words` most like `word`, whatever their case; None if none is like it."""
    by_fold = {each.casefold(): each for each in words}
    close = get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` with the closest of `words`, or nothing."""
    found = closest(word, words)
    return f"; did you mean {found!r}?" if found else ""
