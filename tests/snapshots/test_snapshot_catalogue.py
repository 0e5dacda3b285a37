"""The DuckDB file: what is in it is named, and it can be opened and moved."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from pipeline.events.errors import ConfigError
from pipeline.snapshots.catalogue import CATALOGUE_FILE, is_in_step
from pipeline.snapshots.columns import FACT_SCHEMAS
from pipeline.snapshots.comments import COLUMNS, OBJECTS
from pipeline.snapshots.reading import reading
from tests.simulation.story import committed, deployed, service, ticket_created
from tests.snapshots.desk import Desk, ask

NAMES = """
    SELECT table_name AS name, column_name, comment FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "snapshots")
    desk.tell(service(), committed("a1", "02 10:00", message="Begin"), deployed("03 10:00", "d1", "a1"))
    desk.snap()
    return desk


def test_everything_in_it_has_a_comment(desk: Desk) -> None:
    columns = ask(desk.directory, NAMES)
    views = {f"VIEW {row['name']}" for row in columns} - {"VIEW snapshots", "VIEW metric_definitions"}

    assert [row for row in columns if row["comment"] is None] == []
    assert views | {"TABLE snapshots", "TABLE metric_definitions"} == {
        name for name in OBJECTS if not name.startswith("MACRO")
    }
    macros = "SELECT DISTINCT function_name AS name FROM duckdb_functions() WHERE schema_name = 'main' AND NOT internal"
    assert {row["name"] for row in ask(desk.directory, macros)} == {
        name.split()[1] for name in OBJECTS if name.startswith("MACRO")
    }


def test_no_comment_is_about_a_column_that_is_not_there(desk: Desk) -> None:
    rows = ask(desk.directory, NAMES)
    known = {row["column_name"] for row in rows} | {f"{row['name']}.{row['column_name']}" for row in rows}
    assert COLUMNS.keys() <= known


def test_another_program_can_open_it_from_anywhere(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    with duckdb.connect(desk.directory / CATALOGUE_FILE, read_only=True) as connection:
        assert connection.sql("SELECT id, title FROM changes").fetchall() == [("acme/shop@a1", "Begin")]
        types = connection.sql("SELECT deployed_at, lead_time, services, refs FROM changes").types
    assert [str(each) for each in types] == [
        "TIMESTAMP WITH TIME ZONE",
        "DOUBLE",
        "VARCHAR[]",
        'STRUCT(kind VARCHAR, "value" VARCHAR, via VARCHAR)[]',
    ]


def test_a_directory_that_was_moved_answers_and_is_set_right_by_a_build(desk: Desk) -> None:
    moved = desk.directory.with_name("elsewhere's")
    shutil.move(desk.directory, moved)

    assert not is_in_step(moved)
    assert ask(moved, "SELECT id FROM changes") == [{"id": "acme/shop@a1"}]
    desk.directory = moved
    assert not desk.snap().new
    assert is_in_step(moved)
    assert ask(moved, "SELECT id FROM changes") == [{"id": "acme/shop@a1"}]


def test_an_open_reader_sees_one_snapshot_while_the_next_is_written(desk: Desk) -> None:
    with reading(desk.directory) as library:
        desk.tell(ticket_created("30 10:00", "NEW-1"))
        desk.snap()
        with library.ask("SELECT id FROM tickets") as answer:
            assert list(answer.rows) == []
    assert ask(desk.directory, "SELECT id FROM tickets") == [{"id": "NEW-1"}]


def test_files_of_an_older_release_lack_columns_and_are_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = FACT_SCHEMAS["ticket"].append(FACT_SCHEMAS["change"].field("lead_time"))
    desk.tell(ticket_created("30 10:00", "NEW-1"))
    desk.snap()
    monkeypatch.setitem(FACT_SCHEMAS, "ticket", newer)
    desk.tell(ticket_created("30 10:00", "NEW-2"))
    desk.snap()

    assert ask(desk.directory, "SELECT id, lead_time FROM tickets ORDER BY id") == [
        {"id": "NEW-1", "lead_time": None},
        {"id": "NEW-2", "lead_time": None},
    ]


def test_without_a_snapshot_there_is_nothing_to_ask(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make one with `leadline snapshot build`"), reading(tmp_path):
        pass
