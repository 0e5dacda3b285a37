"""`/metrics` of 500 teams, 2,000 services and 1,000 initiatives, each with every metric that it can have.

The numbers are made up, since what a scrape costs does not depend on them; everything from the read model to the bytes
on the wire is what a server does. The baseline is the same server before its first event.
"""

from __future__ import annotations

import gc
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry

from pipeline.api.app import create_metrics_app
from pipeline.exporter.collector import LeadlineCollector
from pipeline.exporter.exposition import Exposition
from pipeline.exporter.families import MAX_SCOPES, SERIES_OF_A_SCOPE
from pipeline.exporter.model import Build, ReadModel
from pipeline.metrics.catalogue import CATALOGUE, WINDOWS, Metric, MetricPoint
from tests.api.running import listening, running, settings
from tests.architecture.sources import ROOT
from tests.benchmarks.report import Line
from tests.exporter.figures import NOON, figures

TEAMS, SERVICES, INITIATIVES, PAIRS = 500, 2_000, 1_000, 500
#: What Prometheus asks for.
_ASKED = {
    "Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
    "Accept-Encoding": "gzip",
}
_SCRAPES = 15
_GOAL_SECONDS, _GOAL_RATIO = 0.25, 10.0
_SCOPES = re.compile(r"^- \*\*Scopes\*\*: (.+)$", re.MULTILINE)


def run() -> Iterator[Line]:
    """Yield what a scrape takes, also against that of an empty exporter, how many series it has, and its memory."""
    with tempfile.TemporaryDirectory(prefix="leadline-bench-") as name, running(settings(Path(name))) as server:
        server.caught_up()
        empty = _seconds(server.client)
        before = _resident()
        models = [_model(seed) for seed in (1, 2)]
        registry = CollectorRegistry()
        published = models[0]
        collector = LeadlineCollector(lambda: published, figures, lambda: NOON, Build(version="1", schema=1))
        registry.register(collector)
        exposition = Exposition(registry, collector)
        with listening(create_metrics_app(replace(server.services, exposition=exposition))) as (_, client):
            begun = time.perf_counter()
            client.get("/metrics", headers=_ASKED)
            first = time.perf_counter() - begun
            begun = time.perf_counter()
            collector.prepare(models[1])
            prepared = time.perf_counter() - begun
            published = models[1]
            full = _seconds(client)
            text = client.get("/metrics", headers=_ASKED).text
        del models, exposition
        gc.collect()
        resident = _resident() - before
    series = sum(not line.startswith("#") for line in text.splitlines())
    yield from _lines(full, empty, series, len(text))
    once = f"once for each read model, by the follower; for the first scrape of all by that: {first:.2g} s"
    yield Line("exporter_prepare", prepared, "s", note=once)
    yield Line("exporter_memory", resident / 2**20, "MiB", note="read model and text, and what making them took")


def _lines(full: float, empty: float, series: int, size: int) -> Iterator[Line]:
    told = f"{TEAMS} teams, {SERVICES:,} services, {INITIATIVES:,} initiatives, {size / 2**20:.0f} MiB of text"
    limit = SERIES_OF_A_SCOPE * (4 * MAX_SCOPES + 1)
    against = f"an empty exporter: {empty * 1000:.2g} ms"
    yield Line("exporter_scrape", full, "s", _GOAL_SECONDS, at_most=True, note=told)
    yield Line("exporter_scrape_ratio", full / empty, "x", _GOAL_RATIO, at_most=True, note=against)
    yield Line("exporter_series", series, "", limit, at_most=True, note=f"at most {MAX_SCOPES} scopes of a kind")


def _model(seed: int) -> ReadModel:
    """Return a read model in which every scope has every metric that its kind can have, by the pages of the metrics."""
    chance = random.Random(seed)
    kinds = _kinds()
    scopes = [("org", "all")]
    for kind, count in (("initiative", INITIATIVES), ("pair", PAIRS), ("service", SERVICES), ("team", TEAMS)):
        scopes += [(kind, f"{kind}-{number:04}") for number in range(count)]
    points = [
        point
        for scope in scopes
        for metric in CATALOGUE
        if scope[0] in kinds[metric.name]
        for point in _points(metric, scope, chance)
    ]
    return ReadModel(points=tuple(points), as_of=NOON)


def _points(metric: Metric, scope: tuple[str, str], chance: random.Random) -> Iterator[MetricPoint]:
    for window in WINDOWS if metric.windowed else (None,):
        for stat in metric.stats:
            yield MetricPoint(
                metric=metric.name,
                stat=stat,
                scope_kind=scope[0],
                scope=scope[1],
                window_days=window,
                value=round(chance.uniform(0, 1e6), 9),
                n=chance.randrange(1, 1_000),
                unit="seconds" if metric.unit == "count" and stat != "value" else metric.unit,
                as_of=0,
            )


def _kinds() -> dict[str, Sequence[str]]:
    """Return metric -> the kinds of scope that have it."""
    found: dict[str, Sequence[str]] = {}
    for page in (ROOT / "docs" / "metrics").glob("*.md"):
        _, *parts = re.split(r"^## (.+)\n", page.read_text("utf-8"), flags=re.MULTILINE)
        for heading, text in zip(parts[::2], parts[1::2], strict=True):
            if (scopes := _SCOPES.search(text)) is not None:
                found[heading] = scopes[1].split(", ")
    return found


def _seconds(client: httpx.Client) -> float:
    """Return the median time from the request of Prometheus to the last byte of the answer, still pressed."""

    def scrape() -> float:
        begun = time.perf_counter()
        with client.stream("GET", "/metrics", headers=_ASKED) as response:
            size = sum(map(len, response.iter_raw()))
        assert response.status_code == 200
        assert size
        return time.perf_counter() - begun

    return _median(scrape)


def _median(measure: Callable[[], float]) -> float:
    measure()
    return statistics.median(measure() for _ in range(_SCRAPES))


def _resident() -> int:
    """Return the bytes of memory that this process holds."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
    assert found
    return int(found[1]) * 1024
