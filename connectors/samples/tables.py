"""Tables in bytes: rows of CSV and NDJSON with the lines on which they stand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

import msgspec

from connectors.samples.rows import COLUMNS, Cell, check_columns
from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node, parse_json

DELIMITERS = (",", ";", "\t", "|")
BOM = "\ufeff"


class Row(msgspec.Struct, frozen=True):
    """The cells of a row, by column, and the line of the body on which it begins, from 1; `wrong`: why it is none."""

    line: int
    cells: dict[str, Cell] = {}
    wrong: Quarantined | None = None


def text_of(body: bytes) -> str:
    """Return a body as text, without a byte order mark. Raises `Quarantined` (`bad_json`: it is not UTF-8)."""
    if body.startswith((b"\x1f\x8b", b"PAR1")):
        raise Quarantined("bad_json", "the body is compressed or Parquet; `leadline ingest samples` reads such files")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise Quarantined("bad_json", f"line {line}: not UTF-8 ({error.reason}); save the file as UTF-8") from error


def delimiter_of(header: str) -> str:
    """Return the delimiter under which a header has most columns that we know; the comma if there is a tie."""
    return max(DELIMITERS, key=lambda each: sum(name in COLUMNS for name in columns_of(header, each)))


def columns_of(header: str, delimiter: str) -> list[str]:
    """Return the names of columns in a header, in lower case."""
    try:
        cells = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error:
        return []
    return [column_of(cell) for cell in cells]


def column_of(name: str) -> str:
    """Return the name of a column as it is compared: `As of` is `as_of`."""
    return name.strip().removeprefix(BOM).strip().casefold().replace(" ", "_")


def csv_rows(text: str) -> Iterator[Row]:
    """Yield the rows of a CSV text with a header.

    Raises `Quarantined` for a header that cannot be used. What follows a row that is no CSV is not read.
    """
    lines = list(io.StringIO(text, newline=""))
    head = next((index for index, line in enumerate(lines) if line.strip()), None)
    if head is None:
        raise Quarantined("missing_field", "the header is absent; its first line names the columns")
    delimiter = delimiter_of(lines[head])
    names = columns_of(lines[head], delimiter)
    check_columns(names)
    reader = csv.reader(lines[head + 1 :], delimiter=delimiter)
    while True:
        begins = head + 2 + reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(begins, wrong=Quarantined("bad_value", f"this is no CSV ({error}); is a quote left open?"))
            return
        if any(cell.strip() for cell in cells):
            yield _row(begins, names, cells)


def _row(line: int, names: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(names):
        fix = "is a quote left open?" if any("\n" in cell for cell in cells) else "quote cells that hold the delimiter"
        detail = f"{len(cells)} cells under {len(names)} columns; {fix}"
        return Row(line, wrong=Quarantined("bad_value", detail))
    return Row(line, {name: cell for name, cell in zip(names, cells, strict=True) if name in COLUMNS})


def ndjson_rows(text: str) -> Iterator[Row]:
    """Yield the rows of a text with one JSON object a line."""
    for line, each in enumerate(text.split("\n"), start=1):
        if not each.strip():
            continue
        try:
            yield Row(line, _cells(Node(parse_json(each.encode("utf-8", "surrogatepass"))).child()))
        except Quarantined as error:
            yield Row(line, wrong=error)


def _cells(node: Node) -> dict[str, Cell]:
    members = node.value if isinstance(node.value, dict) else {}
    check_columns([column_of(str(name)) for name in members])
    cells: dict[str, Cell] = {}
    for name, value in members.items():
        column = column_of(str(name))
        if column not in COLUMNS:
            continue
        if value is not None and not isinstance(value, str | int | float):
            raise Quarantined("bad_type", f"{column} is {str(value)[:80]!r}; expected a text or a number")
        cells[column] = value
    return cells
