"""Manifests: what a snapshot consists of. A snapshot exists once `current` leads to its manifest.

    current                       {"number": 7, "sha256": ...}: the latest snapshot and the hash of its manifest
    manifests/00000007.json       the files that this snapshot added, and the hash of the manifest before it
    facts/kind=change/month=2026-03/00000007.parquet
    events/type=change.merged/month=2026-03/00000007.parquet
    metrics/00000007.parquet

Files are written once and never changed; whatever bears a number above the current one was left by a writer that died.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from pipeline.events.errors import ConfigError, Corrupt

FORMAT = 1
FACTS, EVENTS, METRICS = "facts", "events", "metrics"
CURRENT = "current"
_MANIFESTS = "manifests"
_REPAIR = "restore the directory from a backup, or move it away and build anew, which forgets what was reported"


class DataFile(msgspec.Struct, frozen=True, kw_only=True):
    """One Parquet file. `path` is relative to the directory; `part` the kind of fact or type of event within `room`.

    `month` is that of its rows, such as 2026-03, or `undated`.
    """

    path: str
    room: str
    part: str
    month: str
    #: Hash of the columns; files of one shape are read together.
    shape: str
    rows: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One snapshot. Instants are UTC; `as_of` None: no event was folded yet.

    `taken_at` is when it was taken and never goes back from one snapshot to the next. `position` is the offset in the
    log and `generation` how often the log was rewritten, `sequence` the commit of the state: facts, events and metrics
    are all as of that one commit. `retracted_events` counts the events that the log has taken back.
    """

    format: int = FORMAT
    number: int
    taken_at: datetime
    as_of: datetime | None
    position: int
    generation: int
    sequence: int
    contract: str | None
    version: str
    previous: int | None
    previous_sha256: str | None
    files: list[DataFile]
    retracted_events: int = 0

    def rows(self, room: str) -> int:
        """Return how many rows of a room this snapshot added."""
        return sum(file.rows for file in self.files if file.room == room)


class Pointer(msgspec.Struct, frozen=True):
    """What `current` says."""

    number: int
    sha256: str


def current(directory: Path) -> tuple[str, Manifest] | None:
    """Return (hash, manifest) of the latest snapshot; None if there is none.

    Raises `Corrupt` when `current` leads to no sound manifest.
    """
    return next(_backwards(directory, None), None)


def chain(directory: Path, known: str | None = None) -> list[tuple[str, Manifest]]:
    """Return (hash, manifest) of the snapshots after the one with the hash `known`, the oldest first.

    None, or a hash that no snapshot has: all of them. Each is held to the hash that its successor has; raises `Corrupt`
    naming the first manifest that is missing or was changed.
    """
    found = list(_backwards(directory, known))
    found.reverse()
    return found


def commit(directory: Path, manifest: Manifest) -> str:
    """Make a snapshot the current one; returns its hash. Its files have to be durable already."""
    raw = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    write_durably(manifest_path(directory, manifest.number), raw)
    pointer = Pointer(manifest.number, hashlib.sha256(raw).hexdigest())
    write_durably(directory / CURRENT, msgspec.json.encode(pointer) + b"\n")
    return pointer.sha256


def manifest_path(directory: Path, number: int) -> Path:
    """Return where the manifest of a snapshot is."""
    return directory / _MANIFESTS / f"{number:08d}.json"


def corrupt(path: Path, what: str) -> Corrupt:
    """Return the error for a damaged file of a snapshot directory."""
    return Corrupt(f"{path}: {what}; {_REPAIR}")


def write_durably(path: Path, content: bytes) -> None:
    """Write a file so that after a crash there is either the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".tmp")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    settle(beside, path)


def settle(beside: Path, path: Path) -> None:
    """Move a finished file to its place, durably."""
    beside.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _backwards(directory: Path, known: str | None) -> Iterator[tuple[str, Manifest]]:
    pointer = _pointer(directory)
    while pointer is not None and pointer.sha256 != known:
        manifest = _load(directory, pointer.number, pointer.sha256)
        yield pointer.sha256, manifest
        if manifest.previous is None or manifest.previous_sha256 is None:
            return
        pointer = Pointer(manifest.previous, manifest.previous_sha256)


def _pointer(directory: Path) -> Pointer | None:
    path = directory / CURRENT
    try:
        return msgspec.json.decode(path.read_bytes(), type=Pointer)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise closed(path) from error
    except (OSError, msgspec.DecodeError) as error:
        raise corrupt(path, f"does not name a snapshot ({error})") from error


def _load(directory: Path, number: int, sha256: str) -> Manifest:
    path = manifest_path(directory, number)
    try:
        raw = path.read_bytes()
    except PermissionError as error:
        raise closed(path) from error
    except OSError as error:
        raise corrupt(path, f"the manifest cannot be read ({error.strerror})") from error
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise corrupt(path, "the manifest is not the one that was written")
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.DecodeError as error:
        raise corrupt(path, f"the manifest cannot be read ({error})") from error
    if manifest.format > FORMAT:
        raise ConfigError(f"{path}: format {manifest.format}, written by Leadline {manifest.version}; update Leadline")
    return manifest


def closed(path: Path) -> ConfigError:
    """Return the error for a file that this user may not read."""
    return ConfigError(f"{path}: may not be read by this user; nothing is wrong with it, grant the permission to read")
