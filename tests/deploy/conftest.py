"""Real Prometheus and Alertmanager for the tests of what is deployed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.deploy import binaries
from tests.deploy.binaries import Alertmanager, Program, Prometheus, find


@pytest.fixture(scope="session")
def promtool() -> Program:
    """`promtool("check", "rules", path)` returns its exit code and what it wrote."""
    return Program(find("promtool"))


@pytest.fixture(scope="session")
def amtool() -> Program:
    """`amtool("check-config", path)` returns its exit code and what it wrote."""
    return Program(find("amtool"))


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Callable[..., Prometheus]]:
    """`prometheus(config, *flags)` runs one until the end of the test, its data below `tmp_path`."""
    numbers = count()
    with ExitStack() as stack:

        def started(config: Path, *flags: str) -> Prometheus:
            data = tmp_path / f"prometheus-{next(numbers)}"
            return stack.enter_context(binaries.prometheus(config, data, *flags))

        yield started


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Callable[..., Alertmanager]]:
    """`alertmanager(config, *flags)` runs one until the end of the test, its data below `tmp_path`."""
    numbers = count()
    with ExitStack() as stack:

        def started(config: Path, *flags: str) -> Alertmanager:
            data = tmp_path / f"alertmanager-{next(numbers)}"
            return stack.enter_context(binaries.alertmanager(config, data, *flags))

        yield started
