"""Writing the Parquet files of one snapshot: a file for each room, part and month that got rows."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.events.times import from_us
from pipeline.snapshots.manifest import EVENTS, FACTS, METRICS, DataFile, settle

#: Rows that wait in memory, of all files together.
BUFFERED_ROWS = 50_000
UNDATED = "undated"
_FOLDER = {FACTS: "kind", EVENTS: "type"}
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_CHUNK = 1 << 20

#: (room, part, month)
Place = tuple[str, str, str]


def month_of(at_us: int | None) -> str:
    """Return the month, such as `2026-03`, under which a row is filed."""
    return UNDATED if at_us is None else f"{from_us(at_us):%Y-%m}"


def sha256_of(path: Path) -> str:
    """Return the hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class FileWriter:
    """Takes rows in any order and writes them beside their final places; `finish` moves them there.

    A writer that dies before `finish` leaves `.tmp` files, and one that dies during it files that no
    manifest names; `sweep` removes both.
    """

    def __init__(self, directory: Path, number: int) -> None:
        self._directory = directory
        self._name = f"{number:08d}.parquet"
        self._waiting: dict[Place, list[Mapping[str, Any]]] = defaultdict(list)
        self._count = 0
        self._schemas: dict[Place, pa.Schema] = {}
        self._writers: dict[Place, pq.ParquetWriter] = {}
        self._rows: dict[Place, int] = defaultdict(int)

    @property
    def rows(self) -> int:
        """How many rows were added."""
        return sum(self._rows.values())

    def add(self, place: Place, schema: pa.Schema, row: Mapping[str, Any]) -> None:
        """Take in a row; `schema` must be the same for all rows of a place."""
        self._schemas[place] = schema
        self._waiting[place].append(row)
        self._rows[place] += 1
        self._count += 1
        if self._count >= BUFFERED_ROWS:
            self._relieve()

    def finish(self) -> list[DataFile]:
        """Write what waits, make all files durable and put them in their places."""
        return [self._finished(place) for place in sorted(self._rows)]

    def abandon(self) -> None:
        """Remove what was written."""
        for place, writer in self._writers.items():
            writer.close()
            self._beside(place).unlink(missing_ok=True)

    def _relieve(self) -> None:
        """Write out the fullest files, so that many small ones neither stay open nor are cut into small pieces."""
        for place in sorted(self._waiting, key=lambda each: len(self._waiting[each]), reverse=True):
            if self._count <= BUFFERED_ROWS // 2:
                break
            self._flush(place)

    def _flush(self, place: Place) -> None:
        rows = self._waiting.pop(place, [])
        self._count -= len(rows)
        schema = self._schemas[place]
        writer = self._writers.get(place)
        if writer is None:
            beside = self._beside(place)
            beside.parent.mkdir(parents=True, exist_ok=True)
            writer = self._writers[place] = pq.ParquetWriter(beside, schema, compression="zstd")
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))

    def _finished(self, place: Place) -> DataFile:
        self._flush(place)
        self._writers.pop(place).close()
        beside, path = self._beside(place), self._path(place)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        settle(beside, path)
        room, part, month = place
        return DataFile(
            path=path.relative_to(self._directory).as_posix(),
            room=room,
            part=part,
            month=month,
            shape=hashlib.sha256(str(self._schemas[place]).encode()).hexdigest()[:16],
            rows=self._rows[place],
            bytes=path.stat().st_size,
            sha256=sha256_of(path),
        )

    def _path(self, place: Place) -> Path:
        room, part, month = place
        if room == METRICS:
            return self._directory / room / self._name
        folder = part if _SAFE.fullmatch(part) else "other"
        return self._directory / room / f"{_FOLDER[room]}={folder}" / f"month={month}" / self._name

    def _beside(self, place: Place) -> Path:
        path = self._path(place)
        return path.with_name(path.name + ".tmp")


def sweep(directory: Path, number: int) -> int:
    """Remove what writers that died left behind: files beside their place, and those of a snapshot above `number`."""
    left = [path for path in _written(directory) if path.suffix == ".tmp" or int(path.stem) > number]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def _written(directory: Path) -> Iterator[Path]:
    for pattern in ("manifests/*.json", "metrics/*.parquet", "facts/*/*/*.parquet", "events/*/*/*.parquet"):
        yield from (path for path in directory.glob(pattern) if path.stem.isdecimal())
        yield from directory.glob(pattern + ".tmp")
    yield from directory.glob("*.tmp")
