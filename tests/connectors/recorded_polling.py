"""A poller at work against a recorded source, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import stamina

from pipeline.events.codec import decode
from pipeline.events.delivery import Delivery
from pipeline.events.polling import Access
from pipeline.ingest.deliveries import from_stored
from pipeline.ingest.polling import ATTEMPTS, Polling, Report
from pipeline.ingest.translate import Translator
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import DELIVERIES, EVENTS
from tests.connectors.recorded import Recorded, Recording
from tests.ingest.sources import NOW


@dataclass
class Asking:
    """A polling of one recorded source over a log, whose clock and waiting are the test's."""

    what: Recorded
    source: Recording
    log: MemoryLog
    polling: Polling
    waited: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.what.connector.name

    def backfill(self, since: datetime | None = None, until: datetime | None = None) -> Report:
        (report,) = self.polling.backfill([self.what.scope], since=since, until=until)
        return report

    def told(self) -> set[tuple[str, str]]:
        """Return the ids of the events in the log, after translation of what is there; nothing may be quarantined."""
        connector = self.what.connector
        report = Translator(self.log, {connector.name: connector}, lambda _: self.what.context()).run(NOW)
        assert report.quarantined == {}
        events = [decode(stored.value) for batch in self.log.iterate(EVENTS) for stored in batch]
        return {(event.source, event.id) for event in events}

    def held(self) -> set[tuple[str, str]]:
        return self.what.held(self.source)

    def deliveries(self) -> list[Delivery]:
        return [from_stored(stored) for batch in self.log.iterate(DELIVERIES) for stored in batch]


@contextmanager
def asking(
    what: Recorded, source: Recording, log: MemoryLog, now: datetime = NOW, *, dry: bool = False
) -> Iterator[Asking]:
    """Ask a source at an instant. Whatever it wants to wait for is noted, and over at once, as is every backoff."""
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return False

    client = what.poller.client(Access(url=source.url + what.url, token=what.token))
    client.timeout = 5.0
    with (
        stamina.set_testing(testing=True, attempts=ATTEMPTS, cap=True),
        Polling(log, what.poller, client, lambda: now, wait=wait, dry_run=dry) as polling,
    ):
        yield Asking(what, source, log, polling, waited)
