"""What is kept beside the log is looked at now and then, and never at the expense of the numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.api.reading import Reader
from pipeline.api.surroundings import Lookout
from pipeline.engine.sqlite_store import SqliteStore
from pipeline.events.errors import Retryable
from pipeline.exporter.model import SnapshotFigures, Surroundings, TableSize
from pipeline.ingest.quarantine import Quarantine
from pipeline.log.memory import MemoryLog
from tests.api.running import HISTORY
from tests.simulation.story import deployed
from tests.snapshots.desk import START, Desk


class Shelf:
    """Tables of given sizes; each takes a second to measure, by a clock that nothing else moves."""

    def __init__(self, **rows: int) -> None:
        self.rows, self.now, self.measured = rows, 0.0, 0
        self.broken = False

    def tables(self) -> list[str]:
        return sorted(self.rows)

    def size(self, table: str) -> TableSize:
        if self.broken:
            raise Retryable("another process holds the database")
        self.measured += 1
        self.now += 1
        return TableSize(self.rows[table], 0)

    def timer(self) -> float:
        return self.now


def test_measuring_takes_a_hundredth_of_the_time() -> None:
    shelf = Shelf(a=1, b=2, c=3)
    lookout = Lookout(shelf, None, shelf.timer)
    for second in range(1_000):
        shelf.now = max(shelf.now, second)
        lookout.look()
    assert 5 <= shelf.measured <= 10
    assert lookout.found() == Surroundings(tables={"a": TableSize(1, 0), "b": TableSize(2, 0), "c": TableSize(3, 0)})


def test_tables_are_seen_as_soon_as_there_are_any() -> None:
    shelf = Shelf()
    lookout = Lookout(shelf, None, shelf.timer)
    lookout.look()
    shelf.rows["a"] = 1
    lookout.look()
    assert lookout.found().tables == {"a": TableSize(1, 0)}


def test_a_table_that_is_gone_is_told_no_longer() -> None:
    shelf = Shelf(a=1, b=2)
    lookout = Lookout(shelf, None, shelf.timer)
    for now in (0, 200, 400):
        shelf.now = now
        lookout.look()
    del shelf.rows["b"]
    for now in (600, 800):
        shelf.now = now
        lookout.look()
    assert lookout.found().tables == {"a": TableSize(1, 0)}


def test_a_database_that_is_held_is_measured_later() -> None:
    shelf = Shelf(a=1)
    lookout = Lookout(shelf, None, shelf.timer)
    lookout.look()
    shelf.now, shelf.broken = 200, True
    lookout.look()
    assert lookout.found().tables == {"a": TableSize(1, 0)}
    shelf.now, shelf.broken, shelf.rows = 300, False, {"a": 5}
    lookout.look()
    assert lookout.found().tables == {"a": TableSize(5, 0)}


def test_tables_are_measured_as_committed(tmp_path: Path) -> None:
    written = SqliteStore(tmp_path / "state.db")
    read = SqliteStore(tmp_path / "state.db", read_only=True)
    written.commit({"thing": [("kéy", b"12345"), ("b", b"")], "fact_x": [("a", b"1"), ("b", b"2")]}, {})
    written.commit({"fact_x": [("b", None)]}, {})
    reader = Reader(read, Quarantine(MemoryLog()))
    assert {name: reader.size(name) for name in reader.tables()} == {
        "fact_x": TableSize(1, 2),
        "thing": TableSize(2, 10),
    }
    assert reader.size("nothing") == TableSize(0, 0)
    read.close()
    written.close()


def test_the_latest_snapshot_is_told_as_soon_as_it_is_there(tmp_path: Path) -> None:
    desk, folder = Desk(tmp_path / "snapshots"), tmp_path / "snapshots"
    lookout = Lookout(Shelf(), folder)
    lookout.look()
    assert lookout.found() == Surroundings()
    folder.mkdir()
    lookout.look()
    assert lookout.found() == Surroundings(snapshots_readable=True)
    positions = []
    for events in (HISTORY, (deployed("05 09:00", "d2"),)):
        desk.tell(*events)
        desk.snap()
        lookout.look()
        lookout.look()
        found = lookout.found().snapshot
        assert found == SnapshotFigures(desk.now, len(desk.log.read("events")))
        positions.append(found.position)
    assert positions == [len(HISTORY), len(HISTORY) + 1]
    assert desk.now > START


@pytest.mark.parametrize("damage", ["{", '{"number": 7, "sha256": "00"}'])
def test_snapshots_that_cannot_be_read_are_told_until_they_can(tmp_path: Path, damage: str) -> None:
    desk, lookout = Desk(tmp_path), Lookout(Shelf(), tmp_path)
    desk.tell(*HISTORY)
    desk.snap()
    sound = (tmp_path / "current").read_bytes()
    (tmp_path / "current").write_text(damage)
    lookout.look()
    assert lookout.found() == Surroundings(snapshots_readable=False)
    (tmp_path / "current").write_bytes(sound)
    lookout.look()
    assert lookout.found().snapshot == SnapshotFigures(desk.now, len(HISTORY))
