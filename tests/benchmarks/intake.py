"""Intake: signed pushes, each durable before it is answered, against what the same server answers to nothing at all."""

from __future__ import annotations

import asyncio
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from tests.api.process import Served, served, stored
from tests.api.running import TIMEOUT
from tests.benchmarks.load import EMPTY, Pushes, Tally, press
from tests.benchmarks.report import Line

CONNECTIONS = 16
ROUNDS = 15
#: Seconds of each half of a round: short, so that what else the machine does falls upon both.
EMPTY_SECONDS, PUSH_SECONDS = 0.7, 1.4
#: Seconds that the server has to translate and fold what came in, before the next round.
CATCH_UP = 300.0


def run() -> Iterator[Line]:
    """Yield the lines. Both rates are measured in turns, so that a busy machine slows down both."""
    acknowledged: set[bytes] = set()
    pushes = Pushes()
    with tempfile.TemporaryDirectory(prefix="leadline-bench-") as folder:
        with served(Path(folder)) as server:
            _press(server, lambda: EMPTY, 0.5, 200)
            _press(server, pushes, 0.5, 202, acknowledged)
            rounds = [_round(server, pushes, acknowledged) for _ in range(ROUNDS)]
            killed = _press(server, pushes, 60.0, 202, acknowledged, kill_after=PUSH_SECONDS)
        lost = {each.decode() for each in acknowledged} - stored(Path(folder))
    ratio = statistics.median(push.rate / empty.rate for empty, push in rounds)
    empty, push = (statistics.median(each.rate for each in kind) for kind in zip(*rounds, strict=True))
    busy = max(each.busy for pair in rounds for each in pair)
    note = f"{push:,.0f} of {empty:,.0f} requests/s over {CONNECTIONS} connections; the load took {busy:.0%} of a core"
    yield Line("intake_vs_empty_endpoint", ratio, "", 0.5, note=note)
    note = f"of {len(acknowledged):,} acknowledged deliveries, the last {killed.answers:,} up to a kill -9 under load"
    yield Line("intake_lost_by_kill", len(lost), "", 0, at_most=True, note=note)


def _round(server: Served, pushes: Pushes, acknowledged: set[bytes]) -> tuple[Tally, Tally]:
    _caught_up(server)
    empty = _press(server, lambda: EMPTY, EMPTY_SECONDS, 200)
    return empty, _press(server, pushes, PUSH_SECONDS, 202, acknowledged)


def _press(
    server: Served,
    make: Callable[[], bytes],
    seconds: float,
    wanted: int,
    acknowledged: set[bytes] | None = None,
    kill_after: float | None = None,
) -> Tally:
    def hear(status: int, body: bytes) -> None:
        if status != wanted:
            raise AssertionError(f"answered {status} instead of {wanted}: {body!r}")
        if acknowledged is not None:
            acknowledged.add(body.split(b'"')[3])

    async def pressed() -> Tally:
        if kill_after is not None:
            asyncio.get_running_loop().call_later(kill_after, server.process.send_signal, signal.SIGKILL)
        return await press(server.address, make, hear, connections=CONNECTIONS, going=lambda: time.monotonic() < end)

    end = time.monotonic() + seconds
    return asyncio.run(pressed())


def _caught_up(server: Served) -> None:
    """Wait until what came in is in the numbers, so that the next round begins as the first one did."""
    with httpx.Client(base_url=server.url, timeout=TIMEOUT, trust_env=False) as client:
        told: dict[str, object] = {}
        end = time.monotonic() + CATCH_UP
        while (told.get("untranslated"), told.get("unfolded")) != (0, 0):
            if time.monotonic() > end:
                raise AssertionError(f"after {CATCH_UP:.0f} seconds the server is still at {told}")
            time.sleep(0.1)
            told = client.get("/readyz").json()
