"""Everything as it is deployed, on one machine: Leadline, Prometheus, Alertmanager, and who is told."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Thread
from typing import Any

import httpx
import pytest

from pipeline.events.codec import encode
from pipeline.events.envelope import Event
from tests.architecture.sources import ROOT
from tests.deploy import binaries
from tests.deploy.binaries import PATIENCE, Alertmanager, Process, Prometheus, until

TOKEN = "a-token-of-the-sender"
COMMAND = (sys.executable, "-c", "from pipeline.cli import main; main()")


class Inbox:
    """Takes what Alertmanager posts to a webhook, and keeps it."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self._news = Condition()

    @contextmanager
    def open(self) -> Iterator[str]:
        """Listen until the end of the block, at the address that is handed out."""
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                inbox.take(json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is that of the library
                """Stay silent."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/alerts"
            server.shutdown()

    def take(self, message: dict[str, Any]) -> None:
        with self._news:
            self.told.append(message)
            self._news.notify_all()

    def alerts(self, **labels: str) -> list[dict[str, Any]]:
        """Return the alerts of all messages, in order, that have these labels."""
        alerts = [alert for message in self.told for alert in message["alerts"]]
        return [alert for alert in alerts if labels.items() <= alert["labels"].items()]

    def wait(self, status: str, **labels: str) -> dict[str, Any]:
        """Wait until an alert with these labels was last told with a status (`firing`, `resolved`), and return it."""
        with self._news:
            self._news.wait_for(lambda: [each["status"] for each in self.alerts(**labels)][-1:] == [status], PATIENCE)
            found = self.alerts(**labels)[-1:]
        if not found or found[0]["status"] != status:
            pytest.fail(f"{labels} was not told to be {status}: {self.told}")
        return found[0]


@dataclass
class Leadline:
    """`leadline serve` as a process that can be ended and started again, over one database and at one address."""

    folder: Path
    stack: ExitStack
    port: int = 0
    process: Process = field(init=False)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str) -> None:
        """Run a verb to its end."""
        with Process([*COMMAND, *arguments], self.folder, self._environment()) as process:
            assert process.process.wait(PATIENCE) == 0

    def start(self, *options: str) -> None:
        """Serve, and return when it listens."""
        command = [*COMMAND, "serve", "--port", str(self.port), "--log-format", "json", *options]
        self.process = self.stack.enter_context(Process(command, self.folder, self._environment()))
        self.port = int(str(self.process.told(event="serving")["url"]).rpartition(":")[2])

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, politely or otherwise."""
        self.process.process.send_signal(how)
        self.process.process.wait(PATIENCE)

    def get(self, path: str) -> Any:
        return httpx.get(self.url + path, trust_env=False, timeout=PATIENCE).raise_for_status().json()

    def ready(self) -> None:
        """Wait until it has followed its log to the end."""
        until(lambda: self.get("/readyz")["untranslated"] == 0, "Leadline is ready")

    def push(self, events: Iterable[Event], *, token: str = TOKEN) -> int:
        """Tell of events as CloudEvents, each in a delivery of its own; return the last status."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/cloudevents+json"}
        with httpx.Client(base_url=self.url, trust_env=False, timeout=PATIENCE, headers=headers) as client:
            return [client.post("/hooks/cdevents", content=encode(event)).status_code for event in events][-1]

    def _environment(self) -> dict[str, str]:
        return {
            "LEADLINE_DATABASE": str(self.folder / "leadline.db"),
            "LEADLINE_CONNECTORS__CDEVENTS__SECRETS": json.dumps([TOKEN]),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }
