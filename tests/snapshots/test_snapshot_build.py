"""A snapshot writes what is different from the one before, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.engine.embedded import Engine
from pipeline.engine.store import MemoryStore
from pipeline.events.errors import ConfigError, Corrupt, Retryable
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import EVENTS, Record, event_record
from pipeline.simulate.organisation import everything
from pipeline.simulate.plan import Plan
from pipeline.snapshots.index import INDEX
from pipeline.snapshots.lock import writing
from pipeline.snapshots.manifest import chain
from tests.simulation.story import committed, deployed, merged, opened, seen, service, ticket_created, ticket_seen
from tests.snapshots.desk import Desk, ask, files_of

FIRST = (service(), committed("a1", "02 10:00", message="Begin"), deployed("03 10:00", "d1", "a1"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "snapshots")


def test_the_first_snapshot_holds_every_fact_and_event(desk: Desk) -> None:
    desk.tell(*everything(Plan(days=20, teams=1)))
    manifest = desk.snap().manifest

    assert (manifest.number, manifest.previous, manifest.version) == (1, None, "1.2.3")
    assert manifest.rows("facts") == len(desk.said())
    assert manifest.rows("events") == manifest.position == desk.log.end(EVENTS)
    assert ask(desk.directory, "SELECT count(*) AS n FROM events WHERE type = 'unreadable'") == [{"n": 0}]
    assert manifest.contract == desk.engine.contract.fingerprint


def test_rows_are_filed_by_kind_and_month(desk: Desk) -> None:
    desk.tell(*FIRST)
    paths = {file.path for file in desk.snap().manifest.files}

    assert "facts/kind=deployment/month=2026-03/00000001.parquet" in paths
    assert "events/type=dev.cdevents.service.deployed.0.3.0/month=2026-03/00000001.parquet" in paths
    assert "metrics/00000001.parquet" in paths


def test_nothing_new_writes_nothing(desk: Desk) -> None:
    desk.tell(*FIRST)
    first = desk.snap()
    before = files_of(desk.directory)
    second = desk.snap()

    assert (first.new, second.new) == (True, False)
    assert second.manifest == first.manifest
    assert files_of(desk.directory) == before


def test_a_rebuild_adds_nothing(desk: Desk) -> None:
    desk.tell(*everything(Plan(days=20, teams=1)))
    desk.snap()
    desk.engine.rebuild()

    assert not desk.snap().new
    assert not desk.snap(full=True).new


def test_the_cost_follows_what_changed(desk: Desk) -> None:
    desk.tell(*everything(Plan(days=20, teams=1)))
    desk.snap()
    before, said = files_of(desk.directory), desk.said()
    desk.tell(ticket_created("30 10:00", "NEW-1"), ticket_seen("30 11:00", "NEW-2"))
    manifest = desk.snap().manifest

    assert len(desk.said().items() ^ said.items()) == 2
    assert (manifest.rows("facts"), manifest.rows("events")) == (2, 2)
    assert {path: stat for path, stat in files_of(desk.directory).items() if path in before} == before


def test_a_build_does_not_read_the_history(desk: Desk) -> None:
    desk.tell(*FIRST)
    for file in desk.snap().manifest.files:
        (desk.directory / file.path).write_bytes(b"not read")
    desk.tell(ticket_created("30 10:00", "NEW-1"))
    with pytest.raises(Corrupt, match="cannot be read"):
        # What fails is the catalogue, which looks at one file of each kind.
        desk.snap()

    assert [manifest.rows("facts") for _, manifest in chain(desk.directory)] == [2, 1]


@pytest.mark.parametrize("loss", ["gone", "damaged", "behind"])
def test_a_lost_index_is_made_anew(desk: Desk, loss: str) -> None:
    desk.tell(*FIRST)
    desk.snap()
    index = desk.directory / INDEX
    old = index.read_bytes()
    desk.tell(ticket_created("30 10:00", "NEW-1"))
    desk.snap()
    if loss == "gone":
        index.unlink()
    else:
        index.write_bytes(b"no database at all" * 100 if loss == "damaged" else old)
    desk.engine.rebuild()

    assert not desk.snap(full=True).new
    desk.tell(ticket_created("30 12:00", "NEW-2"))
    assert desk.snap().manifest.rows("facts") == 1


def test_a_fact_that_ceases_to_be_is_retracted(desk: Desk) -> None:
    desk.tell(*FIRST)
    desk.snap()
    assert ask(desk.directory, "SELECT id, title FROM changes") == [{"id": "acme/shop@a1", "title": "Begin"}]

    desk.tell(opened("01 10:00", 1), seen("01 10:00", 1, title="All", commits=["a1"]), merged("02 12:00", 1, "a1"))
    files = [desk.directory / file.path for file in desk.snap().manifest.files if file.part == "change"]
    rows = {row["id"]: row for file in files for row in pq.read_table(file).to_pylist()}

    assert (rows["acme/shop@a1"]["retracted"], rows["acme/shop@a1"]["replaces"]) == (True, 1)
    assert (rows["acme/shop#1"]["retracted"], rows["acme/shop#1"]["replaces"]) == (False, None)
    assert ask(desk.directory, "SELECT id FROM changes") == [{"id": "acme/shop#1"}]


def test_a_database_made_anew_is_compared_in_full(desk: Desk) -> None:
    desk.tell(*FIRST)
    desk.tell(ticket_created("04 10:00", "OLD-1"))
    desk.snap()
    desk.log, desk.store = MemoryLog(), MemoryStore()
    desk.engine = Engine(desk.log, desk.store)
    desk.tell(*FIRST, ticket_created("30 10:00", "NEW-1"))
    desk.snap(full=True)

    assert ask(desk.directory, "SELECT id FROM tickets") == [{"id": "NEW-1"}]


def test_events_that_the_log_takes_back_disappear(desk: Desk) -> None:
    kept, wrong, right = (ticket_created("04 10:00", name) for name in ("T-1", "T-2", "T-3"))
    derived = [
        Record(source=it.source, id=it.id, key=it.key, time=it.time, value=it.value, origin=1)
        for it in map(event_record, (kept, wrong, right))
    ]
    desk.log.append(EVENTS, derived[:2], desk.now)
    desk.engine.run()
    desk.snap()
    desk.log.append("staged_events", [derived[0], derived[2]], desk.now)
    desk.log.supersede(EVENTS, "staged_events", 1, desk.now)
    desk.engine.rebuild()
    desk.snap()

    assert ask(desk.directory, "SELECT subject FROM events ORDER BY ALL") == [{"subject": "T-1"}, {"subject": "T-3"}]
    assert ask(desk.directory, "SELECT id FROM tickets ORDER BY ALL") == [{"id": "T-1"}, {"id": "T-3"}]
    assert not desk.snap().new


def test_an_event_that_nobody_can_read_is_kept(desk: Desk) -> None:
    desk.log.append(EVENTS, [Record(source="s", id="1", key="k", time=desk.now, value=b"{no json")], desk.now)
    desk.engine.run()
    desk.snap()

    rows = ask(desk.directory, "SELECT type, payload ->> '$' AS payload FROM events")
    assert rows == [{"type": "unreadable", "payload": "{no json"}]


def test_the_clock_may_go_back_but_snapshots_do_not(desk: Desk) -> None:
    desk.tell(*FIRST)
    first = desk.snap().manifest
    desk.now -= timedelta(days=3)
    desk.tell(ticket_created("30 10:00", "NEW-1"))

    assert desk.snap().manifest.taken_at == first.taken_at + timedelta(microseconds=1)


def test_a_fold_that_is_behind_is_not_reported(desk: Desk) -> None:
    desk.tell(*FIRST)
    desk.snap()
    desk.store = MemoryStore()
    with pytest.raises(Retryable, match=r"the fold is at event 0, the last snapshot at 3; run `leadline run --once`"):
        desk.snap()

    assert len(chain(desk.directory)) == 1


def test_only_one_process_writes(desk: Desk) -> None:
    desk.tell(*FIRST)
    with writing(desk.directory), pytest.raises(Retryable, match="another process is writing a snapshot"):
        desk.snap()

    assert desk.snap().new


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    desk = Desk(tmp_path / "file")
    desk.tell(*FIRST)
    with pytest.raises(ConfigError, match="file cannot be written"):
        desk.snap()


def test_a_snapshot_before_the_first_event_is_empty(desk: Desk) -> None:
    assert desk.snap().manifest.files == []
    for view in ("changes", "deployments_history", "events", "metric_points", "restatements", "as_of(now())", "teams"):
        assert ask(desk.directory, f"FROM {view}") == []
