"""`leadline serve` as a process that is ended, politely and otherwise."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.log.protocol import DELIVERIES
from pipeline.log.sqlite import SqliteLog
from tests.api.running import SECRET, TIMEOUT, signed
from tests.architecture.sources import ROOT

SENDERS = 4
ENOUGH = 60


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
    with ExitStack() as stack:
        found = Served(folder, *options)
        stack.enter_context(found.process)
        stack.callback(found.process.kill)
        yield found


class Load:
    """Senders that post one delivery after the other until the server is gone; they remember what was acknowledged."""

    def __init__(self, url: str) -> None:
        self.acknowledged: set[str] = set()
        self._enough = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send, args=(url, name)) for name in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def _send(self, url: str, name: int) -> None:
        with httpx.Client(base_url=url, timeout=TIMEOUT, trust_env=False) as client:
            for number in range(100_000):
                identity = f"{name}-{number}"
                body = json.dumps({"zen": f"body of {identity}"}).encode()
                try:
                    response = client.post("/hooks/github", content=body, headers=signed(body, identity, "ping"))
                except httpx.TransportError:
                    return
                if response.status_code != 202:
                    return
                with self._lock:
                    self.acknowledged.add(response.json()["delivery"])
                    if len(self.acknowledged) >= ENOUGH:
                        self._enough.set()

    def wait(self) -> None:
        """Wait until there are enough to lose."""
        assert self._enough.wait(TIMEOUT)

    def join(self) -> None:
        """Wait until every sender has noticed that the server is gone."""
        for thread in self._threads:
            thread.join(TIMEOUT)


def stored(folder: Path) -> set[str]:
    log = SqliteLog(folder / "leadline.db")
    try:
        return {each.id for batch in log.iterate(DELIVERIES) for each in batch}
    finally:
        log.close()


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0)])
def test_what_was_acknowledged_is_there_after_the_end(tmp_path: Path, how: signal.Signals, code: int) -> None:
    with served(tmp_path) as server:
        load = Load(server.url)
        load.wait()
        ended = server.end(how)
        load.join()
    assert ended == code
    assert len(load.acknowledged) >= ENOUGH
    assert load.acknowledged - stored(tmp_path) == set()


def test_after_a_crash_it_goes_on_where_it_was(tmp_path: Path) -> None:
    for how in (signal.SIGKILL, signal.SIGTERM):
        with served(tmp_path) as server:
            load = Load(server.url)
            load.wait()
            server.end(how)
            load.join()
    with served(tmp_path) as server, httpx.Client(base_url=server.url, trust_env=False, timeout=TIMEOUT) as client:
        wanted = len(stored(tmp_path))
        found = next(each for each in iter(lambda: client.get("/readyz"), None) if each.status_code == 200)
    assert (found.json()["untranslated"], wanted >= ENOUGH) == (0, True)


def test_the_log_tells_neither_bodies_nor_secrets(tmp_path: Path) -> None:
    with served(tmp_path, "--access-log", "--metrics-port", "0") as server:
        body = b'{"zen": "private"}'
        httpx.post(server.url + "/hooks/github", content=body, headers=signed(body), trust_env=False)
        httpx.post(server.url + "/hooks/github", content=body, headers=signed(body, secret=b"x"), trust_env=False)
        (metrics,) = [line["url"] for line in server.lines if line["event"] == "serving metrics"]
        assert "leadline_build_info" in httpx.get(metrics + "/metrics", trust_env=False).text
        assert server.end(signal.SIGTERM) == 0
    told = json.dumps(server.lines)
    assert "/hooks/github" in told
    assert "private" not in told
    assert SECRET.decode() not in told
    assert "sha256=" not in told


def test_a_port_that_is_taken_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-c", "from pipeline.cli import main; main()", "serve", "--port", port],
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    assert (ended.returncode, "Traceback" in ended.stderr) == (3, False)
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr


def test_it_serves_readers_only_when_told_so(tmp_path: Path) -> None:
    with served(tmp_path, "--no-follow") as server:
        body = b"{}"
        sent: Sequence[httpx.Response] = [
            httpx.post(server.url + "/hooks/github", content=body, headers=signed(body), trust_env=False)
        ]
        ready = next(
            each
            for each in iter(lambda: httpx.get(server.url + "/readyz", trust_env=False), None)
            if each.status_code == 200
        )
    assert ([each.status_code for each in sent], ready.json()["untranslated"]) == ([202], 1)
