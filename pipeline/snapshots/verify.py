"""Holding a snapshot directory to its manifests."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.events.errors import ConfigError
from pipeline.snapshots.catalogue import is_in_step
from pipeline.snapshots.files import sha256_of
from pipeline.snapshots.manifest import DataFile, chain, closed, corrupt


class Verified(msgspec.Struct, frozen=True):
    """What was found sound. `catalogue` False: the DuckDB file is missing or out of step; the next build makes it."""

    snapshots: int
    files: int
    rows: int
    bytes: int
    catalogue: bool


def verify(directory: Path) -> Verified:
    """Read every manifest and file and compare them with what was written.

    Raises `Corrupt` naming the first file that is missing or was changed, `ConfigError` when there is no snapshot.
    """
    manifests = [manifest for _, manifest in chain(directory)]
    if not manifests:
        raise ConfigError(f"{directory}: there is no snapshot yet; make one with `leadline snapshot build`")
    files = [file for manifest in manifests for file in manifest.files]
    for file in files:
        _check(directory / file.path, file)
    return Verified(
        snapshots=len(manifests),
        files=len(files),
        rows=sum(file.rows for file in files),
        bytes=sum(file.bytes for file in files),
        catalogue=is_in_step(directory),
    )


def _check(path: Path, file: DataFile) -> None:
    try:
        if path.stat().st_size != file.bytes:
            raise corrupt(path, f"the file has {path.stat().st_size} bytes instead of {file.bytes}")
        if sha256_of(path) != file.sha256:
            raise corrupt(path, "the file is not the one that was written")
        rows = pq.read_metadata(path).num_rows
    except FileNotFoundError as error:
        raise corrupt(path, "the file is missing") from error
    except PermissionError as error:
        raise closed(path) from error
    except (OSError, pa.ArrowException) as error:
        raise corrupt(path, f"the file cannot be read ({error})") from error
    if rows != file.rows:
        raise corrupt(path, f"the file has {rows} rows instead of {file.rows}")
