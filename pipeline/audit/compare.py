"""What differs between the fold and the audit, field by field.

Compared is every field of a fact but the free text of `UNCOMPARED`: titles and addresses are copied, not derived, and
evidence is prose of the fold. Lists are compared as sets with counts. Numbers are equal within one in a million.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import batched
from typing import Any, Protocol, get_type_hints

import duckdb
import msgspec
import pyarrow as pa

from pipeline.events.types import Ref
from pipeline.facts.rows import FACTS, Fact

UNCOMPARED = frozenset({"title", "url", "evidence"})
TOLERANCE = 1e-6
_BATCH = 20_000
_METRIC_KEY = ("metric", "stat", "scope_kind", "scope", "window_days")

_REF = pa.struct([(name, pa.string()) for name in Ref.__struct_fields__])
_ARROW: dict[Any, pa.DataType] = {
    str: pa.string(),
    str | None: pa.string(),
    int: pa.int64(),
    int | None: pa.int64(),
    float | None: pa.float64(),
    bool: pa.bool_(),
    list[str]: pa.list_(pa.string()),
    list[Ref]: pa.list_(_REF),
}


class Point(Protocol):
    """What is read of a metric point."""

    @property
    def metric(self) -> str: ...
    @property
    def stat(self) -> str: ...
    @property
    def scope_kind(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def window_days(self) -> int | None: ...
    @property
    def value(self) -> float: ...
    @property
    def n(self) -> int: ...
