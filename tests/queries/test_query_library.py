"""Every question of the library keeps what its header promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import queries
from pipeline.simulate.organisation import everything
from pipeline.simulate.plan import Plan
from pipeline.snapshots.reading import reading
from tests.snapshots.desk import Desk


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    desk = Desk(tmp_path_factory.mktemp("library"))
    desk.tell(*everything(Plan(days=30, teams=2)))
    desk.snap()
    return desk.directory


@pytest.mark.parametrize("name", queries.library())
def test_the_answer_has_the_columns_of_the_header(directory: Path, name: str) -> None:
    query = queries.load(name)
    with reading(directory) as library, library.ask(query.sql, query.with_defaults({})) as answer:
        assert list(answer.columns) == [column.name for column in query.columns]
        list(answer.rows)


@pytest.mark.parametrize("name", queries.library())
def test_the_parameters_of_the_header_are_those_of_the_text(name: str) -> None:
    query = queries.load(name)
    body = "\n".join(line for line in query.sql.splitlines() if not line.startswith("--"))
    assert set(re.findall(r"\$([a-z_]+)", body)) == {parameter.name for parameter in query.parameters}


@pytest.mark.parametrize("name", queries.library())
def test_a_quantity_has_a_unit(name: str) -> None:
    spans = [each for each in queries.load(name).columns if each.name.endswith(("_time", "_p50", "_p85", "_for"))]
    assert [column.name for column in spans if column.unit != "seconds"] == []


def test_a_wrong_name_or_parameter_is_answered_with_those_that_exist() -> None:
    with pytest.raises(KeyError, match=r"no query 'x'; there are accounting, .*weekly"):
        queries.load("x")
    with pytest.raises(ValueError, match=r"query weekly: no parameter 'x'; it has weeks, scope_kind, scope"):
        queries.load("weekly").with_defaults({"x": "1"})


@pytest.mark.parametrize(
    "text", ["select 1", "-- Question: what?\nselect 1", "-- Question: what?\n-- Columns:\n-- wrong\nselect 1"]
)
def test_a_file_without_a_proper_header_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"queries/reports/mine\.sql: "):
        queries.parse("mine", "reports", text)
