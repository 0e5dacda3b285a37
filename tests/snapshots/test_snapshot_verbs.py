"""`leadline snapshot`, `leadline sql` and `leadline query`, from the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipeline.cli import snapshot, sql
from pipeline.cli.simulate import append
from pipeline.events.errors import Corrupt
from pipeline.simulate.organisation import records
from pipeline.simulate.plan import Plan
from pipeline.snapshots.export import write_csv
from pipeline.snapshots.manifest import chain
from pipeline.snapshots.reading import reading
from pipeline.wiring import wire
from tests.simulation.story import ticket_seen
from tests.snapshots.desk import Desk

RUNNER = CliRunner()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    wiring = wire()
    try:
        append(wiring.log(), records(Plan(days=10, teams=1)))
        wiring.engine().run()
    finally:
        wiring.close()
    assert RUNNER.invoke(snapshot.app, ["build"]).exit_code == 0
    return tmp_path


def test_build_tells_what_it_wrote_and_when_there_was_nothing(home: Path) -> None:
    again = RUNNER.invoke(snapshot.app, ["build"])
    assert "nothing new since snapshot 1" in again.stderr
    (home / "snapshots" / "current.tmp").write_text("{")
    assert "removed 1 files that an interrupted build had left" in RUNNER.invoke(snapshot.app, ["build"]).stderr


@pytest.mark.usefixtures("home")
def test_list_and_verify_count_the_same() -> None:
    listed = json.loads(RUNNER.invoke(snapshot.app, ["list", "-o", "json"]).stdout)
    verified = json.loads(RUNNER.invoke(snapshot.app, ["verify", "-o", "json"]).stdout)

    assert [row["number"] for row in listed] == [1]
    assert (listed[0]["files"], listed[0]["bytes"]) == (verified[0]["files"], verified[0]["bytes"])


def test_verify_names_the_damaged_file(home: Path) -> None:
    file = chain(home / "snapshots")[0][1].files[0]
    (home / "snapshots" / file.path).unlink()
    result = RUNNER.invoke(snapshot.app, ["verify"])

    assert isinstance(result.exception, Corrupt)
    assert file.path in str(result.exception)


@pytest.mark.usefixtures("home")
def test_diff_with_nothing_is_everything() -> None:
    rows = json.loads(RUNNER.invoke(snapshot.app, ["diff", "0", "1", "--kind", "ticket", "-o", "json"]).stdout)
    tickets = json.loads(RUNNER.invoke(sql.app, ["sql", "SELECT id FROM tickets ORDER BY id", "-o", "json"]).stdout)

    assert [row["id"] for row in rows] == [row["id"] for row in tickets] != []
    assert {row["what"] for row in rows} == {"added"}
    assert RUNNER.invoke(snapshot.app, ["diff", "1", "2"]).exit_code == 2


def test_export_writes_csv_and_parquet(home: Path) -> None:
    printed = RUNNER.invoke(snapshot.app, ["export", "deployments"])
    rows = list(csv.DictReader(io.StringIO(printed.stdout)))
    RUNNER.invoke(snapshot.app, ["export", "deployments", "--format", "parquet", "--out", "out.parquet"])
    table = pq.read_table(home / "out.parquet")

    assert [row["id"] for row in rows] == table.column("id").to_pylist() != []
    assert [json.loads(row["initiatives"]) for row in rows] == table.column("initiatives").to_pylist()
    assert list(home.glob("*.tmp")) == []


def test_a_formula_in_a_title_is_only_text(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.tell(ticket_seen("01 09:00", "T-1", title="=1+1", labels=["a, b"]))
    desk.snap()
    out = io.BytesIO()
    with reading(desk.directory) as library:
        assert write_csv(library, "tickets", out) == 1
    (row,) = csv.DictReader(io.StringIO(out.getvalue().decode()))

    assert (row["title"], row["labels"], row["parent"]) == ("'=1+1", '["a, b"]', "")


def test_a_bad_statement_is_one_line_and_exit_2(home: Path) -> None:
    for statement in ("COPY (SELECT 1) TO 'x.csv'", "SELECT nothing FROM changes", "SELECT 1; SELECT 2"):
        result = RUNNER.invoke(sql.app, ["sql", statement])
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.startswith("error: ")
    assert not (home / "x.csv").exists()


@pytest.mark.usefixtures("home")
def test_a_statement_is_read_from_standard_input() -> None:
    result = RUNNER.invoke(sql.app, ["sql", "-", "-o", "json"], input="SELECT number FROM snapshots")
    assert json.loads(result.stdout) == [{"number": 1}]


@pytest.mark.usefixtures("home")
def test_questions_are_listed_and_asked_with_parameters() -> None:
    listed = json.loads(RUNNER.invoke(sql.app, ["query", "-o", "json"]).stdout)
    assert {"dora", "accounting", "slowest_changes"} <= {row["name"] for row in listed}

    asked = RUNNER.invoke(sql.app, ["query", "dora", "-p", "scope_kind=org", "-p", "window_days=7", "-o", "json"])
    rows = json.loads(asked.stdout)
    assert {row["scope"] for row in rows} == {"all"}
    assert {row["window_days"] for row in rows} == {7, None}


@pytest.mark.usefixtures("home")
def test_a_table_that_nobody_watches_has_a_line_for_each_row_and_no_empty_column() -> None:
    facts = "SELECT repeat('long ', 99) AS told, NULL AS absent, [] AS none, 0 AS zero FROM range(3)"
    head, *lines = RUNNER.invoke(sql.app, ["sql", facts]).stdout.splitlines()
    assert head.split() == ["told", "zero"]
    assert [line.split() for line in lines] == [["long"] * 99 + ["0"]] * 3
    assert set(json.loads(RUNNER.invoke(sql.app, ["sql", facts, "-o", "json"]).stdout)[0]) == {
        "told",
        "absent",
        "none",
        "zero",
    }
    assert RUNNER.invoke(sql.app, ["sql", f"{facts} LIMIT 0"]).stdout.split() == ["told", "absent", "none", "zero"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "no query 'nonsense'"),
        (["dora", "-p", "x=1"], "no parameter 'x'"),
        (["dora", "-p", "scope"], "write it as"),
        (["dora", "-p", "window_days=soon"], "window_days='soon': expected a whole number"),
    ],
)
@pytest.mark.usefixtures("home")
def test_a_wrong_question_is_a_usage_error(arguments: list[str], says: str) -> None:
    result = RUNNER.invoke(sql.app, ["query", *arguments])
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.replace("│", " ").split())
