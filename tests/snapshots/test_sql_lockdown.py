"""A query reads the snapshots and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.snapshots.reading import BadQuery, reading
from tests.simulation.story import ticket_created
from tests.snapshots.desk import Desk, ask


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    desk = Desk(tmp_path_factory.mktemp("locked") / "snapshots")
    desk.tell(ticket_created("30 10:00", "NEW-1"))
    desk.snap()
    (desk.directory.parent / "secret.csv").write_text("a\n1\n")
    return desk.directory


def everything_in(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.parent.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO '{outside}/x.csv'",
        "COPY (SELECT 1) TO '{inside}/x.csv'",
        "COPY (SELECT 1) TO '{inside}/current'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{inside}/x.csv'",
        "EXPORT DATABASE '{inside}/x'",
        "ATTACH '{outside}/x.db'",
        "SELECT * FROM read_csv('{outside}/secret.csv')",
        "SELECT * FROM '{outside}/secret.csv'",
        "SELECT * FROM read_text('{inside}/current')",
        "SELECT * FROM read_text('{inside}/../secret.csv')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_parquet('https://example.org/x.parquet')",
        "SELECT * FROM query('COPY (SELECT 1) TO ''{inside}/x.csv''')",
        "SELECT * FROM enable_logging('QueryLog', storage='file', storage_path='{inside}/logs')",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM directory",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "RESET lock_configuration",
        "PRAGMA enable_profiling",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "CREATE TABLE x (a INT)",
        "CREATE TEMP TABLE x (a INT)",
        "INSERT INTO snapshots (number) VALUES (9)",
        "WITH x AS (DELETE FROM snapshots RETURNING *) SELECT * FROM x",
        "DROP VIEW changes",
        "CHECKPOINT",
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY (SELECT 1) TO '{inside}/x.csv'",
        "PREPARE x AS SELECT 1",
        "BEGIN",
        "",
        "-- nothing",
        "SELEC 1",
        "SELECT nothing FROM changes",
        "SELECT $x",
        "SELECT 'x'::INT",
    ],
)
def test_it_is_refused_in_one_line_and_changes_nothing(directory: Path, statement: str) -> None:
    before = everything_in(directory)
    with pytest.raises(BadQuery) as raised:
        ask(directory, statement.format(inside=directory, outside=directory.parent))

    assert "\n" not in str(raised.value)
    assert everything_in(directory) == before


@pytest.mark.parametrize(
    "statement",
    [
        "FROM tickets",
        "SHOW TABLES",
        "DESCRIBE tickets",
        "SUMMARIZE tickets",
        "WITH x AS (SELECT 1) FROM x",
        "VALUES (1)",
    ],
)
def test_questions_are_answered(directory: Path, statement: str) -> None:
    assert ask(directory, statement) != []


def test_columns_of_one_name_are_told_apart(directory: Path) -> None:
    assert ask(directory, "SELECT 1 AS a, 2 AS a") == [{"a": 1, "a_2": 2}]


def test_what_takes_too_long_is_stopped(directory: Path) -> None:
    endless = "SELECT count(*) FROM range(100000000000) a, range(1000000) b"
    with reading(directory, seconds=0.2) as library:
        with pytest.raises(BadQuery, match=r"longer than 0\.2 seconds"), library.ask(endless) as answer:
            list(answer.rows)
        with library.ask("SELECT 1 AS one") as answer:
            assert list(answer.rows) == [{"one": 1}]


def test_what_takes_too_much_memory_is_stopped(directory: Path) -> None:
    greedy = "SELECT list(i) FROM range(1000000000) t(i)"
    with (
        reading(directory, memory="100MB") as library,
        pytest.raises(BadQuery, match="Out of Memory"),
        library.ask(greedy) as answer,
    ):
        list(answer.rows)
