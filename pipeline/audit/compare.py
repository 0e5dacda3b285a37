"""What differs between the fold and the audit, field by field.

Compared is every field of a fact but the free text of `UNCOMPARED`: titles and addresses are copied, not derived, and
evidence is prose of the fold. The order in a list does not count. Numbers are equal within one in a million.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Protocol, get_type_hints

import duckdb
import msgspec
import pyarrow as pa

from pipeline.events.types import Ref
from pipeline.facts.rows import FACTS, Fact

UNCOMPARED = frozenset({"title", "url", "evidence"})
TOLERANCE = 1e-6
METRIC = "metric"
_BATCH = 20_000

_ARROW: dict[Any, pa.DataType] = {
    str: pa.string(),
    str | None: pa.string(),
    int: pa.int64(),
    int | None: pa.int64(),
    float: pa.float64(),
    float | None: pa.float64(),
    bool: pa.bool_(),
    list[str]: pa.list_(pa.string()),
    list[Ref]: pa.list_(pa.struct([(name, pa.string()) for name in Ref.__struct_fields__])),
}
_METRIC_FIELDS: Mapping[str, Any] = {"id": str, "value": float, "n": int}


class Point(Protocol):
    """What is compared of a metric point."""

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


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One field of one row on which the two computations disagree; values as text, None for a value not known.

    Field `(row)`: only one of the two has the row; `(copies)`: one of them has several rows of this id.
    """

    kind: str
    id: str
    field: str
    fold: str | None
    audit: str | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What comparing the rows of one kind gave: rows on either side, and how many `fields` differ.

    `differences` holds the first of them by (id, field).
    """

    kind: str
    fold: int
    audit: int
    fields: int
    differences: list[Difference]


def compare_facts(
    connection: duckdb.DuckDBPyConnection, kind: str, facts: Iterable[Fact], limit: int = 100
) -> Comparison:
    """Compare the fold's facts of one kind with the table of the recomputation; keeps up to `limit` differences."""
    hints = get_type_hints(FACTS[kind])
    fields = {name: hints[name] for name in FACTS[kind].__struct_fields__ if name not in UNCOMPARED}
    rows = ({name: _plain(getattr(fact, name)) for name in fields} for fact in facts)
    with connection.cursor() as cursor:
        cursor.execute(f"create or replace view audited as from audit_{kind}")
        return _compare(cursor, kind, rows, fields, limit)


def compare_metrics(connection: duckdb.DuckDBPyConnection, points: Iterable[Point], limit: int = 100) -> Comparison:
    """Compare the fold's metric points with those of the recomputation, as of the same instant."""
    rows = ({"id": _point_id(point), "value": point.value, "n": point.n} for point in points)
    with connection.cursor() as cursor:
        cursor.execute("""
            create or replace view audited as
            select value, n,
                format('{}.{} {}/{}{}', metric, stat, scope_kind, scope, coalesce(' ' || window_days || 'd', '')) as id
            from audit_metric
        """)
        return _compare(cursor, METRIC, rows, _METRIC_FIELDS, limit)


def _point_id(point: Point) -> str:
    window = "" if point.window_days is None else f" {point.window_days}d"
    return f"{point.metric}.{point.stat} {point.scope_kind}/{point.scope}{window}"


def _plain(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], Ref):
        return [msgspec.structs.asdict(ref) for ref in value]
    return value


def _compare(
    cursor: duckdb.DuckDBPyConnection, kind: str, rows: Iterator[dict[str, Any]], fields: Mapping[str, Any], limit: int
) -> Comparison:
    """Compare `rows` with the view `audited`, which has columns of the same names."""
    _load(cursor, rows, fields)
    cursor.execute(_difference_sql(fields))
    sides = cursor.execute("select (select count(*) from folded), (select count(*) from audited)").fetchone() or (0, 0)
    total = cursor.execute("select count(*) from difference").fetchone() or (0,)
    found = cursor.execute(
        "select id, field, fold, audit from difference order by id, field limit $1", [limit]
    ).fetchall()
    return Comparison(
        kind=kind,
        fold=sides[0],
        audit=sides[1],
        fields=total[0],
        differences=[
            Difference(kind=kind, id=row, field=field, fold=fold, audit=audit) for row, field, fold, audit in found
        ],
    )


def _load(cursor: duckdb.DuckDBPyConnection, rows: Iterator[dict[str, Any]], fields: Mapping[str, Any]) -> None:
    schema = pa.schema([(name, _ARROW[hint]) for name, hint in fields.items()])
    cursor.register("rows", schema.empty_table())
    cursor.execute("create or replace table folded as from rows")
    while batch := list(islice(rows, _BATCH)):
        cursor.register("rows", pa.Table.from_pylist(batch, schema=schema))
        cursor.execute("insert into folded from rows")
    cursor.unregister("rows")


def _difference_sql(fields: Mapping[str, Any]) -> str:
    """SQL that makes the table `difference`. Names in it are those of our own structs, never of data."""
    checks = ",\n".join(
        f"{{'field': '{name}', 'fold': {_shown(name, 'fold')}, 'audit': {_shown(name, 'audit')},"
        f" 'differs': {_differs(name, hint)}}}"
        for name, hint in fields.items()
        if name != "id"
    )
    return f"""
        create or replace table difference as
        with copies as (
            select id, count(*) filter (side = 'fold') as in_fold, count(*) filter (side = 'audit') as in_audit
            from (select id, 'fold' as side from folded union all select id, 'audit' from audited)
            group by id
        )
        select id, unnest(list_filter([
            {checks}
        ], lambda pair: pair.differs), recursive := true)
        from folded as fold join audited as audit using (id)
        union all
        select id, case when in_fold > 1 or in_audit > 1 then '(copies)' else '(row)' end,
               in_fold::varchar, in_audit::varchar, true
        from copies where in_fold <> 1 or in_audit <> 1
    """  # noqa: S608


def _shown(name: str, side: str) -> str:
    column = f'{side}."{name}"'
    return f"make_timestamp({column})::varchar" if name.endswith(("_at", "_since")) else f"{column}::varchar"


def _differs(name: str, hint: Any) -> str:
    fold, audit = f'fold."{name}"', f'audit."{name}"'
    if hint in (float, float | None):
        apart = f"abs({fold} - {audit}) > {TOLERANCE} * greatest(abs({fold}), abs({audit}))"
        return f"coalesce({apart}, {fold} is distinct from {audit})"
    if hint in (list[str], list[Ref]):
        return f"list_sort({fold}) is distinct from list_sort({audit})"
    return f"{fold} is distinct from {audit}"
