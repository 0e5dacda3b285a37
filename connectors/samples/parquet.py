"""Parquet files as the NDJSON that translation reads: deliveries hold texts, and translation needs no library."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.samples.rows import COLUMNS, check_columns
from connectors.samples.tables import column_of
from pipeline.events.errors import ConfigError, Quarantined

_BATCH = 1_024


def parquet_lines(path: Path) -> Iterator[bytes]:
    """Yield each row as a line of JSON, in the order of the file.

    Instants keep their zone or the lack of one; what JSON cannot say (NaN, binary data) becomes a text, which
    translation refuses by name. Where columns are missing, the one line names those that there are. Raises
    `ConfigError`.
    """
    try:
        with pq.ParquetFile(path) as file:
            names = [str(name) for name in file.schema_arrow.names]
            try:
                check_columns([column_of(name) for name in names])
            except Quarantined:
                yield _line(dict.fromkeys(names))
                return
            ours = [name for name in names if column_of(name) in COLUMNS]
            for batch in file.iter_batches(batch_size=_BATCH, columns=ours):
                yield from map(_line, _microseconds(batch).to_pylist())
    except (OSError, pa.ArrowException) as error:
        raise ConfigError(f"{path}: cannot be read as Parquet: {error}") from error


def _microseconds(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with instants in microseconds, which is all that Python's have."""
    fields = [
        field.with_type(pa.timestamp("us", field.type.tz)) if pa.types.is_timestamp(field.type) else field
        for field in batch.schema
    ]
    columns = [column.cast(field.type, safe=False) for column, field in zip(batch.columns, fields, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))


def _line(row: dict[str, object]) -> bytes:
    return msgspec.json.encode({name: _plain(value) for name, value in row.items()}) + b"\n"


def _plain(value: object) -> str | int | float | bool | None:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float) else str(value)
