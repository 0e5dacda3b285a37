"""The logs that ingest is tested on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import EventLog
from pipeline.log.sqlite import SqliteLog


@pytest.fixture(params=["sqlite", "memory"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventLog]:
    opened: EventLog = SqliteLog(tmp_path / "log.db") if request.param == "sqlite" else MemoryLog()
    yield opened
    opened.close()
