"""The DuckDB file over the snapshots: named, commented views on the Parquet files, and nothing that is not in them.

It is derived, written beside and swapped in whole. Views name their files absolutely, so that any tool can open it
from anywhere; a directory that was moved is out of step until the next build, and `reading` does without it until then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

import duckdb
import pyarrow as pa

from pipeline.events.types import CommitRecorded
from pipeline.metrics.catalogue import CATALOGUE
from pipeline.snapshots.columns import BOOKKEEPING, EVENT_SCHEMA, FACT_SCHEMAS, INSTANT, METRIC_SCHEMA
from pipeline.snapshots.comments import COLUMNS, OBJECTS
from pipeline.snapshots.manifest import EVENTS, FACTS, METRICS, DataFile, Manifest, chain, corrupt, current, settle

CATALOGUE_FILE = "leadline.duckdb"
#: Older clients can open the file.
STORAGE_VERSION = "v1.2.0"
PLURALS = {kind: f"{kind}s" for kind in FACT_SCHEMAS}
_SQL = files("queries") / "catalogue"
_TYPES = {
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    INSTANT: "TIMESTAMP WITH TIME ZONE",
    pa.list_(pa.string()): "VARCHAR[]",
}


def write_catalogue(directory: Path) -> Path:
    """Write the catalogue of the current snapshot and put it in its place at once; returns where.

    Raises `Corrupt` when the files cannot be read.
    """
    path = directory / CATALOGUE_FILE
    beside = path.with_name(path.name + ".tmp")
    beside.unlink(missing_ok=True)
    try:
        with duckdb.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"ATTACH {_text(beside)} AS catalogue (STORAGE_VERSION {_text(STORAGE_VERSION)})")
            cursor.execute("USE catalogue")
            create_views(cursor, directory)
            cursor.execute("USE memory; DETACH catalogue")
    except duckdb.Error as error:
        raise corrupt(directory, f"the files of a snapshot cannot be read ({str(error).splitlines()[0]})") from error
    settle(beside, path)
    return path


def is_in_step(directory: Path) -> bool:
    """Whether the catalogue is there, opens, and is about the current snapshot in this directory."""
    path = directory / CATALOGUE_FILE
    last = current(directory)
    if last is None or not path.exists():
        return False
    try:
        with duckdb.connect(path, read_only=True) as connection:
            found = connection.sql("SELECT directory, sha256 FROM files.origin").fetchall()
    except duckdb.Error:
        return False
    return found == [(str(directory.absolute()), last[0])]


def create_views(cursor: duckdb.DuckDBPyConnection, directory: Path) -> None:
    """Create all views and tables about the current snapshot in the database that the cursor uses."""
    snapshots = chain(directory)
    manifests = [manifest for _, manifest in snapshots]
    cursor.execute("SET TimeZone = 'UTC'")
    # One transaction: hundreds of statements are else as many writes to the disk.
    cursor.begin()
    cursor.execute("CREATE SCHEMA files; CREATE TABLE files.origin (directory VARCHAR, sha256 VARCHAR)")
    cursor.execute("INSERT INTO files.origin VALUES (?, ?)", [str(directory.absolute()), snapshots[-1][0]])
    _create_tables(cursor, manifests)
    _create_file_views(cursor, directory.absolute(), manifests)
    for step in ("01_events", "02_changes", "03_others"):
        cursor.execute(_sql(step))
    for kind, plural in PLURALS.items():
        fields = ", ".join(_json_field(field) for field in FACT_SCHEMAS[kind] if field.name not in BOOKKEEPING)
        cursor.execute(Template(_sql("04_kind")).substitute(kind=kind, plural=plural, fields=fields))
    for step in ("05_facts", "06_metrics"):
        cursor.execute(_sql(step))
    _comment(cursor)
    cursor.commit()


def _create_tables(cursor: duckdb.DuckDBPyConnection, manifests: Sequence[Manifest]) -> None:
    cursor.execute(
        "CREATE TABLE snapshots (number BIGINT, taken_at TIMESTAMPTZ, as_of TIMESTAMPTZ, position BIGINT,"
        " contract VARCHAR, version VARCHAR, fact_rows BIGINT, event_rows BIGINT, metric_rows BIGINT, bytes BIGINT)"
    )
    for each in manifests:
        rows = [each.rows(room) for room in (FACTS, EVENTS, METRICS)]
        size = sum(file.bytes for file in each.files)
        about = [each.number, each.taken_at, each.as_of, each.position, each.contract, each.version]
        cursor.execute("INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [*about, *rows, size])
    cursor.execute(
        "CREATE TABLE metric_definitions (metric VARCHAR, title VARCHAR, unit VARCHAR, stats VARCHAR[], "
        " windowed BOOLEAN, beside VARCHAR[], meaning VARCHAR, source VARCHAR)"
    )
    for metric in CATALOGUE:
        about = [metric.name, metric.title, metric.unit, [*metric.stats], metric.windowed, [*metric.beside]]
        row = [*about, metric.help, metric.source]
        cursor.execute("INSERT INTO metric_definitions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _create_file_views(cursor: duckdb.DuckDBPyConnection, directory: Path, manifests: Sequence[Manifest]) -> None:
    def files_in(room: str, *parts: str) -> Iterator[DataFile]:
        wanted = (file for each in manifests for file in each.files if file.room == room)
        return (file for file in wanted if not parts or file.part in parts)

    for kind, schema in FACT_SCHEMAS.items():
        _create_file_view(cursor, directory, kind, schema, files_in(FACTS, kind))
    _create_file_view(cursor, directory, "event", EVENT_SCHEMA, files_in(EVENTS))
    _create_file_view(cursor, directory, "commit_event", EVENT_SCHEMA, files_in(EVENTS, *CommitRecorded.TYPES))
    _create_file_view(cursor, directory, "metric", METRIC_SCHEMA, files_in(METRICS))
    # Only a log that was translated again takes events back; else nobody has to look for such rows.
    taken_back = "files.event WHERE retracted" if manifests[-1].retracted_events else "range(0) AS t(position)"
    cursor.execute(f"CREATE VIEW files.withdrawn AS SELECT position FROM {taken_back}")  # noqa: S608 - own words


def _create_file_view(
    cursor: duckdb.DuckDBPyConnection, directory: Path, name: str, schema: pa.Schema, found: Iterable[DataFile]
) -> None:
    """Name the rows of some files. A column that those of an older release lack is null.

    Files of one shape are read together, so that one of them is opened to learn it, not all.
    """
    columns = ", ".join(f"CAST(NULL AS {_type(field.type)}) AS {_name(field.name)}" for field in schema)
    shapes: dict[str, list[str]] = defaultdict(list)
    for file in found:
        shapes[file.shape].append(_text(directory / file.path))
    lists = (", ".join(paths) for paths in shapes.values())
    reads = "".join(f" UNION ALL BY NAME FROM read_parquet([{paths}], hive_partitioning = false)" for paths in lists)
    cursor.execute(f"CREATE VIEW files.{_name(name)} AS SELECT {columns} WHERE false{reads}")


def _comment(cursor: duckdb.DuckDBPyConnection) -> None:
    """Say what every view, table, macro and column is."""
    for name, text in OBJECTS.items():
        kind, _, called = name.partition(" ")
        cursor.execute(f"COMMENT ON {kind.replace('_', ' ')} {called} IS {_text(text)}")
    columns = "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal"
    for table, column in cursor.execute(columns).fetchall():
        comment = COLUMNS.get(f"{table.removesuffix('_history')}.{column}", COLUMNS.get(column))
        if comment is not None:
            cursor.execute(f"COMMENT ON COLUMN {_name(table)}.{_name(column)} IS {_text(comment)}")


def _json_field(field: pa.Field) -> str:
    """An instant is written in UTC, in whatever zone the session is."""
    name = _name(field.name)
    value = f"strftime({name} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')" if field.type == INSTANT else name
    return f"{_text(field.name)}: {value}"


def _type(arrow: pa.DataType) -> str:
    if arrow in _TYPES:
        return _TYPES[arrow]
    return f"STRUCT({', '.join(f'{_name(field.name)} VARCHAR' for field in arrow.value_type)})[]"


def _sql(step: str) -> str:
    return (_SQL / f"{step}.sql").read_text(encoding="utf-8")


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
