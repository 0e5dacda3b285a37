"""A backup of what runs is a whole one, and a restore gives back the same or nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition, Event

import httpx
import msgspec
import pytest

from pipeline.events.errors import ConfigError, Corrupt, Retryable
from pipeline.log.copying import digests_of
from pipeline.log.protocol import DELIVERIES, EVENTS
from pipeline.log.sqlite import SqliteLog
from pipeline.settings import Settings
from pipeline.snapshots.backup import About, BackedUp, Place, backup, key_print
from pipeline.snapshots.build import build
from pipeline.snapshots.files import sha256_of
from pipeline.snapshots.lock import writing
from pipeline.snapshots.restore import check, restore
from pipeline.snapshots.verify import verify
from pipeline.wiring import Wiring
from tests.api.process import served, stored
from tests.api.running import TIMEOUT, signed
from tests.architecture.sources import ROOT

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = b"a key of pseudonyms"


def leadline(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a simulated organisation, folded, with a snapshot and a key."""
    folder = tmp_path_factory.mktemp("organisation")
    (folder / "leadline.actor-key").write_bytes(KEY)
    for verb in (("simulate", "--days", "7", "--teams", "2"), ("run", "--once"), ("snapshot", "build")):
        done = leadline(folder, *verb)
        assert done.returncode == 0, done.stderr
    return folder


def place_in(folder: Path) -> Place:
    key = folder / "leadline.actor-key"
    return Place(
        database=folder / "leadline.db",
        snapshots=folder / "snapshots",
        key=key,
        key_print=key_print(key.read_bytes()) if key.exists() else None,
    )


@pytest.fixture(scope="module", params=["kept", "kept.tar"])
def kept(request: pytest.FixtureRequest, organisation: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it, as a directory and as a file."""
    path, _ = backup(place_in(organisation), tmp_path_factory.mktemp("kept") / request.param, NOW, version="1.2.3")
    return path


@pytest.fixture(scope="module")
def sound(organisation: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it that nobody changes."""
    path, _ = backup(place_in(organisation), tmp_path_factory.mktemp("sound") / "kept", NOW, version="1.2.3")
    return path


@pytest.fixture
def copied(sound: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return shutil.copytree(sound, tmp_path / "kept")


def everything(folder: Path) -> dict[str, bytes]:
    """Return what a folder holds, apart from the database, whose file may differ, and what is made from the rest."""
    left_out = {"leadline.db", "lock", "index.db", "leadline.duckdb"}
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in left_out
    }


def test_what_is_restored_is_what_was_there(organisation: Path, kept: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    about = restore(kept, place_in(new))
    assert digests_of(new / "leadline.db") == digests_of(organisation / "leadline.db") == about.tables
    assert everything(new) == everything(organisation)
    assert (new / "leadline.actor-key").stat().st_mode & 0o777 == 0o600
    assert (about.version, about.taken_at, about.snapshot, about.unreadable) == ("1.2.3", NOW, 1, 0)


def test_what_is_restored_goes_on(organisation: Path, sound: Path, tmp_path: Path) -> None:
    restore(sound, place_in(tmp_path))
    assert verify(tmp_path / "snapshots").catalogue
    old, new = (
        Wiring(Settings(database=folder / "leadline.db", snapshots=folder / "snapshots"))
        for folder in (organisation, tmp_path)
    )
    try:
        assert not build(new.store(), new.log(), new.settings.snapshots, NOW, version="1.2.3").new
        assert (new.behind(), new.engine().run().restarts) == (False, 0)
        assert new.metrics() == old.metrics() != []
    finally:
        old.close()
        new.close()


def test_the_verbs_tell_the_same_digests(organisation: Path, tmp_path: Path) -> None:
    made = leadline(organisation, "backup", str(tmp_path / "one.tar"), "--output", "json")
    checked = leadline(tmp_path, "restore", "--check", "one.tar", "--output", "json")
    (tmp_path / "new").mkdir()
    restored = leadline(tmp_path / "new", "restore", "../one.tar", "--output", "json")
    assert (made.returncode, checked.returncode, restored.returncode) == (0, 0, 0), made.stderr + restored.stderr
    assert json.loads(made.stdout) == json.loads(checked.stdout) == json.loads(restored.stdout)
    told = {row["what"]: row for row in json.loads(made.stdout)}
    verified = json.loads(leadline(tmp_path / "new", "log", "verify", "--output", "json").stdout)
    assert {row["stream"]: row["history"] for row in verified} == {
        name: told[name]["digest"] for name in (DELIVERIES, EVENTS)
    }
    assert told["state"]["records"] > 0


def test_nobody_else_can_read_a_backup(kept: Path) -> None:
    assert kept.stat().st_mode & 0o077 == 0


def test_a_backup_replaces_nothing(organisation: Path, kept: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a backup replaces nothing"):
        backup(place_in(organisation), kept, NOW, version="1.2.3")
    check(kept)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    with pytest.raises(ConfigError, match=r"thesis\.txt, which is no part of a backup"):
        backup(place_in(organisation), tmp_path / "full", NOW, version="1.2.3")
    with pytest.raises(ConfigError, match="no such directory"):
        backup(place_in(organisation), tmp_path / "none" / "there", NOW, version="1.2.3")
    assert (tmp_path / "full" / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("left", "told"),
    [
        ("leadline.db", "exists already"),
        ("leadline.db-wal", "exists already"),
        ("snapshots/current", "holds other snapshots"),
        ("leadline.actor-key", "is not the one of the backup"),
    ],
)
def test_a_restore_replaces_nothing(kept: Path, tmp_path: Path, left: str, told: str) -> None:
    new = tmp_path / "new"
    (new / left).parent.mkdir(parents=True)
    (new / left).write_bytes(b"other")
    with pytest.raises(ConfigError, match=told):
        restore(kept, place_in(new))
    assert [path.name for path in new.rglob("*") if path.is_file()] == [Path(left).name]
    assert (new / left).read_bytes() == b"other"


def test_a_key_of_the_settings_stays_with_whoever_set_it(organisation: Path, tmp_path: Path) -> None:
    of_settings = msgspec.structs.replace(place_in(organisation), key=None, key_print=key_print(b"from a vault"))
    _, about = backup(of_settings, tmp_path / "kept", NOW, version="1.2.3")
    assert "leadline.actor-key" not in about.files
    new = place_in(tmp_path / "new")
    for place in (msgspec.structs.replace(new, key=None), msgspec.structs.replace(new, key_print=key_print(b"other"))):
        with pytest.raises(ConfigError, match="actor_key"):
            restore(tmp_path / "kept", place)
    restore(tmp_path / "kept", msgspec.structs.replace(new, key=None, key_print=key_print(b"from a vault")))
    assert not (tmp_path / "new" / "leadline.actor-key").exists()


def changed_size(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def changed_byte(path: Path) -> None:
    with path.open("rb+") as file:
        file.seek(path.stat().st_size // 2)
        old = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([old[0] ^ 1]))


@pytest.mark.parametrize("damage", [changed_size, changed_byte, Path.unlink])
@pytest.mark.parametrize("name", ["leadline.db", "snapshots/current", "leadline.actor-key"])
def test_a_damaged_backup_restores_nothing(
    copied: Path, tmp_path: Path, damage: Callable[[Path], None], name: str
) -> None:
    damage(copied / name)
    for read in (check, lambda origin: restore(origin, place_in(tmp_path / "new"))):
        with pytest.raises(Corrupt, match=name):
            read(copied)
    assert not (tmp_path / "new" / "leadline.db").exists()


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_truncated_file_restores_nothing(sound: Path, tmp_path: Path, share: float) -> None:
    kept = tmp_path / "kept.tar"
    with tarfile.open(kept, "w") as tar:
        for name in ("backup.json", *check(sound).files):
            tar.add(sound / name, arcname=name)
    os.truncate(kept, int(kept.stat().st_size * share))
    done = leadline(tmp_path, "restore", "kept.tar")
    assert (done.returncode, "Traceback" in done.stderr) == (5, False)
    assert not (tmp_path / "leadline.db").exists()


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [("format", 99, "backup of format 99, written by Leadline"), ("schema", 99, "log schema 99, written by Leadline")],
)
def test_a_backup_of_another_release_is_refused(
    copied: Path, tmp_path: Path, field: str, value: int, told: str
) -> None:
    about = json.loads((copied / "backup.json").read_bytes())
    (copied / "backup.json").write_text(json.dumps({**about, field: value}))
    done = leadline(tmp_path, "restore", "kept")
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)
    assert told in done.stderr


def test_what_is_no_backup_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "backup.json").write_text("{")
    for name in ("none", "folder"):
        with pytest.raises(ConfigError, match=name):
            check(tmp_path / name)
    with pytest.raises(Corrupt, match=r"backup\.json cannot be read"):
        check(tmp_path / "broken")


def test_a_table_that_differs_is_named(copied: Path, tmp_path: Path) -> None:
    about = check(copied)
    with closing(sqlite3.connect(copied / "leadline.db")) as connection:
        connection.execute("UPDATE engine_mark SET value = value || '0' WHERE name = 'sequence'")
        connection.commit()
    files = {**about.files, "leadline.db": as_is(copied / "leadline.db", about)}
    (copied / "backup.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(about, files=files)))
    with pytest.raises(Corrupt, match="differs from what was backed up in engine_mark"):
        restore(copied, place_in(tmp_path / "new"))
    assert list((tmp_path / "new").glob("leadline.db*")) == []


def as_is(path: Path, about: About) -> BackedUp:
    return msgspec.structs.replace(about.files["leadline.db"], bytes=path.stat().st_size, sha256=sha256_of(path))


def test_a_damaged_database_is_not_backed_up_as_sound(organisation: Path, tmp_path: Path) -> None:
    shutil.copytree(organisation, tmp_path / "damaged")
    database = tmp_path / "damaged" / "leadline.db"
    with database.open("rb+") as file:
        file.seek(database.stat().st_size // 2 // 16_384 * 16_384)
        file.write(b"\xff" * 16_384)
    done = leadline(tmp_path / "damaged", "backup", str(tmp_path / "kept"))
    assert (done.returncode, "Traceback" in done.stderr) == (5, False)
    assert not (tmp_path / "kept" / "backup.json").exists()


def pushing(url: str, stop: Event) -> Iterator[str]:
    """Push deliveries until told to stop; yield what was acknowledged."""
    with httpx.Client(trust_env=False, timeout=TIMEOUT) as client:
        number = 0
        while not stop.is_set():
            number += 1
            body = json.dumps({"zen": f"delivery {number}"}).encode()
            answer = client.post(f"{url}/hooks/github", content=body, headers=signed(body, delivery=f"d-{number}"))
            assert answer.status_code == 202
            yield answer.json()["delivery"]


def test_a_server_goes_on_taking_deliveries_while_it_is_backed_up(tmp_path: Path) -> None:
    stop, news = Event(), Condition()
    told: list[str] = []

    def push(url: str) -> None:
        for delivery in pushing(url, stop):
            with news:
                told.append(delivery)
                news.notify_all()

    def until_so_many(count: int) -> None:
        with news:
            assert news.wait_for(lambda: len(told) >= count, TIMEOUT), "nothing was taken in meanwhile"

    with served(tmp_path) as server, ThreadPoolExecutor(1) as pool:
        pushed = pool.submit(push, server.url)
        until_so_many(20)
        before = list(told)
        # The copy holds its read transaction while it tells of its progress.
        _, about = backup(
            place_in(tmp_path),
            tmp_path / "kept",
            NOW,
            version="1.2.3",
            progress=lambda *_: until_so_many(len(told) + 20),
        )
        stop.set()
        pushed.result(TIMEOUT)
        assert server.end(signal.SIGTERM) == 0
    restore(tmp_path / "kept", place_in(tmp_path / "new"))
    found = stored(tmp_path / "new")
    assert set(before) <= found < set(told)
    assert len(found) == about.streams[DELIVERIES].records
    assert stored(tmp_path) == set(told)


#: Backs up or restores and kills itself when so many files were made durable or moved.
_KILLED = """
import os, sys
from pathlib import Path
from tests.deploy import test_backup as here

left = int(sys.argv[2])

def step(call):
    def counted(*args, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
        return call(*args, **named)
    return counted

os.fsync, os.replace, Path.replace = step(os.fsync), step(os.replace), step(Path.replace)
folder = Path(sys.argv[3])
if sys.argv[1] == "backup":
    here.backup(here.place_in(folder), Path(sys.argv[4]), here.NOW, version="1.2.3")
else:
    here.restore(Path(sys.argv[4]), here.place_in(folder))
"""


def killed(verb: str, steps: int, folder: Path, other: Path) -> int:
    command = [sys.executable, "-c", _KILLED, verb, str(steps), str(folder), str(other)]
    return subprocess.run(command, check=False, cwd=ROOT, timeout=120).returncode


@pytest.mark.parametrize(("name", "steps"), [("kept", 0), ("kept", 20), ("kept.tar", 3)])
def test_a_backup_that_was_killed_is_none_and_is_made_anew(
    organisation: Path, tmp_path: Path, name: str, steps: int
) -> None:
    kept = tmp_path / name
    assert killed("backup", steps, organisation, kept) == -signal.SIGKILL
    with pytest.raises(ConfigError, match=r"no such backup|no backup\.json"):
        check(kept)
    backup(place_in(organisation), kept, NOW, version="1.2.3")
    check(kept)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


@pytest.mark.parametrize("steps", [0, 2, 20])
def test_a_restore_that_was_killed_is_run_again(organisation: Path, sound: Path, tmp_path: Path, steps: int) -> None:
    new = tmp_path / "new"
    assert killed("restore", steps, new, sound) == -signal.SIGKILL
    assert not (new / "leadline.db").exists()
    about = restore(sound, place_in(new))
    assert digests_of(new / "leadline.db") == about.tables
    assert everything(new) == everything(organisation)


def test_two_backups_to_one_place_do_not_mix(organisation: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with writing(kept), pytest.raises(Retryable, match="another process"):
        backup(place_in(organisation), kept, NOW, version="1.2.3")
    backup(place_in(organisation), kept, NOW, version="1.2.3")
    assert check(kept).snapshot == 1


def test_a_database_without_snapshots_and_key_is_backed_up_too(tmp_path: Path) -> None:
    SqliteLog(tmp_path / "leadline.db").close()
    _, about = backup(place_in(tmp_path), tmp_path / "kept", NOW, version="1.2.3")
    assert (list(about.files), about.snapshot, about.key_print) == (["leadline.db"], None, None)
    restore(tmp_path / "kept", place_in(tmp_path / "new"))
    assert digests_of(tmp_path / "new" / "leadline.db") == about.tables
