"""`leadline serve` as a process that is ended, politely and otherwise."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.api.process import Served, served, stored
from tests.api.running import SECRET, TIMEOUT, signed
from tests.architecture.sources import ROOT
from tests.benchmarks.load import Pushes, press

#: Connections that send all the while, and answers after which the server is ended, in the midst of what follows.
CONNECTIONS, ENOUGH = 32, 1_500


def acknowledged_until(server: Served, how: signal.Signals, enough: int, pushes: Pushes) -> set[str]:
    """Press until so much is acknowledged, then end the server under load; return what was acknowledged all in all."""
    told: set[str] = set()

    def hear(status: int, body: bytes) -> None:
        if status == 202:
            told.add(json.loads(body)["delivery"])
            if len(told) == enough:
                server.process.send_signal(how)

    async def pressed() -> None:
        async with asyncio.timeout(TIMEOUT):
            await press(server.address, pushes, hear, connections=CONNECTIONS, going=lambda: True)

    asyncio.run(pressed())
    return told


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0)])
def test_what_was_acknowledged_is_there_after_the_end(tmp_path: Path, how: signal.Signals, code: int) -> None:
    with served(tmp_path) as server:
        told = acknowledged_until(server, how, ENOUGH, Pushes())
        server.process.communicate(timeout=TIMEOUT)
        ended = server.process.returncode
    assert ended == code
    assert len(told) >= ENOUGH
    assert told - stored(tmp_path) == set()


def test_many_crashes_lose_nothing_and_leave_a_log_that_goes_on(tmp_path: Path) -> None:
    pushes, told = Pushes(), set()
    for enough in (40, 300):
        with served(tmp_path) as server:
            told |= acknowledged_until(server, signal.SIGKILL, enough, pushes)
    with served(tmp_path) as server, httpx.Client(base_url=server.url, trust_env=False, timeout=TIMEOUT) as client:
        kept = stored(tmp_path)
        found = next(each for each in iter(lambda: client.get("/readyz"), None) if each.status_code == 200)
        assert client.get("/api/v1/quarantine").json()["items"] == []
    assert (found.json()["untranslated"], len(told) >= 340, told - kept) == (0, True, set())


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
