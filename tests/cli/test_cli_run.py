"""The verbs of every day, as a person runs them: one process each, in a folder of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import Settings
from pipeline.wiring import Wiring


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a simulated organisation in its log."""
    assert leadline(tmp_path, "simulate", "--days", "30", "--teams", "2", "--chaos").returncode == 0
    return tmp_path


def leadline(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def shown(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    done = leadline(folder, "metrics", "show", "--output", "json", *arguments)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def test_the_log_becomes_metrics_and_a_rebuild_gives_the_same(home: Path) -> None:
    first = leadline(home, "run", "--once")
    assert first.returncode == 0, first.stderr
    before = shown(home)
    assert {row["scope_kind"] for row in before} == {"org", "team", "service", "initiative"}
    assert leadline(home, "rebuild").returncode == 0
    assert shown(home) == before
    assert leadline(home, "audit").returncode == 0


def test_what_the_command_prints_is_what_the_fold_holds(home: Path) -> None:
    leadline(home, "run", "--once")
    wiring = Wiring(Settings(database=home / "leadline.db"))
    held = {(p.scope_kind, p.scope, p.metric, p.stat, p.window_days): (p.value, p.n) for p in wiring.metrics()}
    wiring.close()
    printed = {
        (
            row["scope_kind"],
            row["scope"],
            row["metric"],
            row["stat"],
            None if row["window"] is None else int(row["window"].removesuffix("d")),
        ): (row["value"], row["n"])
        for row in shown(home)
    }
    assert printed == held


def test_a_scope_a_metric_and_a_window_can_be_chosen(home: Path) -> None:
    leadline(home, "run", "--once")
    rows = shown(home, "--scope", "org/all", "--metric", "deployment_frequency", "--window", "7")
    assert [(row["scope"], row["metric"], row["window"]) for row in rows] == [
        ("all", "change_fail_rate", "7d"),
        ("all", "deployment_frequency", "7d"),
    ]


def test_a_second_run_finds_nothing_new(home: Path) -> None:
    leadline(home, "run", "--once")
    again = leadline(home, "run", "--once")
    assert again.returncode == 0
    assert "folded" not in again.stderr


def test_no_data_says_so_and_when_there_was_some(home: Path) -> None:
    leadline(home, "run", "--once")
    done = leadline(home, "metrics", "show", "--as-of", "2031-01-01", "--metric", "deployment_frequency")
    assert done.returncode == 0
    assert "try --as-of 2026-0" in done.stderr


def test_numbers_that_are_behind_the_log_say_so(home: Path) -> None:
    assert "leadline run --once" in leadline(home, "metrics", "show").stderr
    leadline(home, "run", "--once")
    assert "leadline run --once" not in leadline(home, "metrics", "show").stderr


def test_a_repository_without_a_deployment_is_told_what_is_missing(tmp_path: Path) -> None:
    for arguments in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "--message", "Begin"]):
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@acme.example"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True)
    assert leadline(tmp_path, "ingest", "git", ".", "--repo", "acme/shop").returncode == 0
    assert leadline(tmp_path, "run", "--once").returncode == 0
    assert "begin with a production deployment" in leadline(tmp_path, "metrics", "show").stderr


def test_run_ends_in_order_when_it_is_told_to(home: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "run", "--interval", "60"],
        cwd=home,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "folded" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("damage", ["not a database", "cut off", "overwritten"])
def test_a_damaged_database_is_one_clear_line_and_exit_5(home: Path, damage: str) -> None:
    leadline(home, "run", "--once")
    path = home / "leadline.db"
    content = path.read_bytes()
    if damage == "not a database":
        path.write_bytes(b"something else entirely\n" * 400)
    elif damage == "cut off":
        path.write_bytes(content[: len(content) // 3])
    else:
        middle = len(content) // 2
        path.write_bytes(content[: 4096 * 2] + b"\xff" * (middle - 4096 * 2) + content[middle:])
    for name in ("leadline.db-wal", "leadline.db-shm"):
        (home / name).unlink(missing_ok=True)
    done = leadline(home, "rebuild")
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr
    assert "leadline.db" in done.stderr


def test_a_wrong_setting_is_exit_3(tmp_path: Path) -> None:
    (tmp_path / "leadline.yaml").write_text("databse: x\n")
    done = leadline(tmp_path, "run", "--once")
    assert done.returncode == 3
    assert "databse" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_folder_has_no_data_and_no_error(tmp_path: Path) -> None:
    assert leadline(tmp_path, "run", "--once").returncode == 0
    assert shown(tmp_path) == []


def test_bands_are_reference_only() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "metrics", "bands", "--year", "2024", "--output", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = json.loads(done.stdout)
    assert {row["year"] for row in rows} == {2024}
    assert all(set(row) == {"year", "metric", "cluster", "reported"} for row in rows)
