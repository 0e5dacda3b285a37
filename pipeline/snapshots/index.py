"""What the latest snapshot says about each fact, so that a new one writes differences without reading the old ones.

The index is derived: it is brought up to date from the files of the snapshots that it does not know yet, and made
anew from all of them when it is lost. It is committed after the snapshot that it describes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.snapshots.manifest import FACTS, DataFile, Manifest, chain, corrupt, current

INDEX = "index.db"
_BATCH = 20_000


class Said(NamedTuple):
    """The last word on a fact. `revision` None: it was retracted. `month`: where it was filed, `snapshot`: by which."""

    revision: str | None
    month: str
    snapshot: int


class Index:
    """Opened under the writer's lock. Changes are kept back until `commit`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        path = directory / INDEX
        try:
            self._db = _opened(path)
        except sqlite3.DatabaseError:
            path.unlink()
            self._db = _opened(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def catch_up(self) -> None:
        """Take in the snapshots that the index does not know. Reads no file of those that it knows."""
        missing = chain(self._directory, self._mark("snapshot"))
        if not missing and current(self._directory) is not None:
            return
        self.begin()
        if not missing or missing[0][1].previous is None:
            self._db.execute("DELETE FROM said")
            self._db.execute("DELETE FROM mark")
        for digest, manifest in missing:
            for file in manifest.files:
                if file.room == FACTS:
                    self._take_in(file, manifest)
            self._set("snapshot", digest)
            self._set("sequence", str(manifest.sequence))
        self._db.execute("COMMIT")

    def begin(self) -> None:
        """Begin to keep changes back."""
        self._db.execute("BEGIN IMMEDIATE")

    def said(self, kind: str, identity: str) -> Said | None:
        """Return the last word on a fact; None: there was none yet."""
        query = "SELECT revision, month, snapshot FROM said WHERE kind = ? AND id = ?"
        row = self._db.execute(query, (kind, identity)).fetchone()
        return None if row is None else Said(*row)

    def standing(self, kind: str) -> Iterator[str]:
        """Yield the ids of the facts that are not retracted."""
        query = "SELECT id FROM said WHERE kind = ? AND revision IS NOT NULL ORDER BY id"
        yield from (identity for (identity,) in self._db.execute(query, (kind,)).fetchall())

    def say(self, kind: str, identity: str, said: Said) -> None:
        """Note the last word on a fact."""
        self._db.execute("INSERT OR REPLACE INTO said VALUES (?, ?, ?, ?, ?)", (kind, identity, *said))

    def commit(self, digest: str | None, sequence: int) -> None:
        """Keep the changes: they are what the snapshot with the hash `digest` says, taken at commit `sequence`."""
        if digest is not None:
            self._set("snapshot", digest)
        self._set("sequence", str(sequence))
        self._db.execute("COMMIT")

    @property
    def sequence(self) -> int:
        """The commit of the state up to which facts were compared (0: none)."""
        return int(self._mark("sequence") or 0)

    def _take_in(self, file: DataFile, manifest: Manifest) -> None:
        path = self._directory / file.path
        try:
            with pq.ParquetFile(path) as parquet:
                for batch in parquet.iter_batches(_BATCH, columns=["id", "revision", "retracted"]):
                    for row in batch.to_pylist():
                        revision = None if row["retracted"] else row["revision"]
                        self.say(file.part, row["id"], Said(revision, file.month, manifest.number))
        except (OSError, pa.ArrowException) as error:
            raise corrupt(path, f"the file cannot be read ({error})") from error

    def _mark(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _set(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO mark VALUES (?, ?)", (name, value))


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS said (kind TEXT, id TEXT, revision TEXT, month TEXT, snapshot INTEGER,"
            " PRIMARY KEY (kind, id)) WITHOUT ROWID"
        )
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection
