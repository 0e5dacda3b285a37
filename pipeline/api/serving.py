"""The services of a running server: what is opened for it, and closed in the right order when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Protocol

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector

from pipeline.api.follower import Beat, Follower, Stopped
from pipeline.api.reading import Reader, ReadStore
from pipeline.api.services import Services
from pipeline.api.surroundings import Lookout
from pipeline.engine.embedded import Engine
from pipeline.events.delivery import Connector
from pipeline.exporter.collector import LeadlineCollector
from pipeline.exporter.exposition import Exposition
from pipeline.exporter.instruments import Instruments
from pipeline.exporter.model import Build, LogFigures, ReadModel
from pipeline.ingest.committer import Committer
from pipeline.ingest.deliveries import connector_named
from pipeline.ingest.intake import Intake
from pipeline.ingest.translate import CURSOR, Translator
from pipeline.log.protocol import DELIVERIES, EVENTS, EventLog


class ClosableReadStore(ReadStore, Protocol):
    """A read store that is closed after use."""

    def close(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a server is made from. `connectors` are the doors, see `doors`; `secrets` returns those of one by name.

    `window` returns how old a message of one may be, None: as it says itself (see `Intake`).
    `engine` returns the engine and `discard_engine` makes it return a new one, since after an error the old one may
    hold state that was never written. `open_read_store` opens the derived state apart from the engine. `snapshots` is
    the directory of snapshots whose age is told, None: there is none.
    """

    log: EventLog
    connectors: Mapping[str, Connector]
    secrets: Callable[[str], Sequence[bytes]]
    translator: Translator
    engine: Callable[[], Engine]
    discard_engine: Callable[[], None]
    open_read_store: Callable[[], ClosableReadStore]
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    build: Build
    max_body: int
    window: Callable[[str], timedelta | None] = lambda _: None
    snapshots: Path | None = None


@contextmanager
def serving(parts: Parts, *, follow: bool = True, metrics_here: bool = True) -> Iterator[Services]:
    """Yield running services; at the end store what waits, then close what was opened here.

    `follow` False: another process translates and folds, and its commits are only read.
    """
    registry = CollectorRegistry()
    instruments = Instruments(registry)
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    for stat in parts.log.sources(DELIVERIES):
        instruments.came_in(connector_named(stat.source), stat.last_recorded)

    with (
        closing(parts.open_read_store()) as published,
        closing(parts.open_read_store()) as asked,
        Committer(parts.log, DELIVERIES, parts.clock) as committer,
    ):
        quarantine = parts.translator.quarantine
        reader = Reader(published, quarantine)
        lookout = Lookout(reader, parts.snapshots)
        collector = LeadlineCollector(
            lambda: follower.model,
            lambda: _figures(parts.log),
            lambda: follower.last_success,
            parts.build,
            surroundings=lookout.found,
        )
        follower = Follower(
            _advance(parts, instruments) if follow else None,
            _publish(reader, collector, lookout, instruments),
            parts.clock,
            recover=lambda _: parts.discard_engine(),
        )
        registry.register(collector)
        services = Services(
            intake=Intake(
                committer, parts.connectors, parts.secrets, parts.clock, window=parts.window, max_body=parts.max_body
            ),
            connectors=frozenset(parts.connectors),
            follower=follower,
            reader=Reader(asked, quarantine),
            quarantine=quarantine,
            figures=lambda: _figures(parts.log),
            registry=registry,
            exposition=Exposition(registry, collector),
            instruments=instruments,
            clock=parts.clock,
            new_id=parts.new_id,
            version=parts.build.version,
            max_body=parts.max_body,
            metrics_here=metrics_here,
        )
        follower.start()
        try:
            yield services
        finally:
            follower.stop()


def _advance(parts: Parts, instruments: Instruments) -> Callable[[Beat], None]:
    def advance(beat: Beat) -> None:
        begun = perf_counter()
        translated = parts.translator.run(parts.clock(), progress=lambda *_: beat())
        if translated.deliveries:
            instruments.took("translate", perf_counter() - begun)
        instruments.translated(translated.deliveries, translated.events, translated.duplicates, translated.quarantined)
        instruments.outcomes(translated.outcomes, parts.clock())
        beat()
        begun = perf_counter()
        folded = parts.engine().run(progress=lambda *_: beat())
        if folded.events:
            instruments.took("fold", perf_counter() - begun)
        instruments.folded(folded.events, folded.revisions, folded.parked)

    def counted(beat: Beat) -> None:
        try:
            advance(beat)
        except Stopped:
            raise
        except Exception as error:
            instruments.failed(error)
            raise

    return counted


def _publish(
    reader: Reader, collector: LeadlineCollector, lookout: Lookout, instruments: Instruments
) -> Callable[[ReadModel | None], ReadModel]:
    """Return what reads the numbers, and makes them ready to be scraped before anybody can."""

    def publish(previous: ReadModel | None) -> ReadModel:
        begun = perf_counter()
        model = reader.latest(previous)
        if model is not previous:
            collector.prepare(model)
            instruments.took("publish", perf_counter() - begun)
        lookout.look()
        return model

    return publish


def _figures(log: EventLog) -> LogFigures:
    return LogFigures(
        deliveries=log.stat(DELIVERIES),
        events=log.stat(EVENTS),
        deliveries_end=log.end(DELIVERIES),
        events_end=log.end(EVENTS),
        translated=log.cursor(CURSOR),
    )
