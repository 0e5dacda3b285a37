"""Prometheus, Alertmanager and their tools as installed: found on the PATH, run on loopback, always stopped."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Event, Thread
from time import monotonic
from typing import Any, Self, TextIO, TypeVar

import httpx
import pytest

T = TypeVar("T")

#: Seconds until something that ought to happen within two counts as not happening.
PATIENCE = 60.0
#: Seconds between two looks at what can only be asked, never waited for.
GLANCE = 0.05


def find(*names: str) -> str:
    """Return the path of the first program that is on the PATH.

    Where there is none the test that asks is skipped, in one line that all such tests share; with `CI=true` it fails.
    """
    for name in names:
        if (path := shutil.which(name)) is not None:
            return path
    reason = f"!!! NOT CHECKED: {names[0]} is not on the PATH; run tests/deploy/install.sh"
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@dataclass(frozen=True)
class Program:
    """A program that ends by itself; calling it runs it."""

    path: str

    def __call__(self, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run it and return its exit code and what it wrote."""
        command = [self.path, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=cwd)


def until(condition: Callable[[], T], what: str, within: float = PATIENCE) -> T:
    """Ask until the answer is true, and return it; fails naming `what` and the last answer.

    A server that does not answer yet is no answer.
    """
    end, pause, last = monotonic() + within, Event(), "nothing"
    while True:
        try:
            if found := condition():
                return found
            last = repr(found)
        except httpx.HTTPError as error:
            last = repr(error)
        if monotonic() > end:
            pytest.fail(f"not within {within:g} s: {what}; last: {last}")
        pause.wait(GLANCE)


@dataclass
class Process:
    """A program that runs until it is ended. Its log is kept, line by line, and can be waited for."""

    command: Sequence[str | Path]
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    log: list[str] = field(init=False, default_factory=list)

    def __enter__(self) -> Self:
        self._news, self._over = Condition(), False
        self.process = subprocess.Popen(
            [*map(str, self.command)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.cwd,
            env={**os.environ, **self.environment},
            text=True,
        )
        assert self.process.stdout is not None
        self._reader = Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        # pytest shows it where a test fails
        sys.stderr.write("\n".join([f"--- {Path(self.command[0]).name}", *self.log[-30:], ""]))

    def _read(self, stream: TextIO) -> None:
        with stream:
            for line in stream:
                with self._news:
                    self.log.append(line.rstrip())
                    self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()

    def told(self, **fields: object) -> dict[str, Any]:
        """Wait for a line of its log, which is JSON, in which these fields have these values, and return it."""
        with self._news:
            self._news.wait_for(lambda: self._over or self._lines(fields), PATIENCE)
            if found := self._lines(fields):
                return found[0]
        pytest.fail("\n".join([f"{self.command[0]} never told {fields}:", *self.log[-20:]]))

    def _lines(self, fields: Mapping[str, object]) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log if line.startswith("{")]
        return [line for line in lines if fields.items() <= line.items()]

    def terminate(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


def labels_of(alert: Mapping[str, Any]) -> str:
    """Return the labels of an alert as text, in one order."""
    return json.dumps(alert["labels"], sort_keys=True)


@dataclass(frozen=True)
class Server:
    """A running server: its process, and a client for its HTTP interface."""

    process: Process
    client: httpx.Client

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return str(self.client.base_url).rstrip("/")

    def get(self, path: str, **params: str | float) -> Any:
        """Return an answer in JSON; `httpx.HTTPStatusError` where it is an error."""
        return self.client.get(path, params=params).raise_for_status().json()


class Prometheus(Server):
    """A running Prometheus."""

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """Return `[{"metric": {label: value}, "value": [seconds, "number"]}]` as of an instant, or now."""
        params: dict[str, str | float] = {"query": expression} | ({} if at is None else {"time": at})
        result: list[dict[str, Any]] = self.get("/api/v1/query", **params)["data"]["result"]
        return result

    def now(self) -> float:
        """Return its time, in seconds since 1970."""
        return float(self.get("/api/v1/query", query="time()")["data"]["result"][1])

    def values(self, selector: str, since: float, until: float) -> list[set[float]]:
        """Return for each series which values were scraped from one instant to another."""
        found = self.query(f"{selector}[{round(1000 * (until - since))}ms]", at=until)
        return [{float(value) for _, value in series["values"]} for series in found]

    def firing(self) -> list[tuple[str, str, str]]:
        """Return the name, labels and beginning of all alerts that fire, sorted."""
        return sorted(
            (alert["labels"]["alertname"], labels_of(alert), alert["activeAt"])
            for alert in self.alerts()
            if alert["state"] == "firing"
        )

    def targets(self) -> list[dict[str, Any]]:
        """Return the active targets, each with `labels`, `health` (`unknown`, `up`, `down`) and `lastError`."""
        found: list[dict[str, Any]] = self.get("/api/v1/targets")["data"]["activeTargets"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules of all groups, each with `name`, `type`, `health` and, of alerts, `state` and `alerts`."""
        return [rule for group in self.get("/api/v1/rules")["data"]["groups"] for rule in group["rules"]]

    def alerts(self, name: str = "") -> list[dict[str, Any]]:
        """Return the pending and firing alerts, or those of one name."""
        found = self.get("/api/v1/alerts")["data"]["alerts"]
        return [alert for alert in found if name in {"", alert["labels"]["alertname"]}]


class Alertmanager(Server):
    """A running Alertmanager."""

    def alerts(self, name: str = "") -> list[dict[str, Any]]:
        """Return the alerts that it knows, or those of one name, each with `labels`, `annotations` and `status`."""
        found = self.get("/api/v2/alerts")
        return [alert for alert in found if name in {"", alert["labels"]["alertname"]}]


def free_port() -> int:
    """Return a port that nobody listens on, for what has to be told its own address before it starts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def prometheus(config: Path, data: Path, *flags: str, port: int = 0) -> Iterator[Prometheus]:
    """Run Prometheus with a configuration until the end of the block; it is ready.

    Where `data` exists it goes on there. `port` 0: any. What fires before it has found its Alertmanager, which takes
    five seconds, is told again five seconds later.
    """
    command: list[str | Path] = [find("prometheus"), "--config.file", config, "--storage.tsdb.path", data]
    with _serving([*command, "--rules.alert.resend-delay=5s", *_loopback(port), *flags], config.parent) as (
        process,
        client,
    ):
        yield Prometheus(process, client)


@contextmanager
def alertmanager(config: Path, data: Path, *flags: str) -> Iterator[Alertmanager]:
    """Run Alertmanager, alone, with a configuration until the end of the block; it is ready."""
    program = find("alertmanager", "prometheus-alertmanager")
    command: list[str | Path] = [program, "--config.file", config, "--storage.path", data, "--cluster.listen-address="]
    with _serving([*command, *_loopback(0), *flags], config.parent) as (process, client):
        yield Alertmanager(process, client)


def _loopback(port: int) -> tuple[str, str]:
    """Return the flags of both: where the port is 0 the system chooses a free one, which the log then tells."""
    return f"--web.listen-address=127.0.0.1:{port}", "--log.format=json"


@contextmanager
def _serving(command: Sequence[str | Path], cwd: Path) -> Iterator[tuple[Process, httpx.Client]]:
    with Process(command, cwd) as process:
        url = f"http://{process.told(msg='Listening on')['address']}"
        with httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False) as client:
            until(lambda: client.get("/-/ready").is_success, f"{command[0]} is ready")
            yield process, client
            process.terminate()
