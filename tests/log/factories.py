"""Every implementation of the log, opened and reopened the same way. A new one joins the suite with one entry here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import EventLog
from pipeline.log.sqlite import SqliteLog


class LogFactory(Protocol):
    """Makes an empty log; `reopen` closes one and opens what it stored (a log in memory: the same object)."""

    durable: bool

    def create(self, partitions: int = 1) -> EventLog: ...

    def reopen(self, log: EventLog) -> EventLog: ...


class SqliteFactory:
    durable = True

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._opened: list[SqliteLog] = []

    def create(self, partitions: int = 1) -> SqliteLog:
        return self._open(self._directory / f"{len(self._opened)}.db", partitions)

    def reopen(self, log: EventLog) -> SqliteLog:
        assert isinstance(log, SqliteLog)
        log.close()
        return self._open(log.path, None)

    def _open(self, path: Path, partitions: int | None) -> SqliteLog:
        self._opened.append(SqliteLog(path, partitions))
        return self._opened[-1]

    def close(self) -> None:
        for log in self._opened:
            log.close()


class MemoryFactory:
    durable = False

    def create(self, partitions: int = 1) -> MemoryLog:
        return MemoryLog(partitions)

    def reopen(self, log: EventLog) -> EventLog:
        return log


def _sqlite(directory: Path) -> Iterator[LogFactory]:
    factory = SqliteFactory(directory)
    yield factory
    factory.close()


def _memory(directory: Path) -> Iterator[LogFactory]:  # noqa: ARG001 - stores nothing
    yield MemoryFactory()


FACTORIES: dict[str, Callable[[Path], Iterator[LogFactory]]] = {"sqlite": _sqlite, "memory": _memory}
