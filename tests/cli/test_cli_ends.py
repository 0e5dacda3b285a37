"""How a process ends that was cut short: by the reader of its output, by Ctrl-C, by a folder that it may not use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.simulate import append
from pipeline.simulate.organisation import records
from pipeline.simulate.plan import Plan
from pipeline.wiring import wire


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with more in its log than a pipe holds."""
    monkeypatch.chdir(tmp_path)
    wiring = wire()
    try:
        append(wiring.log(), records(Plan(days=10, teams=1)))
    finally:
        wiring.close()
    return tmp_path


def started(folder: Path, *arguments: str, unbuffered: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "verb",
    [
        ["metrics", "bands"],
        ["metrics", "bands", "-o", "csv"],
        ["metrics", "list", "-o", "ndjson"],
        ["log", "export", "-"],
        ["log", "tail", "--ndjson", "--limit", "1000"],
        ["simulate", "--days", "7", "--out", "-"],
        ["metrics", "--help"],
    ],
    ids=" ".join,
)
def test_a_reader_that_goes_away_is_no_failure(home: Path, verb: list[str], unbuffered: str) -> None:
    with started(home, *verb, unbuffered=unbuffered) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"")


def test_ctrl_c_is_130_and_silent(home: Path) -> None:
    with started(home, "log", "tail", "--limit", "1", "--follow") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() != b""
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert (process.returncode, said) == (130, b"")


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "leadline.yaml").write_text("database: file/leadline.db\n")
    with started(tmp_path, "log", "stat") as process:
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert (process.returncode, said.startswith("error: file: ")) == (3, True)
    assert "Traceback" not in said
