"""From the log to a DuckDB table of events, decoded by DuckDB alone so that no decoder is shared with the fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import duckdb
import msgspec
import pyarrow as pa

from pipeline.events.errors import Corrupt
from pipeline.log.protocol import EVENTS, EventLog

BATCH = 20_000
#: Offsets that a message names.
_NAMED = 10

_TABLE = """
    create table event (
        position bigint, recorded_us bigint, id varchar not null, source varchar not null, type varchar not null,
        time_us bigint not null, payload json
    )
"""
# The payload is the `customData` of a standard CDEvents type, and the subject's content of Leadline's own types.
_INSERT = """
    insert into event
    select position, recorded_us, head[1], head[2], head[3], epoch_us(head[4]::timestamptz),
           case when starts_with(head[3], 'dev.cdevents.') then payload[1] else payload[2] end
    from (
        select position, recorded_us, json_extract_string(value, ['$.id', '$.source', '$.type', '$.time']) as head,
               json_extract(value, ['$.data.customData', '$.data.subject.content']) as payload
        from batch
    )
"""


class _Attributes(msgspec.Struct):
    """What every event has. Only ever read to tell which record was the bad one."""

    id: str
    source: str
    type: str
    time: datetime


_attributes = msgspec.json.Decoder(_Attributes)


@contextmanager
def scratch(
    directory: str | None = None, memory_limit: str = "1500MB", threads: int = 2
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an empty database in memory that spills to `directory` (None: DuckDB's choice) beyond `memory_limit`."""
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": memory_limit, "threads": threads}
    if directory is not None:
        config["temp_directory"] = directory
    connection = duckdb.connect(config=config)
    try:
        # Neither the machine's zone nor the order of insertion may show in a result.
        connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = false")
        yield connection
    finally:
        connection.close()


def load_events(connection: duckdb.DuckDBPyConnection, log: EventLog, batch: int = BATCH) -> int:
    """Read the whole stream of canonical events into a new table `event`; returns how many records it holds.

    Raises `Corrupt`, naming the offsets, when a record is no JSON document with the attributes of an event.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)
        records, offset = 0, 0
        while values := log.read_values(EVENTS, after=offset, limit=batch):
            try:
                cursor.register("batch", _table(values))
                cursor.execute(_INSERT)
            except (duckdb.Error, pa.ArrowInvalid) as error:
                raise _corrupt(values, error) from error
            records += len(values)
            offset = values[-1][0]
        cursor.unregister("batch")
    return records


def _table(values: Sequence[tuple[int, int, bytes]]) -> pa.Table:
    offsets, recorded, raw = zip(*values, strict=True)
    return pa.table(
        {
            "position": pa.array(offsets, pa.int64()),
            "recorded_us": pa.array(recorded, pa.int64()),
            "value": pa.array(raw, pa.binary()).cast(pa.string()),
        }
    )


def _corrupt(values: Sequence[tuple[int, int, bytes]], error: Exception) -> Corrupt:
    bad = [str(offset) for offset, _, raw in values if not _is_event(raw)]
    named = ", ".join(bad[:_NAMED]) + (f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else "")
    where = named or f"{values[0][0]} to {values[-1][0]}"
    return Corrupt(
        f"canonical events at offsets {where}: {str(error).splitlines()[0]}; `leadline log verify` tells what is wrong "
        "with each, restore the log from a copy"
    )


def _is_event(raw: bytes) -> bool:
    try:
        raw.decode()
        _attributes.decode(raw)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return False
    return True
