"""Fixtures of the log's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.log.protocol import EventLog
from tests.log.factories import FACTORIES, LogFactory


@pytest.fixture(params=sorted(FACTORIES))
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LogFactory]:
    """The factory of one implementation."""
    yield from FACTORIES[request.param](tmp_path)


@pytest.fixture
def log(logs: LogFactory) -> EventLog:
    """An empty log of one partition."""
    return logs.create()
