"""`leadline serve` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.log.protocol import DELIVERIES
from pipeline.log.sqlite import SqliteLog
from tests.api.running import SECRET, TIMEOUT
from tests.architecture.sources import ROOT


class Served:
    """A server process: `url` once it listens, `lines` of its log so far, and how it ended."""

    def __init__(self, folder: Path, *options: str) -> None:
        environment = {
            **os.environ,
            "LEADLINE_DATABASE": str(folder / "leadline.db"),
            "LEADLINE_CONNECTORS__GITHUB__SECRETS": json.dumps([SECRET.decode()]),
            "PYTHONPATH": str(ROOT),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from pipeline.cli import main; main()", "serve", "--port", "0", *options],
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment,
            text=True,
        )
        self.lines: list[dict[str, Any]] = []
        self.url = str(self.line("serving")["url"])

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def line(self, event: str) -> dict[str, Any]:
        """Read the log up to a line."""
        assert self.process.stderr is not None
        for text in self.process.stderr:
            self.lines.append(json.loads(text))
            if self.lines[-1]["event"] == event:
                return self.lines[-1]
        raise AssertionError(f"the server ended without {event!r}: {self.lines}")

    def end(self, how: signal.Signals) -> int:
        """Send a signal, read the rest of the log, and return the exit code."""
        self.process.send_signal(how)
        _, rest = self.process.communicate(timeout=TIMEOUT)
        self.lines += [json.loads(text) for text in rest.splitlines()]
        return self.process.returncode


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Served]:
    """Run a server over the database in a folder; one that still runs at the end of the block is killed."""
    with ExitStack() as stack:
        found = Served(folder, *options)
        stack.enter_context(found.process)
        stack.callback(found.process.kill)
        yield found


def stored(folder: Path) -> set[str]:
    """Return the ids of the deliveries in the database of a folder."""
    log = SqliteLog(folder / "leadline.db")
    try:
        return {each.id for batch in log.iterate(DELIVERIES) for each in batch}
    finally:
        log.close()
