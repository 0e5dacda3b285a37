"""The SQLite file of the embedded log, which the engine keeps its state in as well.

Opening it, its schema version, its errors in our terms, and the cursors, which can commit together with state.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.events.errors import ConfigError, Corrupt, LeadlineError, Retryable

SCHEMA_VERSION = 1
#: "LEAD": tells our files from other SQLite databases.
APPLICATION_ID = 0x4C454144
PAGE_BYTES = 16_384
_CACHE_KIB = 65_536
_CHECKPOINT_PAGES = 4_000

_SCHEMA = (
    "CREATE TABLE log_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE log_sources (number INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE)",
    "CREATE TABLE log_cursors (name TEXT PRIMARY KEY, offset INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE log_streams (
        name TEXT PRIMARY KEY, records INTEGER NOT NULL, bytes INTEGER NOT NULL, first_time INTEGER, last_time INTEGER,
        last_recorded INTEGER NOT NULL, generation INTEGER NOT NULL) WITHOUT ROWID""",
)

_PLACES = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT})


def explain(error: sqlite3.Error, path: Path) -> LeadlineError | sqlite3.Error:
    """Return the error of ours that says what can be done about `error`; itself if it is a mistake of the caller."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return error
    primary = code & 0xFF
    if primary in _BUSY:
        return Retryable(f"{path}: another process is writing ({error}); try again", after=1.0)
    if primary == sqlite3.SQLITE_FULL:
        return Retryable(f"{path}: no space left ({error}); free some and try again: nothing of this batch was stored")
    if primary in _PLACES:
        return ConfigError(
            f"{path}: cannot be opened for writing ({error}), which reading needs as well; its directory must exist "
            "and be writable, and so must the file: run as the user that owns them, or on a copy"
        )
    if primary in _DAMAGE or code == sqlite3.SQLITE_IOERR_SHORT_READ:
        return Corrupt(
            f"{path}: damaged or not a log ({error}); restore it from a copy, or move it away, rescue what can be read "
            f"with `sqlite3 {path.name} .recover`, and rebuild"
        )
    if primary == sqlite3.SQLITE_IOERR:
        return Retryable(f"{path}: the disk did not read or write ({error}); check it and try again")
    return error


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise SQLite's errors about the file at `path` as `Retryable`, `ConfigError` or `Corrupt`."""
    try:
        yield
    except sqlite3.Error as error:
        meaning = explain(error, path)
        if meaning is error:
            raise
        raise meaning from error


def connect(path: Path, *, busy_seconds: float = 10.0, durable: bool = True) -> sqlite3.Connection:
    """Open one more connection to the file, in autocommit mode and usable from any one thread at a time.

    `durable`: a commit is on disk when it returns. Without, it is atomic but may be lost with the power: for state
    that the log can rebuild. Raises as `explained` does.
    """
    with explained(path):
        connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        except sqlite3.Error:
            connection.close()
            raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Take the file's write lock, then commit all that was done, or nothing if the block raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def prepare(connection: sqlite3.Connection, path: Path, partitions: int | None) -> int:
    """Create the schema in a new file, check it in another, and return the number of partitions.

    Raises `ConfigError` for a database of something else, of another schema version, or with other partitions than
    asked for.
    """
    with explained(path):
        meta = _meta(connection)
        if meta is None:
            with transaction(connection):
                # Another process may have created it while this one waited for the lock.
                meta = _meta(connection) or _create(connection, path, partitions or 1)
    version, stored = meta.get("schema", 0), meta.get("partitions", 1)
    if version != SCHEMA_VERSION:
        fix = "upgrade Leadline" if version > SCHEMA_VERSION else "export with the release that wrote it, import here"
        raise ConfigError(f"{path}: log schema {version}; this release reads {SCHEMA_VERSION}: {fix}")
    if partitions is not None and partitions != stored:
        raise ConfigError(
            f"{path}: the log has {stored} partitions, not {partitions}; the number is fixed when a log is created "
            "(export it and import it into a new file to change it)"
        )
    return stored


def _meta(connection: sqlite3.Connection) -> dict[str, int] | None:
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'log_meta'").fetchone() is None:
        return None
    return dict(connection.execute("SELECT name, value FROM log_meta").fetchall())


def _create(connection: sqlite3.Connection, path: Path, partitions: int) -> dict[str, int]:
    if connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
        raise ConfigError(f"{path}: a SQLite database, but not a Leadline log; give the log a file of its own")
    for statement in _SCHEMA:
        connection.execute(statement)
    meta = {"schema": SCHEMA_VERSION, "partitions": partitions}
    connection.executemany("INSERT INTO log_meta VALUES (?, ?)", meta.items())
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    return meta


def read_cursor(connection: sqlite3.Connection, name: str) -> int:
    """Return the committed offset of a consumer (0: never committed)."""
    row = connection.execute("SELECT offset FROM log_cursors WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def write_cursor(connection: sqlite3.Connection, name: str, offset: int) -> None:
    """Set a consumer's offset as part of the connection's transaction."""
    connection.execute(
        "INSERT INTO log_cursors VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET offset = excluded.offset",
        (name, offset),
    )
