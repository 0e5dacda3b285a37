"""A writer that is killed leaves the snapshot before it whole."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.snapshots.manifest import chain
from pipeline.snapshots.verify import verify
from tests.simulation.story import ticket_created
from tests.snapshots.desk import Desk, ask

#: Takes a second snapshot in a process that kills itself before the named step.
PROGRAM = """
import os, signal, sys
from pathlib import Path
from tests.snapshots.test_snapshot_crash import second

second(Path(sys.argv[1]), lambda step: os.kill(os.getpid(), signal.SIGKILL) if step == sys.argv[2] else None)
"""


def first(directory: Path) -> Desk:
    desk = Desk(directory)
    desk.tell(ticket_created("04 10:00", "T-1"))
    desk.snap()
    return desk


def second(directory: Path, step: object) -> None:
    desk = Desk(directory)
    desk.tell(ticket_created("04 10:00", "T-1"))
    desk.tell(ticket_created("05 10:00", "T-2"))
    desk.snap(step=step)


@pytest.mark.parametrize(
    ("step", "committed"),
    [("facts", 1), ("events", 1), ("metrics", 1), ("files", 1), ("manifest", 1), ("index", 2), ("catalogue", 2)],
)
def test_a_kill_at_any_step_leaves_a_whole_snapshot(tmp_path: Path, step: str, committed: int) -> None:
    desk = first(tmp_path)
    killed = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path), step], check=False)
    assert killed.returncode == -signal.SIGKILL

    assert verify(tmp_path).snapshots == committed
    expected = [{"id": "T-1"}, {"id": "T-2"}][:committed]
    assert ask(tmp_path, "SELECT id FROM tickets ORDER BY id") == expected

    desk.tell(ticket_created("05 10:00", "T-2"))
    desk.snap()
    assert [manifest.rows("facts") for _, manifest in chain(tmp_path)] == [1, 1]
    assert ask(tmp_path, "SELECT id, snapshot FROM tickets ORDER BY id") == [
        {"id": "T-1", "snapshot": 1},
        {"id": "T-2", "snapshot": 2},
    ]
    assert verify(tmp_path).catalogue
    named = {tmp_path / file.path for _, manifest in chain(tmp_path) for file in manifest.files}
    assert set(tmp_path.rglob("*.parquet")) == named
    assert list(tmp_path.rglob("*.tmp")) == []
