"""What was damaged is found and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.events.errors import ConfigError, Corrupt
from pipeline.snapshots.catalogue import CATALOGUE_FILE
from pipeline.snapshots.manifest import chain, current, manifest_path
from pipeline.snapshots.verify import verify
from tests.simulation.story import deployed, service, ticket_created
from tests.snapshots.desk import Desk


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    desk = Desk(tmp_path)
    desk.tell(service(), deployed("03 10:00", "d1"))
    desk.snap()
    desk.tell(ticket_created("04 10:00", "T-1"))
    desk.snap()
    return tmp_path


def test_a_sound_directory_is_counted(directory: Path) -> None:
    verified = verify(directory)
    files = list(directory.rglob("*.parquet"))

    assert (verified.snapshots, verified.files, verified.catalogue) == (2, len(files), True)
    assert verified.bytes == sum(path.stat().st_size for path in files)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize(
    ("damage", "says"),
    [(flip, "is not the one that was written"), (cut, "bytes instead of"), (Path.unlink, "is missing")],
)
def test_every_damaged_file_is_named(directory: Path, damage: Callable[[Path], None], says: str) -> None:
    for _, manifest in chain(directory):
        for file in manifest.files:
            path = directory / file.path
            content = path.read_bytes()
            damage(path)
            with pytest.raises(Corrupt, match=says) as raised:
                verify(directory)
            assert str(path) in str(raised.value)
            path.write_bytes(content)
    assert verify(directory).snapshots == 2


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
@pytest.mark.parametrize("number", [1, 2])
def test_a_damaged_manifest_is_named(directory: Path, damage: Callable[[Path], None], number: int) -> None:
    damage(manifest_path(directory, number))
    with pytest.raises(Corrupt, match=f"0000000{number}.json: the manifest"):
        verify(directory)


def test_a_damaged_pointer_is_named(directory: Path) -> None:
    (directory / "current").write_text("{}")
    with pytest.raises(Corrupt, match="current: does not name a snapshot"):
        current(directory)


def test_a_damaged_catalogue_is_not_used_and_made_again(directory: Path) -> None:
    (directory / CATALOGUE_FILE).write_bytes(b"no database")
    assert not verify(directory).catalogue

    desk = Desk(directory)
    desk.tell(service(), deployed("03 10:00", "d1"))
    desk.tell(ticket_created("04 10:00", "T-1"))
    assert not desk.snap().new
    assert verify(directory).catalogue


def test_no_snapshot_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no snapshot yet"):
        verify(tmp_path)
