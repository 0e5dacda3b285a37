"""One view of the latest snapshot as one file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import pyarrow.parquet as pq

from pipeline.events.errors import ConfigError
from pipeline.snapshots.manifest import settle
from pipeline.snapshots.reading import Library

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def write_parquet(library: Library, view: str, out: Path | BinaryIO) -> int:
    """Write all rows of a view as Parquet; returns how many. A file is complete or not there at all."""
    with _opened(out) as file, library.batches(_all(view)) as reader, pq.ParquetWriter(file, reader.schema) as writer:
        rows = 0
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def write_csv(library: Library, view: str, out: Path | BinaryIO) -> int:
    """Write all rows of a view as CSV (UTF-8, header line, null is empty); returns how many.

    A text that a spreadsheet would take for a formula is preceded by an apostrophe.
    """
    with _opened(out) as file, library.ask(_all(view)) as answer:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(answer.columns)
        rows = 0
        for row in answer.rows:
            writer.writerow([_cell(value) for value in row.values()])
            rows += 1
        text.detach()
    return rows


def _all(view: str) -> str:
    return f'SELECT * FROM "{view}" ORDER BY ALL'  # noqa: S608 - names of our views


def _cell(value: Any) -> Any:
    if isinstance(value, (list, dict)):
        return msgspec.json.encode(value).decode()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_DANGEROUS):
        return "'" + value
    return value


@contextmanager
def _opened(out: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(out, Path):
        yield out
        return
    beside = out.with_name(out.name + ".tmp")
    try:
        with beside.open("wb") as file:
            yield file
        settle(beside, out)
    except OSError as error:
        raise ConfigError(f"{out}: {error.strerror}; name a file that can be written") from error
    finally:
        beside.unlink(missing_ok=True)
