"""Asking the snapshots in SQL, without a way to change or to reach anything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Timer
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.events.errors import ConfigError, LeadlineError
from pipeline.snapshots.catalogue import CATALOGUE_FILE, create_views, is_in_step
from pipeline.snapshots.manifest import chain, corrupt, current

_BATCH = 2_000
_CLOSED: Mapping[str, Any] = {
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",
}


class BadQuery(LeadlineError):
    """A statement that cannot be answered: not a single query, wrong, or beyond what it may use. One line."""


class Answer:
    """The columns of a result, each name once, and its rows as they are fetched."""

    def __init__(self, columns: Sequence[str], rows: Iterator[dict[str, Any]]) -> None:
        self.columns = columns
        self.rows = rows


class Library:
    """The snapshots, open for questions. Not for several threads at once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds

    @contextmanager
    def batches(self, sql: str, parameters: Mapping[str, str | None] | None = None) -> Iterator[pa.RecordBatchReader]:
        """Answer one query in Arrow batches, fetched as they are read; values for its `$name` parameters are texts.

        None is null; the query casts the others itself. Raises `BadQuery`, within the block too, since rows are
        computed while they are fetched.
        """
        with self._answering():
            yield self._relation(sql, parameters).to_arrow_reader(_BATCH)

    @contextmanager
    def ask(self, sql: str, parameters: Mapping[str, str | None] | None = None) -> Iterator[Answer]:
        """Answer one query in rows, else as `batches` does."""
        with self.batches(sql, parameters) as reader:
            columns = _once(reader.schema.names)
            yield Answer(columns, _rows(reader, columns))

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Stop what takes too long, and turn DuckDB's errors into one line."""
        out_of_time = Event()

        def stop() -> None:
            out_of_time.set()
            self._connection.interrupt()

        timer = Timer(self._seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (duckdb.Error, pa.ArrowException) as error:
            if out_of_time.is_set():
                raise BadQuery(f"the query took longer than {self._seconds:g} seconds; ask for less") from error
            raise BadQuery(_line(error)) from error
        finally:
            timer.cancel()

    def _relation(self, sql: str, parameters: Mapping[str, str | None] | None) -> duckdb.DuckDBPyRelation:
        self._check(sql)
        return self._connection.sql(sql, params=dict(parameters) if parameters else None)

    def _check(self, sql: str) -> None:
        """Refuse what is not one query: some statements write files, which a read-only database does not hinder."""
        statements = self._connection.extract_statements(sql)
        kinds = [statement.type.name for statement in statements]
        if kinds != ["SELECT"]:
            found = "nothing" if not kinds else " and ".join(kinds)
            raise BadQuery(f"expected one query (SELECT, FROM, WITH, DESCRIBE or SHOW), found {found}")


@contextmanager
def reading(directory: Path, *, seconds: float = 60.0, memory: str = "1GB", threads: int = 2) -> Iterator[Library]:
    """Open the latest snapshot for questions, each answered within `seconds` and `memory`.

    A query can read the files of the snapshots and nothing else: no other file, no network, no extension, no setting.
    The catalogue is used if it is in step; else (the directory was moved, a build died) its views are made in memory.
    Raises `ConfigError` when there is no snapshot, `Corrupt` when its files cannot be read.
    """
    last = current(directory)
    if last is None:
        raise ConfigError(f"{directory}: there is no snapshot yet; make one with `leadline snapshot build`")
    settings = {**_CLOSED, "memory_limit": memory, "threads": threads}
    if is_in_step(directory):
        connection = duckdb.connect(directory / CATALOGUE_FILE, read_only=True, config=settings)
    else:
        connection = duckdb.connect(config=settings)
        try:
            with connection.cursor() as cursor:
                create_views(cursor, directory)
        except duckdb.Error as error:
            raise corrupt(directory, f"the files of a snapshot cannot be read ({_line(error)})") from error
    with closing(connection):
        _lock(connection, directory)
        yield Library(connection, seconds)


def _lock(connection: duckdb.DuckDBPyConnection, directory: Path) -> None:
    absolute = directory.absolute()
    paths = [str(absolute / file.path) for _, manifest in chain(directory) for file in manifest.files]
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"SET allowed_paths = [{listed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _once(columns: Sequence[str]) -> list[str]:
    """A second column of a name is told apart by a number, since rows are mappings."""
    found: list[str] = []
    for name in columns:
        number, unique = 1, name
        while unique in found:
            number += 1
            unique = f"{name}_{number}"
        found.append(unique)
    return found


def _rows(reader: pa.RecordBatchReader, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    for batch in reader:
        values = [column.to_pylist() for column in batch.columns]
        yield from (dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True))


def _line(error: Exception) -> str:
    """The first line of DuckDB's message and the piece of the query that it points to; of `error()` its words alone."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    at = next((line for line in lines if line.startswith("LINE ")), "")
    return f"{lines[0]} ({at})" if at else lines[0].removeprefix("Invalid Input Error: ")
