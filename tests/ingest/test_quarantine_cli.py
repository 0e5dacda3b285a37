"""`leadline quarantine` on a real database file, with the connectors of the product."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli.quarantine import app
from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError
from pipeline.ingest import deliveries
from pipeline.ingest.quarantine import Failure, Quarantine
from pipeline.log.sqlite import SqliteLog
from tests.ingest.fakes import NOON

PING = b'{"zen": "Keep it logically awesome."}'


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log with two entries: a delivery that is broken for good, and one that translates by now."""
    path = tmp_path / "leadline.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEADLINE_DATABASE", str(path))
    log = SqliteLog(path)
    told = [
        Delivery(connector="github", id="d1", kind="push", received_at=NOON, body=b"{oops \x1b[2J" + bytes(3_000)),
        Delivery(connector="github", id="d2", kind="ping", received_at=NOON, body=PING),
    ]
    deliveries.store(log, told, NOON)
    failed = [
        Failure(delivery=1, connector="github", kind="push", reason="bad_json", detail="not JSON"),
        Failure(delivery=2, connector="github", kind="ping", reason="unknown_kind", detail="ping"),
    ]
    Quarantine(log).settle(failed, [], NOON)
    log.close()
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def listed(*arguments: str) -> list[dict[str, object]]:
    return list(json.loads(run("list", "-o", "json", *arguments).stdout))


def test_list_prints_open_entries_and_exits_1() -> None:
    assert [(row["delivery"], row["reason"]) for row in listed()] == [(1, "bad_json"), (2, "unknown_kind")]
    assert [row["delivery"] for row in listed("--reason", "bad_json")] == [1]
    assert listed("--connector", "jira") == []
    assert (run("list").exit_code, run("list", "--connector", "jira").exit_code) == (1, 0)
    assert listed("--count")[0] == {"state": "open", "connector": "github", "reason": "bad_json", "count": 1}


def test_show_prints_the_body_without_its_control_characters() -> None:
    shown = run("show", "1").stdout
    assert "reason: bad_json" in shown
    assert "{oops \\x1b[2J\\x00" in shown
    assert "body (3010 bytes)" in shown
    assert "\x1b" not in shown
    with pytest.raises(ConfigError, match="never quarantined"):
        run("show", "9")


def test_replay_resolves_what_translates_by_now() -> None:
    replayed = run("replay")
    assert (replayed.exit_code, "1 resolved" in replayed.stderr) == (1, True)
    assert [(row["delivery"], row["state"]) for row in listed("--all")] == [(1, "open"), (2, "resolved")]
    assert run("replay", "2").exit_code == 0


def test_drop_keeps_the_entry_with_its_reason() -> None:
    assert run("drop", "1", "--reason", "sent by a scanner").exit_code == 0
    assert [row["delivery"] for row in listed()] == [2]
    assert [row["note"] for row in listed("--all")] == ["sent by a scanner", ""]
    assert run("drop", "2").exit_code == 2
    with pytest.raises(ConfigError, match="not open"):
        run("drop", "1", "--reason", "again")
