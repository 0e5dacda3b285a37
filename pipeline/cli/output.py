"""Output of the verbs: data on stdout as table, json, ndjson or csv; everything else on stderr."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

#: Characters of a line where nobody's window sets an end: cells are never folded.
_UNBOUNDED = 1_000_000


class Format(StrEnum):
    """How a verb prints its rows."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


def say(message: str) -> None:
    """Tell the person something that is not data."""
    Console(stderr=True, highlight=False).print(message, markup=False, soft_wrap=True)


def print_rows(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], output: Format, *, title: str | None = None
) -> None:
    """Print rows with the given columns. A missing or None value is an empty cell, in JSON null.

    A table leaves out columns that are empty in every row, and folds long cells only on a terminal.
    """
    found = list(rows)
    if output is Format.TABLE:
        _table(found, columns, title)
    elif output is Format.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([plain(row.get(name)) for name in columns] for row in found)
    elif output is Format.NDJSON:
        for row in found:
            sys.stdout.write(_json({name: row.get(name) for name in columns}) + "\n")
    else:
        sys.stdout.write(_json([{name: row.get(name) for name in columns} for row in found]) + "\n")


def plain(value: Any) -> str:
    """Return a value as a person reads it in one cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(value)


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], title: str | None) -> None:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    shown = [name for name in columns if not rows or any(plain(row.get(name)) for row in rows)]
    numeric = {name for name in shown if rows and all(_is_number(row.get(name)) for row in rows)}
    for name in shown:
        table.add_column(name, justify="right" if name in numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(plain(row.get(name)) for name in shown))
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _UNBOUNDED).print(table)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _json(value: Any) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()
