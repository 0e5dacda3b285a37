"""One addition of observations to the tables: which metrics want them, and which cells they change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from pipeline.contract.measures import Measure
from pipeline.events.delivery import Observation
from pipeline.events.times import DAY_US, to_us
from pipeline.ingest.attempt import Outcome
from pipeline.ingest.observation_store import Series, Tables
from pipeline.ingest.observation_sums import (
    Cell,
    CellKey,
    Row,
    Seen,
    forgotten_before,
    number_of,
    row_key,
    share_of,
    updated,
    variant_of,
)


class Tally(msgspec.Struct, kw_only=True):
    """What became of observations.

    `observations` were told, `samples` are new. `late` counts by metric those that are older than the metric takes,
    `rejected` by reason those that a metric wants and cannot use: `no_unit`, `no_value`, `bad_value`, `bad_time`.
    `outdated` are metrics that were declared differently since they were first sampled: they go on as they were until
    everything is retranslated, so that a sample never mixes two meanings.
    """

    observations: int = 0
    samples: int = 0
    late: Counter[str] = msgspec.field(default_factory=Counter)
    rejected: Counter[str] = msgspec.field(default_factory=Counter)
    outdated: set[str] = msgspec.field(default_factory=set)

    def add(self, other: Tally) -> None:
        """Add what became of others."""
        self.observations += other.observations
        self.samples += other.samples
        self.late += other.late
        self.rejected += other.rejected
        self.outdated |= other.outdated


class Addition:
    """One addition to a build of the tables, within a transaction.

    `changed` are the cells that it changed: (series, key, cell).
    """

    def __init__(self, tables: Tables, build: int, declared: Mapping[str, Measure]) -> None:
        self._tables, self._build, self._declared = tables, build, declared
        self._series = {(each.connector, each.metric): each for each in tables.series(build)}
        self._wanted: dict[str, dict[str, list[tuple[str, Measure]]]] = {}
        self._seen: dict[tuple[str, str], list[Seen]] = {}
        self.tally = Tally()
        self.changed: list[tuple[Series, CellKey, Cell]] = []

    def add(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self.tally.observations += len(outcome.observations) + outcome.misdated
            if outcome.misdated:
                self.tally.rejected["bad_time"] += outcome.misdated
            for observation in outcome.observations:
                self._match(outcome.connector, observation)
        for name, seen in self._seen.items():
            self._sum(self._series[name], seen)

    def _match(self, connector: str, observation: Observation) -> None:
        if connector not in self._wanted:
            self._wanted[connector] = self._by_event(connector)
        for metric, measure in self._wanted[connector].get(observation.name, ()):
            enters = measure.entries.matches(observation.name, observation.properties)
            succeeds = bool(measure.successes and measure.successes.matches(observation.name, observation.properties))
            if enters or succeeds:
                self._take(connector, metric, measure, _seen(measure, observation, enters=enters, succeeds=succeeds))

    def _by_event(self, connector: str) -> dict[str, list[tuple[str, Measure]]]:
        """Return the metrics that want events of a connector, by name of the event."""
        found: dict[str, list[tuple[str, Measure]]] = defaultdict(list)
        for metric, declared in self._declared.items():
            series = self._series.get((connector, metric))
            if series is None and not declared.takes(connector):
                continue
            measure = declared if series is None else series.measure
            if measure != declared:
                self.tally.outdated.add(metric)
            names = [*measure.entries.events, *(measure.successes.events if measure.successes else ())]
            for name in dict.fromkeys(names):
                found[name].append((metric, measure))
        return found

    def _take(self, connector: str, metric: str, measure: Measure, seen: Seen | str) -> None:
        """Note what a series sees, or the reason why it cannot use it."""
        name = connector, metric
        if name not in self._series:
            self._series[name] = self._tables.add_series(self._build, connector, metric, measure)
        # A series whose events are all rejected is written, too.
        found = self._seen.setdefault(name, [])
        if isinstance(seen, Seen):
            found.append(seen)
        else:
            rejected = self._series[name].rejected
            rejected[seen] = rejected.get(seen, 0) + 1
            self.tally.rejected[seen] += 1

    def _sum(self, series: Series, seen: Sequence[Seen]) -> None:
        measure = series.measure
        rows: dict[bytes, Row] = self._tables.rows(series.number, {each.key for each in seen})
        touched: dict[bytes, Row] = {}
        cells = _Cells(self._tables, series)
        for each in seen:
            if each.at < series.watermark - measure.late_us:
                series.late += 1
                self.tally.late[series.metric] += 1
                continue
            series.accepted += 1
            series.watermark = max(series.watermark, each.at)
            row = rows.get(each.key)
            if row is not None and row.last < forgotten_before(measure, series.watermark):
                row = None
            after = updated(row, each)
            if after != row:
                rows[each.key] = touched[each.key] = after
                cells.move(measure, row, after, each.at)
        self._tables.write(series, touched, cells.changed)
        self.changed += [(series, key, cell) for key, cell in sorted(cells.changed.items())]
        self._prune(series)

    def _prune(self, series: Series) -> None:
        """Forget once for each day by which the watermark rises: what is forgotten late is not used either."""
        before = forgotten_before(series.measure, series.watermark) // DAY_US * DAY_US
        if before > series.pruned:
            self._tables.prune(series.number, before)
            series.pruned = before
            self._tables.write(series, {}, {})


class _Cells:
    """The cells of a series, read when they are first touched."""

    def __init__(self, tables: Tables, series: Series) -> None:
        self._tables, self._series = tables, series
        self._known: dict[CellKey, Cell] = {}
        self.changed: dict[CellKey, Cell] = {}

    def move(self, measure: Measure, before: Row | None, after: Row, at: int) -> None:
        """Take back what a row counted for, and add what it counts for now."""
        old, new = share_of(measure, before), share_of(measure, after)
        if old == new:
            return
        moved = [(share, sign) for share, sign in ((old, -1), (new, 1)) if share]
        for key in dict.fromkeys(key for share, _ in moved for key in share.cells):
            cell = self._cell(key)
            sums = cell.sums()
            for share, sign in moved:
                if key in share.cells:
                    cell.add(share.value, sign)
            if cell.sums() != sums:
                cell.revision += 1
                cell.last = max(cell.last, at)
                self.changed[key] = cell

    def _cell(self, key: CellKey) -> Cell:
        if key not in self._known:
            self._known[key] = self._tables.cells(self._series.number, [key]).get(key) or Cell()
        return self._known[key]


def _seen(measure: Measure, observation: Observation, *, enters: bool, succeeds: bool) -> Seen | str:
    """Return what a measure sees of an observation, or the reason for which it cannot use it."""
    value = 0.0
    if measure.successes is not None:
        if not observation.unit:
            return "no_unit"
    elif measure.value is None:
        value = 1.0
    else:
        told = observation.properties.get(measure.value)
        number = number_of(told)
        if number is None:
            return "no_value" if told is None or told == "" else "bad_value"
        value = number
    return Seen(
        key=row_key(observation.unit if measure.successes is not None else observation.id),
        at=to_us(observation.at),
        enters=enters,
        succeeds=succeeds,
        variant=variant_of(measure, observation.properties),
        value=value,
    )
