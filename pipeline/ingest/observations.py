"""Observations become samples: tracked events, matched with the declared metrics and added up at the door.

What a batch of deliveries tells is added to small rows and cells beside the log, and each cell that changed is told as
one `outcome.sampled` event. Events, samples and what was added up are kept in one step, so a crash leaves all or none
of a batch; a batch that is told again changes nothing. The cost of an event does not depend on how many came before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from threading import Lock

from pipeline.contract.measures import Measure, read_measures
from pipeline.contract.resolve import Declaration
from pipeline.events.codec import decode
from pipeline.events.coordination import OutcomeSampled
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.ids import event_id
from pipeline.events.times import from_us, to_us
from pipeline.events.types import ContractDeclared
from pipeline.ingest.attempt import Outcome
from pipeline.ingest.observation_adding import Addition, Tally
from pipeline.ingest.observation_store import Series, Store
from pipeline.ingest.observation_sums import Cell, CellKey, period_of
from pipeline.log.declarations import declarations
from pipeline.log.protocol import EVENTS, Appended, EventLog, Record, Superseded, event_record

#: The offset in the stream of deliveries up to which observations were added up; it may lag behind the translation.
CURSOR = "observe"
SOURCE_PREFIX = "urn:leadline:observed:"
_CHUNK = 10_000


class Observations:
    """Appends what deliveries became, events and samples. Threads and processes may do so at once.

    `translated` is the cursor of the translation, up to which the events of deliveries are in the log.
    """

    def __init__(self, log: EventLog, store: Store, translated: str) -> None:
        self._log, self._store, self._translated = log, store, translated
        self._declared = _Declared(log)

    def append(self, outcomes: Sequence[Outcome], recorded: datetime, *, upto: bool) -> tuple[Appended, Tally]:
        """Append the events of `outcomes`, and samples of what they observed; either all or nothing is kept.

        `upto`: these are the next deliveries in the order of the log, rather than earlier ones again. Raises as
        `EventLog.append` does.
        """
        records = [record for each in outcomes for record in each.records]
        if not any(each.observations or each.misdated for each in outcomes):
            return self._log.append(EVENTS, records, recorded), Tally()
        measures = self._declared.measures()
        with self._store.transaction() as tables:
            appended = self._log.append(EVENTS, records, recorded)
            adding = Addition(tables, tables.live(), measures)
            adding.add(outcomes)
            samples = [_sample(*each, origin=outcomes[-1].delivery) for each in adding.changed]
            adding.tally.samples = self._log.append(EVENTS, samples, recorded).new
            reached = outcomes[-1].delivery
            if upto and reached > self._log.cursor(CURSOR):
                self._log.commit(CURSOR, reached)
        return appended, adding.tally

    def stage(self) -> int:
        """Begin to add everything up anew, beside what there is; return the number of the new build."""
        with self._store.transaction() as tables:
            return tables.stage()

    def add(self, build: int, outcomes: Sequence[Outcome]) -> Tally:
        """Add what `outcomes` observed to a staged build."""
        if not any(each.observations or each.misdated for each in outcomes):
            return Tally()
        measures = self._declared.measures()
        with self._store.transaction() as tables:
            adding = Addition(tables, build, measures)
            adding.add(outcomes)
        return adding.tally

    def discard(self) -> None:
        """Forget what is staged."""
        with self._store.transaction() as tables:
            tables.publish(tables.live())

    def publish(self, build: int, staged: str, covered: int, recorded: datetime) -> Superseded | None:
        """Replace the events by the stream `staged` and the samples by those of `build`, in one step.

        Both derive from the deliveries up to `covered`. If others were translated meanwhile (see `reached`), nothing
        is done, and None returned.
        """
        with self._store.transaction() as tables:
            if self.reached() > covered:
                return None
            for series in tables.series(build):
                cells = tables.all_cells(series.number)
                for start in range(0, len(cells), _CHUNK):
                    part = (_sample(series, *each, origin=covered) for each in cells[start : start + _CHUNK])
                    self._log.append(staged, list(part), recorded)
            changed = self._log.supersede(EVENTS, staged, covered, recorded)
            tables.publish(build)
        return changed

    def reached(self) -> int:
        """Return the offset up to which deliveries are translated, or their observations added up at least."""
        return max(self._log.cursor(self._translated), self._log.cursor(CURSOR))

    def measures(self) -> dict[str, Measure]:
        """Return the metrics that are declared, by name."""
        return self._declared.measures()

    def series(self) -> list[Series]:
        """Return what is sampled: by connector and metric, how many events were accepted, late and rejected."""
        return self._store.series()


class _Declared:
    """The metrics as last declared in a log; reads each declaration once."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._lock = Lock()
        self._position, self._generation = 0, 0
        self._declarations: list[Declaration] = []
        self._measures: dict[str, Measure] = {}

    def measures(self) -> dict[str, Measure]:
        with self._lock:
            generation, end = self._log.generation(EVENTS), self._log.end(EVENTS)
            if generation != self._generation:
                self._position, self._generation, self._declarations = 0, generation, []
            found = list(_metrics(declarations(self._log, self._position)))
            self._position = end
            if found or not self._declarations:
                self._declarations += found
                self._measures, _ = read_measures(self._declarations)
            return self._measures


def _metrics(encoded: Iterable[bytes]) -> Iterator[Declaration]:
    for value in encoded:
        try:
            event = decode(value)
        except Quarantined:
            continue
        if isinstance(event.data, ContractDeclared) and event.data.kind == "Metric":
            yield to_us(event.time), event.id, event.data


def _sample(series: Series, key: CellKey, cell: Cell, *, origin: int) -> Record:
    """Return the sample that a cell is now. Its id is a function of its content."""
    start, end = period_of(series.measure, key[0])
    source, variant = SOURCE_PREFIX + series.connector, key[1] or None
    time = from_us(cell.last)
    total = float(cell.total)
    squares = float(cell.squares) if series.measure.type == "mean" else None
    event_type = OutcomeSampled.TYPES[0]
    told = (series.metric, start, end, variant, cell.n, total, squares, cell.revision, cell.last)
    subject = "/".join([series.metric, from_us(start).date().isoformat(), *([variant] if variant else [])])
    event = Event(
        id=event_id(event_type, source, *told),
        source=source,
        type=event_type,
        time=time,
        subject=subject,
        partitionkey=series.metric,
        data=OutcomeSampled(
            metric=series.metric,
            start=from_us(start),
            end=from_us(end),
            n=cell.n,
            total=total,
            squares=squares,
            variant=variant,
            revision=cell.revision,
        ),
    )
    return event_record(event, origin)
