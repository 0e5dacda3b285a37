"""The units for one machine: sound, confined, and using what the package has."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import _EXIT
from pipeline.events.errors import ConfigError, Corrupt, Retryable
from tests.architecture.sources import ROOT
from tests.deploy.tools import DEPLOY, program

UNITS = sorted((DEPLOY / "systemd").glob("leadline*"))
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]


def read(unit: Path) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit.read_text())
    return {name: dict(parser[name]) for name in parser.sections()}


def test_there_is_a_server_and_a_backup() -> None:
    assert [unit.name for unit in UNITS] == ["leadline-backup.service", "leadline-backup.timer", "leadline.service"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_it(unit: Path, tmp_path: Path) -> None:
    for each in UNITS:
        # That the program is not installed here is no fault of the unit.
        text = each.read_text().replace("/opt/leadline/bin/leadline", "/bin/true")
        (tmp_path / each.name).write_text(text)
    done = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", tmp_path / unit.name],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if str(tmp_path) in line]) == (0, [])


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_it_is_confined(unit: Path) -> None:
    done = subprocess.run(
        [program("systemd-analyze"), "security", "--offline=true", "--threshold=30", unit],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "SYSTEMD_PAGER": ""},
    )
    assert done.returncode == 0, done.stdout


def test_what_a_restart_cannot_cure_is_not_restarted() -> None:
    service = read(DEPLOY / "systemd" / "leadline.service")["Service"]
    given_up = {int(code) for code in service["RestartPreventExitStatus"].split()}
    assert {_EXIT[ConfigError], _EXIT[Corrupt]} <= given_up
    assert _EXIT[Retryable] not in given_up


def test_units_and_folders_agree() -> None:
    folders = re.findall(r"(?m)^d (\S+) ", (DEPLOY / "systemd" / "tmpfiles.conf").read_text())
    for unit in SERVICES:
        service = read(unit)["Service"]
        assert f"u {service['User']} " in (DEPLOY / "systemd" / "sysusers.conf").read_text()
        assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
        config = re.search(r"LEADLINE_CONFIG=(\S+)", service["Environment"])
        assert config is not None
        assert str(Path(config[1]).parent) in folders
    assert read(DEPLOY / "systemd" / "leadline-backup.service")["Service"]["ReadWritePaths"] in folders


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_its_verb_exists(unit: Path) -> None:
    line = read(unit)["Service"]["ExecStart"]
    found = re.search(r"/opt/leadline/bin/leadline (\w+)((?: --[\w-]+)*)", line)
    assert found is not None
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", found[1], "--help"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 0
    assert all(option in done.stdout for option in found[2].split())
