"""What lies behind a number, an initiative or a deployment of a long history: `leadline explain`, process and all."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path

from pipeline.cli.simulate import append
from pipeline.engine.embedded import Engine
from pipeline.engine.sqlite_store import SqliteStore
from pipeline.facts.rows import DeploymentFact
from pipeline.log.sqlite import SqliteLog
from pipeline.simulate.declarations import contract_events
from pipeline.simulate.organisation import entries, organisation
from pipeline.simulate.plan import Plan
from pipeline.snapshots.build import build
from tests.benchmarks.report import Line

_GOAL_SECONDS = 2.0
_TRIES = 3


def run(events: int) -> Iterator[Line]:
    """Yield a line for each kind of subject: the seconds of the fastest of some tries in a history of `events`."""
    plan = Plan(seed=1, days=max(90, events // 1_500), teams=20, events=int(events * 1.1))
    with tempfile.TemporaryDirectory(prefix="leadline-bench-") as name:
        folder = Path(name)
        log, store = SqliteLog(folder / "leadline.db"), SqliteStore(folder / "leadline.db")
        append(log, islice(entries(chain(contract_events(plan), organisation(plan))), events))
        engine = Engine(log, store)
        engine.run()
        as_of = engine.as_of()
        assert as_of is not None
        build(store, log, folder / "snapshots", as_of, version=version("leadline"))
        deployments = engine.state.table("fact_deployment", DeploymentFact).items()
        key, deployment = next((key, fact) for key, fact in deployments if fact.initiatives and fact.changes)
        store.close()
        log.close()
        for kind, subject in (
            ("metric", "change_lead_time"),
            ("initiative", deployment.initiatives[0]),
            ("deployment", key),
        ):
            took = min(_seconds(folder, subject) for _ in range(_TRIES))
            yield Line(f"explain_{kind}", took, "s", _GOAL_SECONDS, at_most=True, note=f"in {events:,} events")


def _seconds(folder: Path, subject: str) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-m", "pipeline.cli", "explain", subject, "--output", "json"]
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=False)
    took = time.perf_counter() - started
    if done.returncode or (b'"members"' not in done.stdout and b'"initiative' not in done.stdout):
        raise AssertionError(f"explain {subject}: exit {done.returncode}: {done.stderr.decode()}")
    return took
