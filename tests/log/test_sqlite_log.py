"""What only the log in a file can show: durability, other processes, damage, and files of something else."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.events.errors import ConfigError, Corrupt, Retryable
from pipeline.log.protocol import EVENTS, Appended
from pipeline.log.sqlite import SqliteLog
from pipeline.log.sqlite_file import SCHEMA_VERSION, read_cursor, transaction, write_cursor
from tests.log.records import NOON, ids, record

APPENDER = """
import sys
from datetime import UTC, datetime
from pipeline.log.protocol import EVENTS, Record
from pipeline.log.sqlite import SqliteLog

log, now = SqliteLog(sys.argv[1]), datetime(2026, 3, 4, tzinfo=UTC)
for number in range(100_000):
    names = [f"{number}-{part}" for part in range(5)]
    log.append(EVENTS, [Record(source="s", id=name, key="k", time=now, value=bytes(900)) for name in names], now)
    print(number, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def log(path: Path) -> Iterator[SqliteLog]:
    opened = SqliteLog(path, busy_seconds=0.05)
    yield opened
    opened.close()


def test_what_was_acknowledged_survives_kill_9(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", APPENDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(50)]
    process.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in process.stdout.read().splitlines()]
    process.wait()
    process.stdout.close()

    log = SqliteLog(path)
    stored = [each for batch in log.iterate(EVENTS) for each in batch]
    log.check()
    log.close()
    expected = [f"{number}-{part}" for number in acknowledged for part in range(5)]
    assert len(acknowledged) >= 50
    assert ids(stored)[: len(expected)] == expected
    assert len(stored) % 5 == 0, "a batch was taken in part"


def test_two_objects_write_the_same_file_and_number_sources_alike(path: Path, log: SqliteLog) -> None:
    other = SqliteLog(path)
    assert log.append(EVENTS, [record("a", "one"), record("b", "two")], NOON) == Appended(2, 0)
    assert other.append(EVENTS, [record("b", "two"), record("c", "three")], NOON) == Appended(1, 1)
    assert log.append(EVENTS, [record("c", "three"), record("d", "one")], NOON) == Appended(1, 1)
    other.close()
    assert [(each.source, each.id) for each in log.read(EVENTS)] == [
        ("one", "a"),
        ("two", "b"),
        ("three", "c"),
        ("one", "d"),
    ]


def test_threads_may_share_one_object(log: SqliteLog) -> None:
    patient = SqliteLog(log.path)
    seen: list[int] = []

    def write(name: str) -> None:
        for number in range(20):
            patient.append(EVENTS, [record(f"{name}{number}"), record(f"shared{number}")], NOON)

    def watch() -> None:
        while patient.stat(EVENTS).records < 80:
            seen.append(len(patient.read(EVENTS)))

    threads = [threading.Thread(target=write, args=(name,)) for name in "xyz"] + [threading.Thread(target=watch)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert patient.stat(EVENTS).records == 80
    assert seen == sorted(seen)
    patient.check()
    patient.close()


def test_state_and_cursor_commit_together_on_a_connection_of_ones_own(log: SqliteLog) -> None:
    own = log.connect(durable=False)
    own.execute("CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB)")
    with pytest.raises(sqlite3.IntegrityError), transaction(own):
        own.executemany("INSERT INTO state VALUES (?, 'v')", [("k",), ("k",)])
    assert (own.execute("SELECT count(*) FROM state").fetchone(), log.cursor("engine")) == ((0,), 0)
    with transaction(own):
        own.execute("INSERT INTO state VALUES ('k', 'v')")
        write_cursor(own, "engine", 7)
    assert (read_cursor(own, "engine"), log.cursor("engine")) == (7, 7)
    own.close()


def test_readers_do_not_wait_for_a_writer_and_another_writer_is_told_to_try_again(log: SqliteLog) -> None:
    log.append(EVENTS, [record("a")], NOON)
    other = log.connect()
    with transaction(other):
        assert ids(log.read(EVENTS)) == ["a"]
        with pytest.raises(Retryable, match="another process is writing") as caught:
            log.append(EVENTS, [record("b")], NOON)
    assert caught.value.after == 1.0
    assert log.append(EVENTS, [record("b")], NOON) == Appended(1, 0)
    other.close()


def test_a_full_disk_stores_nothing_of_the_batch_and_the_log_goes_on(log: SqliteLog) -> None:
    log.append(EVENTS, [record("a")], NOON)
    pages = log._writer.execute("PRAGMA page_count").fetchone()[0]
    log._writer.execute(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(Retryable, match="no space left"):
        log.append(EVENTS, [record("b"), record("c", "new source", value=bytes(1_000_000))], NOON)
    assert ids(log.read(EVENTS)) == ["a"]
    log._writer.execute("PRAGMA max_page_count = 1000000")
    assert log.append(EVENTS, [record("b"), record("c", "new source")], NOON) == Appended(2, 0)
    assert [each.source for each in log.read(EVENTS)] == ["acme", "acme", "new source"]
    log.check()


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"this is a text, and a rather long one, so that it could be a header of something " * 3)
    with pytest.raises(Corrupt, match=r"log\.db: damaged or not a log .*restore it"):
        SqliteLog(path)


def test_a_database_of_something_else(path: Path) -> None:
    with sqlite3.connect(path) as foreign:
        foreign.execute("CREATE TABLE notes (text TEXT)")
    foreign.close()
    with pytest.raises(ConfigError, match="not a Leadline log"):
        SqliteLog(path)


@pytest.mark.parametrize(("version", "fix"), [(SCHEMA_VERSION + 1, "upgrade Leadline"), (SCHEMA_VERSION - 1, "export")])
def test_another_schema_version(path: Path, log: SqliteLog, version: int, fix: str) -> None:
    log._writer.execute("UPDATE log_meta SET value = ? WHERE name = 'schema'", (version,))
    with pytest.raises(ConfigError, match=f"schema {version}; this release reads {SCHEMA_VERSION}: {fix}"):
        SqliteLog(path)


def test_another_number_of_partitions(path: Path, log: SqliteLog) -> None:
    assert log.partitions == 1
    with pytest.raises(ConfigError, match="has 1 partitions, not 4"):
        SqliteLog(path, partitions=4)
    with pytest.raises(ValueError, match="at least 1"):
        SqliteLog(path, partitions=0)


def test_a_directory_that_does_not_exist_or_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "absent" / "log.db", tmp_path / "file" / "log.db", tmp_path):
        with pytest.raises(ConfigError, match="which reading needs as well; its directory must exist and be writable"):
            SqliteLog(place)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_directory_that_is_read_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="writable"):
        SqliteLog(tmp_path / "log.db")


def filled(path: Path) -> None:
    log = SqliteLog(path)
    log.append(EVENTS, [record(str(number), value=bytes(900)) for number in range(2_000)], NOON)
    log.close()


def test_a_truncated_file_is_reported_wherever_it_is_noticed(path: Path) -> None:
    filled(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(Corrupt, match=r"log\.db"):
        read_and_check(path)


def test_flipped_bytes_are_found_by_the_check(path: Path) -> None:
    filled(path)
    with path.open("r+b") as file:
        file.seek(20 * 16_384)
        file.write(b"\xff" * 16_384)
    with pytest.raises(Corrupt, match=r"log\.db"):
        read_and_check(path)


def test_records_that_vanished_behind_our_back_are_found_by_the_check(log: SqliteLog) -> None:
    log.append(EVENTS, [record("a"), record("b")], NOON)
    log.check()
    log._writer.execute("DELETE FROM stream_events WHERE offset = 2")
    with pytest.raises(Corrupt, match="holds 1 records of 1 bytes; its figures say 2 of 2"):
        log.check()


def test_a_table_that_is_gone_is_damage(log: SqliteLog) -> None:
    log.append(EVENTS, [record("a")], NOON)
    log._writer.execute("DROP TABLE stream_events")
    with pytest.raises(Corrupt, match="no such table"):
        log.read(EVENTS)


def read_and_check(path: Path) -> None:
    log = SqliteLog(path)
    try:
        for _ in log.iterate(EVENTS):
            pass
        log.check()
    finally:
        log.close()


def test_closing_twice_is_harmless_and_leaves_one_file(path: Path) -> None:
    log = SqliteLog(path)
    log.append(EVENTS, [record("a")], NOON)
    log.close()
    log.close()
    assert [each.name for each in path.parent.iterdir()] == ["log.db"]
