"""Everything as it is deployed, on one machine: Leadline, Prometheus, Alertmanager, and who is told."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
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
from tests.deploy import binaries, shipped
from tests.deploy.binaries import PATIENCE, Alertmanager, Process, Prometheus, labels_of, until

TOKEN = "a-token-of-the-sender"
DATABASE = "leadline.db"
COMMAND = (sys.executable, "-c", "from pipeline.cli import main; main()")


@dataclass(frozen=True)
class Message:
    """What Alertmanager posted: to which path, with what `Authorization`, and its JSON."""

    path: str
    authorization: str | None
    body: dict[str, Any]


class Inbox:
    """Takes what Alertmanager posts, and keeps it, as Slack and a webhook would."""

    def __init__(self) -> None:
        self.told: list[Message] = []
        self._news = Condition()

    @contextmanager
    def open(self) -> Iterator[str]:
        """Listen until the end of the block, at the address that is handed out."""
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                inbox.take(Message(self.path, self.headers["Authorization"], body))
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is that of the library
                """Stay silent."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()

    def take(self, message: Message) -> None:
        with self._news:
            self.told.append(message)
            self._news.notify_all()

    def wait(self, path: str, *words: str, after: int = 0) -> Message:
        """Wait for a message to a path that has all these words, and return it; the first `after` do not count."""
        with self._news:
            self._news.wait_for(lambda: self._found(path, words, after), PATIENCE)
            found = self._found(path, words, after)
        if not found:
            pytest.fail(f"nothing was posted to {path} with {words}: {self.told[after:]}")
        return found[0]

    def journal(self, name: str, status: str, after: int = 0, **labels: str) -> dict[str, Any]:
        """Wait until the webhook that is told everything was told of an alert with these labels, and return it."""
        words = (f'"alertname": "{name}"', *(f'"{label}": "{value}"' for label, value in labels.items()))
        (alert,) = self.wait("/journal", f'"status": "{status}"', *words, after=after).body["alerts"]
        return dict(alert)

    def _found(self, path: str, words: Iterable[str], after: int) -> list[Message]:
        sent = [(message, json.dumps(message.body)) for message in self.told[after:] if message.path == path]
        return [message for message, text in sent if all(word in text for word in words)]


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

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody write to its database until the end of the block."""
        with closing(sqlite3.connect(self.folder / DATABASE, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield

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
            "LEADLINE_DATABASE": str(self.folder / DATABASE),
            "LEADLINE_CONNECTORS__CDEVENTS__SECRETS": json.dumps([TOKEN]),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }


@dataclass
class Stack:
    """All of it, running, and looking at each other."""

    leadline: Leadline
    prometheus: Prometheus
    alertmanager: Alertmanager
    inbox: Inbox

    def alerts(self, name: str, **labels: str) -> list[dict[str, Any]]:
        """Return the alerts that Alertmanager has, of a name and with these labels."""
        return [alert for alert in self.alertmanager.alerts(name) if labels.items() <= alert["labels"].items()]

    def states(self, name: str) -> set[str]:
        """Return in which states Alertmanager has alerts of a name: `active`, `suppressed`, `unprocessed`."""
        return {alert["status"]["state"] for alert in self.alerts(name)}

    def journaled(self) -> set[str]:
        """Return the labels of all alerts of which the webhook that is told everything was told, as text."""
        messages = [message.body for message in self.inbox.told if message.path == "/journal"]
        return {labels_of(alert) for body in messages for alert in body["alerts"]}

    def becomes(self, name: str, states: set[str]) -> None:
        """Wait until these are the states in which Alertmanager has alerts of a name."""
        until(lambda: self.states(name) == states, f"{name} is {states}")


@contextmanager
def running(
    folder: Path, durations: Mapping[shipped.Place, str], thresholds: Mapping[str, str] | None = None
) -> Iterator[Stack]:
    """Run everything until the end of the block, with the shipped configuration but for what `shipped` says."""
    with ExitStack() as stack:
        inbox = Inbox()
        hook = stack.enter_context(inbox.open())
        leadline = Leadline(folder, stack)
        leadline.run("simulate", "--days", "21", "--teams", "3", "--into-log")
        leadline.start()
        managed = stack.enter_context(
            binaries.alertmanager(shipped.alertmanager(folder / "alertmanager", hook, TOKEN), folder / "notified")
        )
        port = binaries.free_port()
        addresses = {
            "leadline:8080": f"127.0.0.1:{leadline.port}",
            "alertmanager:9093": managed.url.removeprefix("http://"),
            "localhost:9090": f"127.0.0.1:{port}",
        }
        config = shipped.prometheus(folder / "prometheus", addresses, durations, thresholds or {})
        watching = stack.enter_context(binaries.prometheus(config, folder / "watched", port=port))
        until(lambda: watching.get("/api/v1/alertmanagers")["data"]["activeAlertmanagers"], "Alertmanager is found")
        until(lambda: {each["health"] for each in watching.targets()} == {"up"}, "all targets are up")
        yield Stack(leadline, watching, managed, inbox)
