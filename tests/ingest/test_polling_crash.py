"""A process that is killed around an append: a page is durable before its checkpoint, never the other way round."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.ingest.checkpoints import POLLS
from pipeline.log.protocol import DELIVERIES, Appended, Record
from pipeline.log.sqlite import SqliteLog
from tests.architecture.sources import ROOT
from tests.ingest.asking import SCOPES, asking, held, ids
from tests.ingest.sources import Hub, Site, Source, serving

#: Backfills in a process that kills itself at an append.
PROGRAM = """
import sys
from tests.ingest.test_polling_crash import backfill_until_killed

backfill_until_killed(*sys.argv[1:])
"""


class Dying(SqliteLog):
    """Kills its process before or after the append, counted from 1, of records to a stream."""

    def __init__(self, path: str, stream: str, when: str, number: int) -> None:
        super().__init__(path)
        self._dying = (stream, when)
        self._left = number

    def append(self, stream: str, records: Sequence[Record], recorded: datetime | Sequence[datetime]) -> Appended:
        last = False
        if records and stream == self._dying[0]:
            self._left -= 1
            last = self._left == 0
        if last and self._dying[1] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        appended = super().append(stream, records, recorded)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return appended


class _Elsewhere(Source):
    """The address of a source in another process."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    @property
    def url(self) -> str:
        return self._url


def backfill_until_killed(name: str, url: str, path: str, stream: str, when: str, number: str) -> None:
    with asking(name, _Elsewhere(url), Dying(path, stream, when, int(number))) as found:
        found.backfill()


@pytest.mark.parametrize("number", ["1", "3"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("stream", [DELIVERIES, POLLS])
@pytest.mark.parametrize("name", ["github", "jira"])
def test_a_kill_at_any_append_loses_nothing(tmp_path: Path, name: str, stream: str, when: str, number: str) -> None:
    path = str(tmp_path / "log.db")
    with serving(Hub() if name == "github" else Site()) as source:
        killed = subprocess.run(
            [sys.executable, "-c", PROGRAM, name, source.url, path, stream, when, number],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
        log = SqliteLog(path)
        with asking(name, source, log) as found:
            before = found.deliveries()
            assert found.polling.mark(SCOPES[name]) is None
            report = found.backfill()
            after = found.deliveries()
            assert report.error is None
            assert ids(found.told()) == held(source)
        log.close()
    assert after[: len(before)] == before
    assert len({delivery.id for delivery in after}) == len(after) == len(before) + report.new
