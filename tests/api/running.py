"""A real server on a free port, over a real log, for the length of a block."""

from __future__ import annotations

import hashlib
import hmac
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from pipeline.api.app import create_app
from pipeline.api.server import in_background, listen, make_server
from pipeline.api.services import Services
from pipeline.events.envelope import Event
from pipeline.ingest.deliveries import from_stored
from pipeline.log.protocol import DELIVERIES, EVENTS, EventLog, event_record
from pipeline.settings import ConnectorSettings, HttpSettings, Settings
from pipeline.wiring import Wiring
from tests.simulation.story import committed, declared, deployed, merged, opened, seen, service, trouble

SECRET = b"tell-nobody"
MAX_BODY = 10_000
TIMEOUT = 20.0

#: Two deployments by a team, one of them bad, and a change on its way.
HISTORY = (
    declared("Team", "growth", {"type": "stream-aligned"}),
    service("shop", owner="growth", repos=["acme/shop"]),
    committed("c0", "01 08:00"),
    deployed("01 09:00", "d0", "c0"),
    committed("c1", "02 09:00", "c0"),
    opened("02 16:00", 7),
    seen("02 16:00", 7, head_sha="c1", commits=["c1"], title="Faster"),
    merged("03 10:00", 7, "c1"),
    deployed("03 12:00", "d1", "c1"),
    trouble("03 13:00", "i1"),
    opened("04 10:00", 8),
)


@dataclass(frozen=True)
class Running:
    """A server, how to talk to it, and what it is made of."""

    client: httpx.Client
    services: Services
    wiring: Wiring
    address: tuple[str, int]

    def caught_up(self) -> None:
        """Wait until all that is in the log is in the read model."""
        log = self.wiring.log()
        self.services.follower.wake()
        assert self.services.follower.wait_until(
            lambda model: log.cursor("translate") == log.end(DELIVERIES) and model.position == log.end(EVENTS),
            TIMEOUT,
        )

    def stored(self) -> list[bytes]:
        """Return the bodies in the log."""
        return [from_stored(each).body for each in self.wiring.log().read(DELIVERIES)]


def settings(folder: Path, **connectors: ConnectorSettings) -> Settings:
    given = {"github": ConnectorSettings.model_validate({"secrets": [SECRET.decode()]}), **connectors}
    return Settings(database=folder / "leadline.db", connectors=given, http=HttpSettings(max_body_bytes=MAX_BODY))


@contextmanager
def running(
    given: Settings, *, follow: bool = True, change: Callable[[Services], Services] = lambda services: services
) -> Iterator[Running]:
    """Run a server; `change` may replace some of its services first."""
    wiring = Wiring(given)
    with ExitStack() as stack:
        stack.callback(wiring.close)
        services = change(stack.enter_context(wiring.serving(follow=follow)))
        address, client = stack.enter_context(listening(create_app(services)))
        yield Running(client, services, wiring, address)


@contextmanager
def listening(app: ASGIApp) -> Iterator[tuple[tuple[str, int], httpx.Client]]:
    """Serve an app on a free port."""
    with listen("127.0.0.1", 0) as listener:
        address: tuple[str, int] = listener.getsockname()
        with (
            in_background(make_server(app), listener),
            httpx.Client(base_url=f"http://127.0.0.1:{address[1]}", timeout=TIMEOUT, trust_env=False) as client,
        ):
            yield address, client


def signed(body: bytes, delivery: str = "d1", kind: str = "push", secret: bytes = SECRET) -> dict[str, str]:
    """Return the headers with which GitHub would send a body."""
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": kind,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest(),
    }


def is_problem(response: httpx.Response, status: int, words: str) -> bool:
    """Tell whether an answer is the problem that it should be; `words` are part of its detail."""
    body = response.json()
    return (
        response.status_code == body["status"] == status
        and response.headers["content-type"] == "application/problem+json"
        and body["request_id"] == response.headers["x-request-id"]
        and words in body["detail"]
    )


def tell(log: EventLog, events: Iterable[Event]) -> None:
    """Append events, as another process would."""
    log.append(EVENTS, [event_record(event) for event in events], datetime(2026, 6, 1, tzinfo=UTC))


def raw(address: tuple[str, int], request: bytes) -> bytes:
    """Send bytes, end the sending half of the connection, and return all that comes back."""
    with socket.create_connection(address, timeout=TIMEOUT) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))
