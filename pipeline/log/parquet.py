"""A stream as a Parquet file, which DuckDB and others read directly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.events.errors import ConfigError
from pipeline.events.times import from_us, to_us
from pipeline.log.protocol import EventLog, Record
from pipeline.log.transfer import BATCH, Copied, Progress, replacing

_INSTANT = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("time", _INSTANT, nullable=False),
        pa.field("recorded", _INSTANT, nullable=False),
        pa.field("origin", pa.int64(), nullable=False),
        pa.field("value", pa.binary(), nullable=False),
    ]
)
_NEEDED = ("source", "id", "key", "time", "recorded", "value")
#: In the metadata of a file: what it is a copy of.
_STREAM = b"leadline.stream"


def export_parquet(log: EventLog, stream: str, path: Path, progress: Progress | None = None) -> int:
    """Write all records of a stream to a file, which appears whole or not at all; returns their number.

    Raises `ConfigError` or `Retryable` if it cannot be written.
    """
    done = 0
    schema = SCHEMA.with_metadata({_STREAM: stream.encode()})
    with replacing(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        for batch in log.iterate(stream, batch=BATCH):
            rows = [
                (r.partition, r.offset, r.source, r.id, r.key, to_us(r.time), to_us(r.recorded), r.origin, r.value)
                for r in batch
            ]
            columns = [
                pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), SCHEMA, strict=True)
            ]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
            done += len(batch)
            if progress is not None:
                progress(done)
    return done


def read_parquet(path: Path) -> Iterator[Copied]:
    """Yield the records of a file that `export_parquet` wrote.

    Raises `ConfigError`, naming file and column, for a file that is not Parquet or holds something else.
    """
    try:
        with pq.ParquetFile(path) as file:
            _check_columns(path, file.schema_arrow)
            stream = (file.schema_arrow.metadata or {}).get(_STREAM)
            told = None if stream is None else stream.decode()
            batches = file.iter_batches(batch_size=BATCH, columns=list(_NEEDED))
            for row, (record, recorded) in enumerate(chain.from_iterable(map(_records, batches)), start=1):
                yield Copied(record, recorded, f"{path}: row {row}", told)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(f"{path}: cannot be read as Parquet: {error}") from error


def _check_columns(path: Path, schema: pa.Schema) -> None:
    for name in _NEEDED:
        index = schema.get_field_index(name)
        expected = SCHEMA.field(name).type
        if index < 0:
            raise ConfigError(f"{path}: no column {name!r}; is it an export of a log?")
        if schema.field(index).type != expected:
            raise ConfigError(f"{path}: column {name!r} is {schema.field(index).type}; expected {expected}")


def _records(batch: pa.RecordBatch) -> Iterator[tuple[Record, datetime]]:
    columns = [
        batch.column(name).cast(pa.int64()).to_pylist()
        if name in ("time", "recorded")
        else batch.column(name).to_pylist()
        for name in _NEEDED
    ]
    for source, identity, key, time, recorded, value in zip(*columns, strict=True):
        yield Record(source=source, id=identity, key=key, time=from_us(time), value=value), from_us(recorded)
