"""One suite for all state stores: what is committed is committed together, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.engine.sqlite_store import SqliteStore
from pipeline.engine.store import MemoryStore, Overtaken, Store
from pipeline.events.errors import Corrupt, Retryable

Opener = Callable[[], Store]


@pytest.fixture(params=["memory", "sqlite"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Return a function that opens the same store again, as a restarted process would."""
    if request.param == "memory":
        kept = MemoryStore()
        return lambda: kept
    return lambda: SqliteStore(tmp_path / "state.db")


def test_committed_rows_and_marks_survive_a_restart(reopen: Opener) -> None:
    reopen().commit({"node": [("a", b"1"), ("b", b"2")]}, {"cursor": "7"})
    store = reopen()
    assert store.load("node", "a") == b"1"
    assert store.load_many("node", ["a", "b", "c"]) == {"a": b"1", "b": b"2"}
    assert store.mark("cursor") == "7"
    assert store.mark("other") is None


def test_an_unknown_table_is_empty(reopen: Opener) -> None:
    store = reopen()
    assert store.load("none", "a") is None
    assert store.load_many("none", ["a"]) == {}
    assert list(store.scan("none")) == []


def test_a_later_commit_replaces_and_deletes(reopen: Opener) -> None:
    store = reopen()
    store.commit({"node": [("a", b"1"), ("b", b"2")]}, {})
    store.commit({"node": [("a", b"3"), ("b", None)]}, {})
    assert list(reopen().scan("node")) == [("a", b"3")]


def test_scan_yields_a_prefix_in_key_order(reopen: Opener) -> None:
    store = reopen()
    store.commit({"cell": [("020|b", b"2"), ("010|a", b"1"), ("020|a", b"3"), ("0200", b"4")]}, {})
    assert list(store.scan("cell", "020|")) == [("020|a", b"3"), ("020|b", b"2")]


def test_facts_are_told_by_the_commit_that_changed_them(reopen: Opener) -> None:
    store = reopen()
    store.commit({"fact_change": [("x", b"1"), ("y", b"1")]}, {})
    first = store.sequence()
    store.commit({"fact_change": [("y", None), ("z", b"2")]}, {})
    assert list(store.facts_since("change", 0)) == [("x", b"1"), ("y", None), ("z", b"2")]
    assert list(store.facts_since("change", first)) == [("y", None), ("z", b"2")]
    assert store.load("fact_change", "y") is None


def test_what_is_begun_is_seen_when_it_is_published(reopen: Opener) -> None:
    store = reopen()
    store.commit({"fact_change": [("x", b"1"), ("y", b"1")], "node": [("n", b"1")]}, {"cursor": "9"})
    before = store.sequence()
    store.begin({"contract": "new"}, after=before)
    assert (store.mark("cursor"), store.mark("contract"), store.load("node", "n")) == (None, "new", None)
    store.commit({"fact_change": [("y", b"2")]}, {"cursor": "9"})
    store.refresh()
    assert (store.mark("contract"), store.load("fact_change", "y")) == (None, b"1")
    store.begin({"contract": "new"})
    assert store.load("fact_change", "y") == b"2"
    store.publish(after=store.sequence())
    published = reopen()
    assert (published.mark("contract"), published.load("fact_change", "y")) == ("new", b"2")
    assert published.load("node", "n") is None
    assert list(published.facts_since("change", before)) == [("x", None), ("y", b"2")]


def test_what_was_begun_with_other_marks_or_afresh_is_dropped(reopen: Opener) -> None:
    store = reopen()
    store.begin({"contract": "new"})
    store.commit({"node": [("a", b"1")]}, {"cursor": "3"})
    store.refresh()
    store.begin({"contract": "newer"})
    assert (store.load("node", "a"), store.mark("cursor")) == (None, None)
    store.commit({"node": [("a", b"2")]}, {})
    store.refresh()
    store.begin({"contract": "newer"}, fresh=True)
    assert store.load("node", "a") is None


def test_publishing_without_a_begin_does_nothing(reopen: Opener) -> None:
    store = reopen()
    store.commit({"node": [("a", b"1")]}, {})
    assert store.publish() == store.sequence() == 1
    assert store.load("node", "a") == b"1"


def test_a_reader_that_was_there_before_finds_the_new_state(tmp_path: Path) -> None:
    writer, reader = SqliteStore(tmp_path / "state.db"), SqliteStore(tmp_path / "state.db")
    writer.commit({"node": [("a", b"1")]}, {})
    with reader.snapshot():
        assert reader.load("node", "a") == b"1"
    writer.begin({})
    writer.commit({"node": [("a", b"2")]}, {})
    with reader.snapshot():
        assert reader.load("node", "a") == b"1"
    writer.publish()
    with pytest.raises(Overtaken):
        reader.load("node", "a")
    with reader.snapshot():
        assert reader.load("node", "a") == b"2"


def test_a_writer_that_was_overtaken_writes_nothing(reopen: Opener) -> None:
    first, second = reopen(), reopen()
    seen = first.sequence()
    first.commit({"node": [("a", b"1")]}, {"cursor": "1"}, after=seen)
    with pytest.raises(Overtaken):
        second.commit({"node": [("a", b"2")]}, {"cursor": "2"}, after=seen)
    with pytest.raises(Overtaken):
        second.begin({}, after=seen)
    second.refresh()
    assert reopen().load("node", "a") == b"1"
    assert reopen().mark("cursor") == "1"


def test_a_failing_commit_leaves_everything_as_it_was(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    store.commit({"node": [("a", b"1")]}, {"cursor": "1"})
    with pytest.raises(Corrupt):
        store.commit({"node": [("a", b"2")], "no such": [("name", b"3")]}, {"cursor": "2"})
    assert store.load("node", "a") == b"1"
    assert store.mark("cursor") == "1"


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"these are not the pages you are looking for" * 100)
    with pytest.raises(Corrupt, match=r"state\.db.*restore"):
        SqliteStore(path)


def test_a_held_file_is_retryable(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    holder, other = SqliteStore(path), SqliteStore(path, timeout=0.01)
    holder._db.execute("BEGIN IMMEDIATE")
    with pytest.raises(Retryable, match="another process"):
        other.commit({"node": [("a", b"1")]}, {})
    holder._db.execute("ROLLBACK")
    other.commit({"node": [("a", b"1")]}, {})
    assert holder.load("node", "a") is None or holder.load("node", "a") == b"1"
