"""Putting a backup into an empty place. Nothing counts before all of it was held to its digests."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from pipeline.events.errors import ConfigError, Corrupt, Retryable
from pipeline.log.copying import differing, digests_of
from pipeline.log.sqlite_file import SCHEMA_VERSION
from pipeline.snapshots.backup import (
    ABOUT,
    DATABASE,
    FORMAT,
    KEY,
    PRIVATE_FILE,
    SNAPSHOTS,
    About,
    BackedUp,
    Place,
    read_streams,
    settled,
)
from pipeline.snapshots.catalogue import write_catalogue
from pipeline.snapshots.lock import writing
from pipeline.snapshots.manifest import CURRENT, settle
from pipeline.snapshots.verify import verify

_CHUNK = 1 << 20
_DAMAGED = "take another backup; this one was not completed or was changed"

#: Opens one file of a backup by its name there.
Opener = Callable[[str], IO[bytes]]


class _Format(msgspec.Struct):
    """What every format of a backup says, so that an old release can tell a new one."""

    format: int
    version: str


@contextmanager
def opened(origin: Path) -> Iterator[tuple[About, Opener]]:
    """Open a backup, directory or tar file. Raises `ConfigError` where there is none that this release can read."""
    if origin.is_dir():
        yield _about(origin, lambda name: (origin / name).open("rb")), lambda name: (origin / name).open("rb")
        return
    try:
        with tarfile.open(origin, "r:") as tar:

            def member(name: str) -> IO[bytes]:
                found = tar.extractfile(name)
                if found is None:
                    raise KeyError(name)
                return found

            yield _about(origin, member), member
    except FileNotFoundError as error:
        raise ConfigError(
            f"{origin}: no such backup; name the file or directory that `leadline backup` wrote"
        ) from error
    except tarfile.TarError as error:
        raise Corrupt(f"{origin}: no backup, or a truncated one ({error}); {_DAMAGED}") from error


def check(origin: Path) -> About:
    """Hold every file of a backup to its hash. Raises `Corrupt` naming the first that is missing or was changed."""
    with opened(origin) as (about, opener):
        for name in about.files:
            _read(origin, name, about.files[name], opener, lambda _: None)
    return about


def restore(origin: Path, place: Place) -> About:
    """Put a backup where settings say that database, snapshots and key are; nothing may be there yet.

    The database is moved to its place last, after everything was verified: a restore that was killed left none, and is
    simply run again. Raises `ConfigError` if the place is not empty, has another key or the backup is of a newer
    release, `Corrupt` if the backup is damaged.
    """
    with opened(origin) as (about, opener):
        _check_place(about, place)
        try:
            place.database.parent.mkdir(parents=True, exist_ok=True)
            with writing(place.snapshots):
                _check_place(about, place)
                _restore(origin, about, opener, place)
        except OSError as error:
            raise Retryable(f"{place.database}: nothing was restored ({error}); see to it and try again") from error
    return about


def _restore(origin: Path, about: About, opener: Opener, place: Place) -> None:
    beside = place.database.with_name(place.database.name + ".restoring")
    try:
        _copy(origin, about, DATABASE, opener, beside)
        _verify_database(origin, about, beside)
        pointer = f"{SNAPSHOTS}/{CURRENT}"
        kept = [name for name in about.files if name.startswith(f"{SNAPSHOTS}/")]
        # What `current` names has to be there before it.
        for name in sorted(kept, key=lambda each: each == pointer):
            _copy(origin, about, name, opener, place.snapshots / name.removeprefix(f"{SNAPSHOTS}/"))
        if kept:
            write_catalogue(place.snapshots)
            verify(place.snapshots)
        if KEY in about.files and place.key is not None:
            _copy(origin, about, KEY, opener, place.key)
        settle(beside, place.database)
    finally:
        for left in (beside, *_companions(beside)):
            left.unlink(missing_ok=True)


def _check_place(about: About, place: Place) -> None:
    for path in (place.database, *_companions(place.database)):
        if path.exists():
            raise ConfigError(f"{path}: exists already; a restore replaces nothing, move it away or set `database`")
    current = place.snapshots / CURRENT
    pointer = about.files.get(f"{SNAPSHOTS}/{CURRENT}")
    if current.exists() and (pointer is None or _sha256(current) != pointer.sha256):
        raise ConfigError(
            f"{place.snapshots}: holds other snapshots; a restore replaces nothing, move it away or set `snapshots`"
        )
    if place.key_print is not None and about.key_print not in (None, place.key_print):
        raise ConfigError(
            "the key of pseudonyms (actor_key, actor_key_file, or the file beside the database) is not the one of the "
            "backup: people would get other pseudonyms; set that one, or move the file away"
        )
    if place.key is None and place.key_print is None and about.key_print is not None and KEY not in about.files:
        raise ConfigError("the backup was made with a key from the settings; set that same actor_key or actor_key_file")


def _verify_database(origin: Path, about: About, database: Path) -> None:
    if different := differing(about.tables, digests_of(database)):
        raise Corrupt(f"{origin}: {DATABASE} differs from what was backed up in {', '.join(different)}; {_DAMAGED}")
    streams, _ = read_streams(database)
    for stream, expected in about.streams.items():
        if streams.get(stream) != expected:
            raise Corrupt(f"{origin}: the stream {stream} has another digest than what was backed up; {_DAMAGED}")


def _about(origin: Path, opener: Opener) -> About:
    try:
        with opener(ABOUT) as file:
            raw = file.read()
        told = msgspec.json.decode(raw, type=_Format)
        if told.format != FORMAT:
            raise ConfigError(
                f"{origin}: a backup of format {told.format}, written by Leadline {told.version}; this release reads "
                f"{FORMAT}: restore it with that release"
            )
        about = msgspec.json.decode(raw, type=About)
    except (KeyError, FileNotFoundError) as error:
        raise ConfigError(f"{origin}: no {ABOUT}, so it is no backup, or one that was not completed") from error
    except msgspec.DecodeError as error:
        raise Corrupt(f"{origin}: {ABOUT} cannot be read ({error}); {_DAMAGED}") from error
    if about.schema != SCHEMA_VERSION:
        raise ConfigError(
            f"{origin}: log schema {about.schema}, written by Leadline {about.version}; this release reads "
            f"{SCHEMA_VERSION}: restore it with that release, export the log, import it here"
        )
    return about


def _copy(origin: Path, about: About, name: str, opener: Opener, target: Path) -> None:
    """Copy a file of the backup, held to its hash, so that `target` is whole or not there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(target.name + ".tmp")
    beside.unlink(missing_ok=True)
    beside.touch(mode=PRIVATE_FILE)
    with beside.open("wb") as out:
        _read(origin, name, about.files[name], opener, out.write)
    settled(beside)
    settle(beside, target)


def _read(origin: Path, name: str, expected: BackedUp, opener: Opener, take: Callable[[bytes], object]) -> None:
    hashed, size = hashlib.sha256(), 0
    try:
        with opener(name) as file:
            while chunk := file.read(_CHUNK):
                hashed.update(chunk)
                size += len(chunk)
                take(chunk)
    except (KeyError, FileNotFoundError) as error:
        raise Corrupt(f"{origin}: {name} is missing; {_DAMAGED}") from error
    if size != expected.bytes:
        raise Corrupt(f"{origin}: {name} has {size} bytes instead of {expected.bytes}; {_DAMAGED}")
    if hashed.hexdigest() != expected.sha256:
        raise Corrupt(f"{origin}: {name} is not what was backed up; {_DAMAGED}")


def _companions(database: Path) -> tuple[Path, Path]:
    return database.with_name(database.name + "-wal"), database.with_name(database.name + "-shm")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
