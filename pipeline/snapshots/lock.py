"""One writer at a time in a snapshot directory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pipeline.events.errors import ConfigError, Retryable

LOCK = "lock"


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Hold the directory for writing; made if it is missing.

    SQLite's file lock works on every platform and ends with its process, however that ends. Raises `Retryable` at once
    when another process holds it, `ConfigError` when the directory cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(directory / LOCK, timeout=0, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"snapshots: {directory} cannot be written ({error}); name another directory") from error
    with closing(connection):
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise ConfigError(f"snapshots: {directory / LOCK} cannot be locked ({error})") from error
            raise Retryable(f"{directory}: another process is writing a snapshot; try again when it is done") from error
        yield
