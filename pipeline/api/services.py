"""What the HTTP surface is made of; whoever makes an app hands it one `Services`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry

from pipeline.api.follower import Follower
from pipeline.api.reading import Reader
from pipeline.exporter.exposition import Exposition
from pipeline.exporter.instruments import Instruments
from pipeline.exporter.model import LogFigures
from pipeline.ingest.intake import Intake
from pipeline.ingest.quarantine import Quarantine


@dataclass(frozen=True, kw_only=True)
class Services:
    """All dependencies of the app. Whoever made them closes them, after the server has stopped.

    `connectors` are the names under which deliveries are taken. `figures` tells how far the log reaches and raises a
    `LeadlineError` while it cannot be reached. `exposition` writes what is in `registry`. `new_id` makes request ids.
    `max_body` is in bytes, `body_seconds` how long a sender may take to send one. `metrics_here` False: another port
    serves `/metrics`.
    """

    intake: Intake
    connectors: Collection[str]
    follower: Follower
    reader: Reader
    quarantine: Quarantine
    figures: Callable[[], LogFigures]
    registry: CollectorRegistry
    exposition: Exposition
    instruments: Instruments
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    version: str
    max_body: int
    body_seconds: float = 30.0
    metrics_here: bool = True
