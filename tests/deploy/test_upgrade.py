"""A release that derives something else folds the log anew; readers go on reading what they had until it is whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from pipeline.engine.core import DERIVATION
from pipeline.engine.embedded import Engine
from pipeline.engine.sqlite_store import SqliteStore
from pipeline.events.errors import ConfigError
from pipeline.facts.rows import FACTS
from pipeline.log.copying import digests_of
from pipeline.log.protocol import EVENTS
from pipeline.log.sqlite import SqliteLog
from tests.api.process import served
from tests.api.running import TIMEOUT
from tests.architecture.sources import ROOT

#: Events of a batch and of a commit, so small that readers look often while the log is folded.
BATCH = 100


def facts(store: SqliteStore) -> dict[str, dict[str, bytes]]:
    """Return all facts as stored, read in one snapshot, as the API does."""
    with store.snapshot():
        return {kind: dict(store.scan(f"fact_{kind}")) for kind in FACTS}


@contextmanager
def engine_on(database: Path) -> Iterator[Engine]:
    with closing(SqliteLog(database)) as log, closing(SqliteStore(database)) as store:
        yield Engine(log, store, batch=BATCH, commit_every=BATCH)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with events that nobody has folded."""
    folder = tmp_path_factory.mktemp("simulated")
    subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "simulate", "--days", "10", "--teams", "2"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        timeout=120,
    )
    return folder / "leadline.db"


@pytest.fixture
def old(simulated: Path, tmp_path: Path) -> Path:
    """A database whose state an older release derived: under another number, and without half of the changes."""
    database = tmp_path / "leadline.db"
    database.write_bytes(simulated.read_bytes())
    with engine_on(database) as engine:
        engine.run()
    with closing(SqliteStore(database)) as store:
        changes = sorted(facts(store)["change"])
        assert len(changes) > 4
        gone: list[tuple[str, bytes | None]] = [(key, None) for key in changes[::2]]
        store.commit({"fact_change": gone}, {"derivation": "0"})
    return database


@pytest.fixture
def right(simulated: Path, tmp_path: Path) -> Mapping[str, Mapping[str, bytes]]:
    """The facts that this release derives."""
    database = tmp_path / "fresh.db"
    database.write_bytes(simulated.read_bytes())
    with engine_on(database) as engine:
        engine.run()
    with closing(SqliteStore(database)) as store:
        return facts(store)


def test_readers_see_the_old_state_until_the_new_one_is_whole(
    old: Path, right: Mapping[str, Mapping[str, bytes]]
) -> None:
    with closing(SqliteStore(old, read_only=True)) as reader, engine_on(old) as engine:
        before, seen = facts(reader), []
        report = engine.run(progress=lambda *_: seen.append(facts(reader)))
        after = facts(reader)
        derivation = reader.mark("derivation")
    assert report.restarts == 1
    assert len(seen) > 3
    assert all(each == before for each in seen)
    assert before != right
    assert (after, derivation) == (right, DERIVATION)


_KILLED = """
import os, sys
from pathlib import Path
from tests.deploy.test_upgrade import engine_on

with engine_on(Path(sys.argv[1])) as engine:
    engine.run(progress=lambda reached, end: os.kill(os.getpid(), 9) if reached >= end // 2 else None)
"""


def test_an_upgrade_that_was_killed_is_gone_on_with(old: Path, right: Mapping[str, Mapping[str, bytes]]) -> None:
    with closing(SqliteStore(old, read_only=True)) as reader:
        before = facts(reader)
        ended = subprocess.run([sys.executable, "-c", _KILLED, str(old)], cwd=ROOT, check=False, timeout=TIMEOUT)
        assert ended.returncode == -signal.SIGKILL
        assert facts(reader) == before
        with engine_on(old) as engine, closing(SqliteLog(old)) as log:
            report = engine.run()
            assert 0 < report.events < log.end(EVENTS)
        assert facts(reader) == right


def test_the_log_is_as_it_was(old: Path) -> None:
    logged = {name: each for name, each in digests_of(old).items() if name.startswith("log_")}
    with engine_on(old) as engine:
        engine.run()
    assert {name: each for name, each in digests_of(old).items() if name.startswith("log_")} == logged
    assert logged


def test_a_server_answers_while_it_upgrades_and_is_ready_after(
    old: Path, right: Mapping[str, Mapping[str, bytes]]
) -> None:
    with served(old.parent) as server, httpx.Client(base_url=server.url, trust_env=False, timeout=TIMEOUT) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/api/v1/facts/change").status_code == 200
        next(each for each in iter(lambda: client.get("/readyz"), None) if each.status_code == 200)
        assert client.get("/api/v1/facts/change", params={"limit": 1000}).json()["next"] is None
        shown = {each["id"] for each in client.get("/api/v1/facts/change", params={"limit": 1000}).json()["items"]}
        assert server.end(signal.SIGTERM) == 0
    assert shown == set(right["change"])


def test_a_log_of_a_newer_schema_is_left_alone(old: Path) -> None:
    with closing(SqliteLog(old)) as log, log.transaction() as connection:
        connection.execute("UPDATE log_meta SET value = 99 WHERE name = 'schema'")
    before = old.read_bytes()
    with pytest.raises(ConfigError, match="log schema 99; this release reads 1: upgrade Leadline"):
        SqliteLog(old)
    assert old.read_bytes() == before
