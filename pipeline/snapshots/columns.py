"""What the files of a snapshot look like: Arrow schemas, and facts and events as their rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec
import pyarrow as pa

from pipeline.events.types import Ref
from pipeline.facts.rows import FACTS, Fact
from pipeline.metrics.catalogue import MetricPoint

INSTANT = pa.timestamp("us", tz="UTC")
_REF = pa.struct([(name, pa.string()) for name in Ref.__struct_fields__])
_ARROW: dict[Any, pa.DataType] = {
    str: pa.string(),
    str | None: pa.string(),
    int: pa.int64(),
    int | None: pa.int64(),
    float: pa.float64(),
    float | None: pa.float64(),
    bool: pa.bool_(),
    list[str]: pa.list_(pa.string()),
    list[Ref]: pa.list_(_REF),
}

#: Columns of every row of a fact beside the fact's own. `revision` is a hash of what the fact says; `replaces` the
#: snapshot that said something else about it before, None for the first word on it.
BOOKKEEPING: dict[str, pa.DataType] = {
    "snapshot": pa.int64(),
    "taken_at": INSTANT,
    "retracted": pa.bool_(),
    "revision": pa.string(),
    "replaces": pa.int64(),
}

EVENT_SCHEMA = pa.schema(
    [
        ("position", pa.int64()),
        ("id", pa.string()),
        ("source", pa.string()),
        ("type", pa.string()),
        ("time", INSTANT),
        ("recorded", INSTANT),
        ("subject", pa.string()),
        ("partitionkey", pa.string()),
        ("payload", pa.string()),
        ("snapshot", pa.int64()),
        ("taken_at", INSTANT),
        ("retracted", pa.bool_()),
    ]
)


def _is_instant(name: str) -> bool:
    return name.endswith(("_at", "_since")) or name == "as_of"


def _fields(row: type[msgspec.Struct]) -> list[tuple[str, pa.DataType]]:
    hints = get_type_hints(row)
    return [(name, INSTANT if _is_instant(name) else _ARROW[hints[name]]) for name in row.__struct_fields__]


FACT_SCHEMAS: dict[str, pa.Schema] = {
    kind: pa.schema([*_fields(fact), *BOOKKEEPING.items()]) for kind, fact in FACTS.items()
}
METRIC_SCHEMA = pa.schema([*_fields(MetricPoint), ("snapshot", pa.int64()), ("taken_at", INSTANT)])


def fact_row(fact: Fact) -> dict[str, Any]:
    """Return a fact as a row: its columns without the bookkeeping; instants stay microseconds since 1970."""
    row = {name: getattr(fact, name) for name in fact.__struct_fields__}
    if row.get("refs"):
        row["refs"] = [msgspec.structs.asdict(ref) for ref in row["refs"]]
    return row


def revision_of(row: Mapping[str, Any]) -> str:
    """Return a hash of what a row says.

    Unknown and empty columns do not enter, so that a column which a later release adds does not restate every fact.
    """
    said = {name: value for name, value in row.items() if value is not None and value != []}
    return hashlib.blake2b(msgspec.json.encode(said, order="sorted"), digest_size=16).hexdigest()
