"""A backup: database, snapshots and the key of pseudonyms, as one directory or one tar file.

    leadline.db                  a copy as of one commit
    leadline.actor-key           if Leadline made the key itself; a key from the settings is kept by whoever set it
    snapshots/current, ...       what the latest snapshot consists of
    backup.json                  what all this is, with a hash of every file; written last

A directory without `backup.json` was left by a backup that was killed; it is none, and the next one begins it anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from pipeline.events.errors import ConfigError, Retryable
from pipeline.log.copying import PagesDone, TableDigest, copy_database
from pipeline.log.protocol import DELIVERIES, EVENTS
from pipeline.log.sqlite import SqliteLog
from pipeline.log.sqlite_file import SCHEMA_VERSION
from pipeline.log.transfer import Digest, digest
from pipeline.log.verify import unreadable
from pipeline.snapshots.files import sha256_of
from pipeline.snapshots.lock import LOCK, writing
from pipeline.snapshots.manifest import CURRENT, Pointer, chain, manifest_path, write_durably

FORMAT = 1
ABOUT, DATABASE, KEY, SNAPSHOTS = "backup.json", "leadline.db", "leadline.actor-key", "snapshots"
TAR = ".tar"
STREAMS = (DELIVERIES, EVENTS)
PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700
_KEY_SALT = b"leadline actor key"


class Place(msgspec.Struct, frozen=True):
    """Where a Leadline keeps what is backed up. `key` None: the key comes from the settings, as `key_print` knows it.

    `key_print` None: there is no key yet.
    """

    database: Path
    snapshots: Path
    key: Path | None
    key_print: str | None


class BackedUp(msgspec.Struct, frozen=True):
    """One file of a backup."""

    bytes: int
    sha256: str


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. `taken_at` is UTC; `version` of Leadline and `schema` of the log wrote it.

    `streams` are the digests that `leadline log verify` prints, `unreadable` how many of their records this release
    cannot read, which are kept as they are; `tables` the digests of all tables, of log and state.
    `snapshot` is the number of the latest one, None: there was none. `key_print` recognises the key of pseudonyms.
    """

    format: int = FORMAT
    version: str
    schema: int
    taken_at: datetime
    streams: dict[str, Digest]
    unreadable: int
    tables: dict[str, TableDigest]
    snapshot: int | None
    key_print: str | None
    files: dict[str, BackedUp]


def key_print(key: bytes) -> str:
    """Return what tells two keys apart without giving them away: costly to guess even for a short one."""
    return hashlib.scrypt(key, salt=_KEY_SALT, n=2**14, r=8, p=1, dklen=16).hex()


def backup(
    place: Place, target: Path, now: datetime, *, version: str, progress: PagesDone | None = None
) -> tuple[Path, About]:
    """Copy everything to `target`, a directory, or one file if its name ends with `.tar`; nobody has to stop writing.

    The copy is read back and compared before it counts. Returns where it is and what it holds. Raises `ConfigError` if
    something is there already, `Corrupt` if what is to be backed up is damaged, `Retryable` if writing fails.
    """
    as_file = target.suffix == TAR
    folder = target.with_name(target.name + ".partial") if as_file else target
    try:
        with _working(folder, target):
            about = _fill(place, folder, now, version, progress)
            if as_file:
                _pack(folder, about).replace(target)
            else:
                write_durably(folder / ABOUT, _encoded(about))
    except FileNotFoundError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}; the directory of a backup must exist") from error
    except OSError as error:
        raise Retryable(
            f"{target}: no backup was made ({error}); free space or check the disk, and try again"
        ) from error
    if as_file:
        shutil.rmtree(folder)
    else:
        (folder / LOCK).unlink(missing_ok=True)
    return target, about


def state_tables(tables: Mapping[str, TableDigest]) -> list[str]:
    """Return the names of those tables that hold derived state, with its cursor."""
    return [name for name in tables if name.startswith("state") or name == "engine_mark"]


@contextmanager
def _working(folder: Path, target: Path) -> Iterator[None]:
    """Hold a directory that nobody else can read, empty at first, and again if the block fails."""
    if not folder.parent.is_dir():
        raise ConfigError(f"{folder.parent}: no such directory; make it, or name another place for the backup")
    _check_free(folder, target)
    folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
    with writing(folder):
        _check_free(folder, target)
        _empty(folder)
        try:
            yield
        except BaseException:
            _empty(folder)
            raise


def _check_free(folder: Path, target: Path) -> None:
    """Refuse to write over anything but what a killed backup left."""
    held = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if (folder != target and target.exists()) or (folder.exists() and not folder.is_dir()):
        raise ConfigError(f"{target}: exists already; a backup replaces nothing, name another file")
    if folder == target and ABOUT in held:
        raise ConfigError(f"{target}: holds a backup already; a backup replaces nothing, name another directory")
    if held and LOCK not in held:
        raise ConfigError(f"{target}: holds {min(held)}, which is no part of a backup; name an empty or new directory")


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif not path.name.startswith(LOCK):
            path.unlink()


def _fill(place: Place, folder: Path, now: datetime, version: str, progress: PagesDone | None) -> About:
    # Snapshots first: a snapshot that is ahead of its database could not be continued.
    snapshot = copy_snapshots(place.snapshots, folder / SNAPSHOTS)
    if place.key is not None and place.key.exists():
        copy_private(place.key, folder / KEY)
    database = folder / DATABASE
    database.touch(mode=PRIVATE_FILE)
    tables = copy_database(place.database, database, progress)
    streams, bad = read_streams(database)
    return About(
        version=version,
        schema=SCHEMA_VERSION,
        taken_at=now,
        streams=streams,
        unreadable=bad,
        tables=tables,
        snapshot=snapshot,
        key_print=place.key_print,
        files={
            path.relative_to(folder).as_posix(): BackedUp(settled(path), sha256_of(path))
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(LOCK)
        },
    )


def read_streams(database: Path) -> tuple[dict[str, Digest], int]:
    """Return the digests of the streams and how many of their records this release cannot read.

    Raises `Corrupt` if the file is damaged.
    """
    with closing(SqliteLog(database)) as log:
        log.check()
        bad = sum(1 for stream in STREAMS for _ in unreadable(log, stream))
        return {stream: digest(log, stream) for stream in STREAMS}, bad


def copy_snapshots(source: Path, target: Path) -> int | None:
    """Copy what the latest snapshot consists of, and return its number; None: there is none.

    Written files never change, so nobody has to wait; `current` is last, so that a copy counts when it is whole.
    """
    snapshots = chain(source)
    for _, manifest in snapshots:
        for path in (manifest_path(source, manifest.number), *(source / file.path for file in manifest.files)):
            copy_private(path, target / path.relative_to(source))
    if not snapshots:
        return None
    sha256, latest = snapshots[-1]
    write_durably(target / CURRENT, msgspec.json.encode(Pointer(latest.number, sha256)) + b"\n")
    return latest.number


def copy_private(source: Path, target: Path) -> None:
    """Copy a file so that only its owner can read it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=PRIVATE_FILE)
    shutil.copyfile(source, target)


def settled(path: Path) -> int:
    """Make a file durable; returns its size."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    return path.stat().st_size


def _pack(folder: Path, about: About) -> Path:
    write_durably(folder / ABOUT, _encoded(about))
    packed = folder / ("packed" + TAR)
    packed.touch(mode=PRIVATE_FILE)
    with tarfile.open(packed, "w") as tar:
        for name in (ABOUT, *about.files):
            tar.add(folder / name, arcname=name)
    settled(packed)
    return packed


def _encoded(about: About) -> bytes:
    return msgspec.json.format(msgspec.json.encode(about), indent=1) + b"\n"
