"""Load over HTTP: connections that send one request after the other, each when the one before was answered.

Raw sockets and requests made in advance, so that whoever presses needs a fraction of what whoever answers does.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.api.running import SECRET, signed
from tests.connectors.casebook import ROOT

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
EMPTY = b"GET /healthz HTTP/1.1\r\nHost: leadline\r\n\r\n"


class Tally(NamedTuple):
    """What came of it. `busy`: the share of a processor that pressing took; near 1 it is that which was measured."""

    answers: int
    seconds: float
    busy: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


class Pushes:
    """Signed pushes of GitHub, no two alike; call it for the bytes of the next request."""

    def __init__(self) -> None:
        recorded = json.loads((ROOT / "github" / "cases" / "push" / "delivery.json").read_text(encoding="utf-8"))
        self._body = json.dumps(recorded["body"])
        self._sha = str(recorded["body"]["after"])
        self.sent = 0

    def __call__(self) -> bytes:
        self.sent += 1
        body = self._body.replace(self._sha, f"{self.sent:040x}").encode()
        headers = {
            "Host": "leadline",
            "User-Agent": "GitHub-Hookshot/044aadd",
            "Accept": "*/*",
            "Content-Length": str(len(body)),
            **signed(body, f"load-{self.sent}", secret=SECRET),
        }
        lines = [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(["POST /hooks/github HTTP/1.1", *lines]) + "\r\n\r\n").encode() + body


class _Connection(asyncio.Protocol):
    """Sends, hears, and sends again, for as long as it goes on and the other side is there."""

    def __init__(
        self, make: Callable[[], bytes], hear: Callable[[int, bytes], None], going: Callable[[], bool]
    ) -> None:
        self._make, self._hear, self._going = make, hear, going
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(_END_OF_HEAD)
        if not found:
            return
        length = int(head.lower().partition(_LENGTH)[2].split(b"\r\n", 1)[0])
        if len(rest) >= length:
            self._received = rest[length:]
            self._hear(int(head[9:12]), rest[:length])
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - a server that is killed says nothing
        if not self.over.done():
            self.over.set_result(None)

    def _send(self) -> None:
        assert self._transport is not None
        if self._going():
            self._transport.write(self._make())
        else:
            self._transport.close()


async def press(
    address: tuple[str, int],
    make: Callable[[], bytes],
    hear: Callable[[int, bytes], None],
    *,
    connections: int,
    going: Callable[[], bool],
) -> Tally:
    """Send what `make` returns over so many connections while `going`, and tell `hear` status and body of each answer.

    Returns when all connections are over: no longer `going`, or lost.
    """
    answers = 0

    def counted(status: int, body: bytes) -> None:
        nonlocal answers
        answers += 1
        hear(status, body)

    loop = asyncio.get_running_loop()
    begun, worked = time.perf_counter(), time.process_time()
    opened = [
        await loop.create_connection(lambda: _Connection(make, counted, going), *address) for _ in range(connections)
    ]
    await asyncio.gather(*(connection.over for _, connection in opened))
    seconds = time.perf_counter() - begun
    return Tally(answers, seconds, (time.process_time() - worked) / seconds)
