"""A running server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.running import HISTORY, Running, running, settings, tell


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(settings(tmp_path)) as started:
        yield started


@pytest.fixture
def informed(server: Running) -> Running:
    """A server that knows a history."""
    tell(server.wiring.log(), HISTORY)
    server.caught_up()
    return server
