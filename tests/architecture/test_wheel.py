"""What a user installs is all of the program and nothing else."""

import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGES, ROOT, python_files, relative


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def _metadata(wheel: Path, name: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(next(path for path in archive.namelist() if path.endswith(f".dist-info/{name}")))


def test_every_query_ships(wheel: Path) -> None:
    queries = {relative(path) for path in (ROOT / "queries").rglob("*.sql")}
    assert queries
    assert queries <= _names(wheel)


def test_every_module_ships(wheel: Path) -> None:
    assert {relative(path) for path in python_files(*PACKAGES)} <= _names(wheel)


def test_nothing_else_ships(wheel: Path) -> None:
    folders = {name.split("/")[0] for name in _names(wheel) if ".dist-info/" not in name}
    assert folders == set(PACKAGES)
    assert not [name for name in _names(wheel) if "/cases/" in name or name.endswith((".pyc", ".db"))]


def test_the_command_and_the_licence_ship(wheel: Path) -> None:
    assert b"leadline = pipeline.cli:main" in _metadata(wheel, "entry_points.txt")
    assert b"Apache License" in _metadata(wheel, "licenses/LICENSE")
    assert message_from_bytes(_metadata(wheel, "METADATA"))["License-Expression"] == "Apache-2.0"
