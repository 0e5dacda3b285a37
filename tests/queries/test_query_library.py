"""Every question of the library keeps what its header promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import queries
from pipeline.simulate.organisation import everything
from pipeline.simulate.plan import Plan
from pipeline.snapshots.reading import reading
from tests.simulation.story import ticket_created
from tests.snapshots.desk import Desk

#: How the names of columns end that hold a span, and such names.
SPANS = ("_time", "_p50", "_p85", "_for", "_wait", "_lag", "_age")
SPAN = ("age", "latency", "overdue", "debt", "duration")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    desk = Desk(tmp_path_factory.mktemp("library"))
    desk.tell(*everything(Plan(days=30, teams=2)))
    desk.snap()
    desk.snap(full=True)
    desk.tell(ticket_created("07 10:00", "NEW-1"))
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
    spans = [each for each in queries.load(name).columns if each.name.endswith(SPANS) or each.name in SPAN]
    assert [column.name for column in spans if column.unit != "seconds"] == []


def test_every_question_is_in_the_document() -> None:
    """The page lists each with what it answers, under its room, in the order of the list that the CLI prints."""
    page = (Path(__file__).parents[2] / "docs" / "sql.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| (.+) \|$", page.partition("## The questions")[2], re.MULTILINE)
    by_room = sorted(queries.library().values(), key=lambda query: (query.room, query.name))
    assert [name for name, _ in listed] == [query.name for query in by_room]
    assert all(text for _, text in listed)


def test_a_wrong_name_or_parameter_is_answered_with_those_that_exist() -> None:
    with pytest.raises(KeyError, match=r"no query 'x'; there are accounting, .*weekly"):
        queries.load("x")
    with pytest.raises(ValueError, match=r"query weekly: no parameter 'x'; it has weeks, scope_kind, scope"):
        queries.load("weekly").with_defaults({"x": "1"})


@pytest.mark.parametrize(
    ("name", "parameter", "bad", "good", "expected"),
    [
        ("weekly", "weeks", "abc", "4", "a whole number, 0 or more"),
        ("weekly", "weeks", "-1", "0", "a whole number, 0 or more"),
        ("weekly", "weeks", "99999999999", "999999999", "a whole number, 0 or more"),
        ("deployment_log", "production", "maybe", "false", "true or false"),
        ("dora", "as_of", "soon", "2026-03-31T12:00Z", "an ISO 8601 date or instant"),
    ],
)
def test_a_value_is_held_to_the_type_of_its_parameter(
    name: str, parameter: str, bad: str, good: str, expected: str
) -> None:
    query = queries.load(name)
    with pytest.raises(ValueError, match=f"query {name}: {parameter}='{bad}': expected {expected}"):
        query.with_defaults({parameter: bad})
    assert query.with_defaults({parameter: good})[parameter] == good
    assert query.with_defaults({parameter: ""}) == query.with_defaults({})


@pytest.mark.parametrize(
    "text",
    [
        "-- Question: what?\n-- Columns:\n--   n  what\n-- Parameters:\n--   x = 1  what\nselect $x as n",
        "select 1",
        "-- Question: what?\nselect 1",
        "-- Question: what?\n-- Columns:\n-- wrong\nselect 1",
    ],
)
def test_a_file_without_a_proper_header_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"queries/reports/mine\.sql: "):
        queries.parse("mine", "reports", text)
