from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.simulate import app, append
from pipeline.events.codec import decode
from pipeline.events.errors import ConfigError
from pipeline.log.protocol import EVENTS
from pipeline.log.sqlite import SqliteLog
from pipeline.simulate.chance import Chance
from pipeline.simulate.organisation import entries, everything, records
from pipeline.simulate.plan import Plan
from pipeline.simulate.scramble import scramble

SMALL = Plan(seed=3, days=20, teams=2, events=400)
OPTIONS = ["--seed", "3", "--days", "20", "--teams", "2", "--events", "400"]


def test_a_file_holds_one_event_a_line(tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson"
    result = CliRunner().invoke(app, [*OPTIONS, "--out", str(out)])
    assert result.exit_code == 0
    assert [decode(line) for line in out.read_bytes().splitlines()] == list(everything(SMALL))
    assert str(out) in result.stderr


def test_chaos_repeats_some_lines_and_loses_none(tmp_path: Path) -> None:
    calm, wild = tmp_path / "calm.ndjson", tmp_path / "wild.ndjson"
    CliRunner().invoke(app, [*OPTIONS, "--out", str(calm)])
    CliRunner().invoke(app, [*OPTIONS, "--chaos", "--out", str(wild)])
    ordered, scrambled = calm.read_bytes().splitlines(), wild.read_bytes().splitlines()
    assert set(ordered) == set(scrambled)
    assert len(scrambled) > len(ordered)
    assert ordered != scrambled[: len(ordered)]


def test_standard_output_carries_data_only() -> None:
    result = CliRunner().invoke(app, [*OPTIONS, "--out", "-"])
    assert result.stdout_bytes.splitlines() == [entry.value for entry in records(SMALL)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--days", "3"], "days is 3"),
        (["--teams", "0"], "teams is 0"),
        (["--out", "/does/not/exist/events.ndjson"], "--out /does/not/exist/events.ndjson"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, ConfigError)
    assert message in str(result.exception)


def test_two_destinations_are_a_usage_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--into-log", "--out", str(tmp_path / "events.ndjson")])
    assert result.exit_code == 2


def test_the_log_takes_each_event_once_however_often_it_is_told(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.db", partitions=1)
    told = list(entries(scramble(everything(SMALL), Chance(3))))
    count = len({entry.id for entry in told})
    first = append(log, iter(told), batch=100)
    assert (first.new, first.duplicates) == (count, len(told) - count)
    again = append(log, records(SMALL), batch=100)
    assert (again.new, again.duplicates) == (0, count)
    stored = [record for batch in log.iterate(EVENTS) for record in batch]
    assert {record.value for record in stored} == {entry.value for entry in told}
    assert all(record.recorded >= record.time for record in stored)
    log.close()
