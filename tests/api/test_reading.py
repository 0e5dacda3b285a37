"""Reading beside the fold: each answer is from one commit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from pipeline.api.reading import Reader
from pipeline.engine.sqlite_store import SqliteStore
from pipeline.exporter.model import ReadModel
from pipeline.ingest.quarantine import Failure, Quarantine
from pipeline.log.memory import MemoryLog

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[SqliteStore, SqliteStore]]:
    """One store that writes, and one that reads the same file."""
    written = SqliteStore(tmp_path / "state.db")
    read = SqliteStore(tmp_path / "state.db", read_only=True)
    yield written, read
    read.close()
    written.close()


def write(store: SqliteStore, key: str, value: str) -> None:
    store.commit({"thing": [(key, msgspec.msgpack.encode(value))]}, {"cursor": value})


def things(store: SqliteStore) -> list[str]:
    return [msgspec.msgpack.decode(value) for _, value in store.page("thing", "", 10)]


def test_a_block_of_reads_sees_one_commit(stores: tuple[SqliteStore, SqliteStore]) -> None:
    written, read = stores
    write(written, "a", "1")
    with read.snapshot():
        before = (read.mark("cursor"), things(read))
        write(written, "a", "2")
        assert (read.mark("cursor"), things(read)) == before == ("1", ["1"])
    assert (read.mark("cursor"), things(read)) == ("2", ["2"])


def test_a_block_of_reads_outlives_a_table(stores: tuple[SqliteStore, SqliteStore]) -> None:
    written, read = stores
    write(written, "a", "1")
    with read.snapshot():
        assert things(read) == ["1"]
        written.begin({})
        written.publish()
        assert things(read) == ["1"]
    with read.snapshot():
        assert things(read) == []


def test_pages_begin_beyond_a_key(stores: tuple[SqliteStore, SqliteStore]) -> None:
    written, read = stores
    for key in "cab":
        write(written, key, key)
    assert [key for key, _ in read.page("thing", "a", 1)] == ["b"]
    assert [key for key, _ in read.page("thing", "", 10)] == ["a", "b", "c"]
    assert read.page("nothing", "", 10) == []


def test_an_unchanged_model_is_the_same_object(stores: tuple[SqliteStore, SqliteStore]) -> None:
    written, read = stores
    log = MemoryLog()
    reader = Reader(read, Quarantine(log))
    first = reader.latest(None)
    assert first == ReadModel()
    assert reader.latest(first) is first
    Quarantine(log).settle([Failure(delivery=1, connector="c", kind="k", reason="r")], [], NOON)
    quarantined = reader.latest(first)
    assert (quarantined.quarantined, quarantined.position) == ({("c", "r"): 1}, 0)
    write(written, "a", "7")
    assert reader.latest(quarantined).position == 7
