"""`leadline log` on a real database file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli.log import app
from pipeline.cli.simulate import app as simulate
from pipeline.events.codec import encode
from pipeline.events.delivery import Delivery
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError, Corrupt
from pipeline.events.types import ChangeMerged
from pipeline.ingest import deliveries
from pipeline.log.protocol import EVENTS
from pipeline.log.sqlite import SqliteLog
from tests.log.records import NOON, at, record

MERGED = "dev.cdevents.change.merged.0.3.0"


def event(change: str) -> bytes:
    told = ChangeMerged(repo="shop", change=change)
    return encode(
        Event(id=change, source="acme", type=MERGED, time=NOON, subject=change, partitionkey="shop", data=told)
    )


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "leadline.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEADLINE_DATABASE", str(path))
    log = SqliteLog(path)
    log.append(EVENTS, [record(str(number), value=event(f"#{number}")) for number in range(3)], at(60))
    told = Delivery(connector="github", id="d-1", kind="push", received_at=NOON, body=b"{}")
    deliveries.store(log, [told], at(30))
    log.close()
    return path


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)


def test_stat_prints_each_stream(database: Path) -> None:
    rows = {row["stream"]: row for row in json.loads(run("stat", "-o", "json").stdout)}
    assert (rows["events"]["records"], rows["deliveries"]["records"]) == (3, 1)
    assert rows["events"]["last_recorded"] == at(60).isoformat().replace("+00:00", "Z")
    assert "events" in run("stat").stdout
    assert database.exists()


@pytest.mark.usefixtures("database")
def test_tail_prints_the_end_as_lines_or_whole() -> None:
    lines = run("tail", "--limit", "2").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["2", "2026-03-04", "12:00:00", "change.merged", "shop", "#1"],
        ["3", "2026-03-04", "12:00:00", "change.merged", "shop", "#2"],
    ]
    assert run("tail", "--type", "incident.*").stdout == ""
    (pushed,) = run("tail", "--stream", "deliveries").stdout.splitlines()
    assert pushed.split()[3:] == ["push", "github", "github", "d-1", "(2", "bytes)"]
    whole = json.loads(run("tail", "--limit", "1", "--ndjson").stdout)
    assert whole["value"]["data"]["customData"] == {"repo": "shop", "change": "#2"}


@pytest.mark.parametrize("name", ["copy.ndjson", "copy.parquet"])
@pytest.mark.parametrize("stream", ["events", "deliveries"])
def test_an_exported_stream_can_be_imported_elsewhere(
    database: Path, name: str, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run("verify", "-o", "ndjson").stdout.splitlines()
    assert run("export", name, "--stream", stream).exit_code == 0
    monkeypatch.setenv("LEADLINE_DATABASE", str(database.with_name("other.db")))
    for _ in range(2):
        assert run("import", name, "--stream", stream).exit_code == 0
    after = run("verify", "-o", "ndjson").stdout.splitlines()
    assert [line for line in after if stream in line] == [line for line in before if stream in line]
    assert json.loads(run("stat", "-o", "json").stdout)[int(stream == "events")]["records"] > 0


@pytest.mark.usefixtures("database")
def test_standard_streams_carry_ndjson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exported = run("export", "-").stdout_bytes
    assert exported.count(b"\n") == 3
    monkeypatch.setenv("LEADLINE_DATABASE", str(tmp_path / "other.db"))
    assert "3 records new" in run("import", "-", stdin=exported).stderr
    assert run("export", "-", "--format", "parquet").exit_code == 2


def test_deliveries_do_not_get_into_the_events(database: Path) -> None:
    before = run("verify", "-o", "ndjson").stdout
    for name in ("d.ndjson", "d.parquet"):
        assert run("export", name, "--stream", "deliveries").exit_code == 0
        with pytest.raises(ConfigError, match="copy of the stream deliveries"):
            run("import", name)
    assert run("verify", "-o", "ndjson").stdout == before
    assert database.exists()


def test_what_simulate_wrote_can_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--days", "7", "--teams", "1"]
    assert CliRunner().invoke(simulate, [*options, "--out", "events.ndjson"]).exit_code == 0
    assert "0 were there already" in run("import", "events.ndjson").stderr
    assert "0 events appended" in CliRunner().invoke(simulate, options).stderr
    log = SqliteLog(tmp_path / "leadline.db")
    stored = [each.value for batch in log.iterate(EVENTS) for each in batch]
    log.close()
    assert stored == (tmp_path / "events.ndjson").read_bytes().splitlines()


@pytest.mark.usefixtures("database")
def test_a_bad_file_is_an_error_of_configuration(tmp_path: Path) -> None:
    (tmp_path / "bad.ndjson").write_text("oops\n")
    with pytest.raises(ConfigError, match=r"bad\.ndjson:1"):
        run("import", "bad.ndjson")
    with pytest.raises(ConfigError, match="absent"):
        run("import", "absent.ndjson")


def test_verify_names_what_cannot_be_read(database: Path) -> None:
    assert "sound" in run("verify").stderr
    log = SqliteLog(database)
    log.append(EVENTS, [record("odd", value=b"junk")], NOON)
    log.close()
    found = run("verify")
    assert (found.exit_code, "events 4 (acme odd): bad_event" in found.stderr) == (5, True)


def test_verify_of_a_damaged_file_says_so(database: Path) -> None:
    with database.open("r+b") as file:
        file.truncate(database.stat().st_size // 2)
    with pytest.raises(Corrupt, match=r"leadline\.db"):
        run("verify")
