"""Translation: the stream of deliveries becomes the stream of events; what cannot goes to quarantine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from pipeline.events.delivery import Connector, Context
from pipeline.ingest import deliveries
from pipeline.ingest.attempt import Attempt, Outcome
from pipeline.ingest.observation_adding import Tally
from pipeline.ingest.observation_sqlite import store_for
from pipeline.ingest.observation_store import Store
from pipeline.ingest.observations import Observations
from pipeline.ingest.quarantine import Failure, Quarantine
from pipeline.log.protocol import DELIVERIES, EVENTS, STAGED_PREFIX, EventLog, Stored, Superseded

CURSOR = "translate"
#: Deliveries that share one durable append of their events.
BATCH = 500
_STAGED = STAGED_PREFIX + EVENTS

#: Called with (deliveries done, deliveries to do).
Progress = Callable[[int, int], None]


class TranslateReport(msgspec.Struct, kw_only=True):
    """What a translation did.

    `events` are new ones, `duplicates` those that the log already had, `resolved` the quarantined deliveries that now
    succeeded; `ignored` counts deliveries by what was left out, `quarantined` by reason. The last five are those of
    `Tally`: `samples` are not among `events`.
    """

    deliveries: int = 0
    events: int = 0
    duplicates: int = 0
    resolved: int = 0
    ignored: dict[str, int] = {}
    quarantined: dict[str, int] = {}
    #: (connector, `translated`, `ignored` or `quarantined`) -> deliveries.
    outcomes: dict[tuple[str, str], int] = {}
    observations: int = 0
    samples: int = 0
    late: dict[str, int] = {}
    rejected: dict[str, int] = {}
    outdated: list[str] = []

    def count(self, outcomes: Sequence[Outcome]) -> None:
        """Add the deliveries of `outcomes`."""
        self.deliveries += len(outcomes)
        for outcome in outcomes:
            key = (outcome.connector, outcome.word)
            self.outcomes[key] = self.outcomes.get(key, 0) + 1
            if outcome.ignored is not None:
                self.ignored[outcome.ignored] = self.ignored.get(outcome.ignored, 0) + 1
            if outcome.failure is not None:
                reason = outcome.failure.reason
                self.quarantined[reason] = self.quarantined.get(reason, 0) + 1

    def add(self, tally: Tally) -> None:
        """Add what became of observations."""
        self.observations += tally.observations
        self.samples += tally.samples
        self.late = _added(self.late, tally.late)
        self.rejected = _added(self.rejected, tally.rejected)
        self.outdated = sorted({*self.outdated, *tally.outdated})


class RetranslateReport(msgspec.Struct, kw_only=True):
    """What a retranslation did to the events that come from deliveries.

    `failing` counts by reason the deliveries that had been translated and now fail. If there are any and that was not
    accepted, `applied` is False and nothing was changed. When `removed` is positive, the stream of events has a new
    generation, and state folded from the old one is void. `late` and `rejected` are those of `Tally`; samples are
    counted as the events that they are.
    """

    applied: bool
    deliveries: int
    kept: int = 0
    removed: int = 0
    added: int = 0
    resolved: int = 0
    failing: dict[str, int] = {}
    late: dict[str, int] = {}
    rejected: dict[str, int] = {}


class _Anew(msgspec.Struct, kw_only=True):
    """What a retranslation has come to: `covered` is the last delivery that it has seen."""

    build: int
    dropped: set[int]
    open_before: set[int]
    covered: int = 0
    deliveries: int = 0
    failed: list[Failure] = []
    healed: list[int] = []
    tally: Tally = msgspec.field(default_factory=Tally)

    def count(self, outcomes: Sequence[Outcome], tally: Tally) -> None:
        self.deliveries += len(outcomes)
        self.failed += [each.failure for each in outcomes if each.failure is not None]
        self.healed += [
            each.delivery for each in outcomes if each.failure is None and each.delivery in self.open_before
        ]
        self.tally.add(tally)

    def failing(self) -> dict[str, int]:
        """Return by reason the deliveries that fail only now."""
        return dict(Counter(each.reason for each in self.failed if each.delivery not in self.open_before))


class Translator:
    """Follows the deliveries from its cursor.

    Event ids are deterministic, so whatever is translated again, after a crash between the append of the events and
    the commit of the cursor too, adds only duplicates: in effect each delivery is translated exactly once.
    """

    def __init__(
        self,
        log: EventLog,
        connectors: Mapping[str, Connector],
        context_for: Callable[[str], Context],
        observed: Store | None = None,
    ) -> None:
        """Take `observed`, where observations are added up; None: in the file of the log, or in memory without one."""
        self._log = log
        self.observations = Observations(log, observed or store_for(log), CURSOR)
        self._attempt = Attempt(connectors, context_for)
        self.quarantine = Quarantine(log)

    def run(self, recorded: datetime, limit: int | None = None, progress: Progress | None = None) -> TranslateReport:
        """Translate the deliveries after the cursor, at most `limit` (None: to the end), taken in at `recorded`.

        Raises as `EventLog.append` does; what was done before stays done, and the next run goes on from there.
        """
        report = TranslateReport()
        start, end = self._log.cursor(CURSOR), self._log.end(DELIVERIES)
        while batch := self._log.read(DELIVERIES, self._log.cursor(CURSOR), _size(limit, report.deliveries)):
            self._settle(batch, recorded, report, upto=True)
            self._log.commit(CURSOR, batch[-1].offset)
            if progress is not None:
                progress(batch[-1].offset - start, max(end, batch[-1].offset) - start)
        return report

    def replay(self, offsets: Iterable[int], recorded: datetime, progress: Progress | None = None) -> TranslateReport:
        """Translate the deliveries at `offsets` again; those that succeed are resolved, the others keep a reason.

        Raises `Corrupt` if the log lacks one of them.
        """
        report = TranslateReport()
        wanted = list(dict.fromkeys(offsets))
        for start in range(0, len(wanted), BATCH):
            part = wanted[start : start + BATCH]
            self._settle((deliveries.at(self._log, each) for each in part), recorded, report, upto=False)
            if progress is not None:
                progress(start + len(part), len(wanted))
        return report

    def retranslate(
        self, recorded: datetime, *, accept_failures: bool = False, progress: Progress | None = None
    ) -> RetranslateReport:
        """Derive the events of all deliveries anew, after a translator was corrected, and replace the old ones at once.

        An event that comes out with the same content stays as and where it is; one that no longer comes out, or with
        other content, is taken back; new ones are appended, taken in at `recorded`. Events that were appended directly
        stay. Until the one step at the end nothing is visible, and a crash before it leaves everything as it was.
        Deliveries that a person dropped stay dropped. If a delivery that had been translated now fails, nothing is
        changed, unless `accept_failures`: then its events go, and it is quarantined.
        """
        self._log.discard(_STAGED)
        anew = _Anew(
            build=self.observations.stage(),
            dropped={entry.failure.delivery for entry in self.quarantine.entries("dropped")},
            open_before={entry.failure.delivery for entry in self.quarantine.entries("open")},
        )
        changed: Superseded | None = None
        while changed is None:
            self._translate_anew(anew, recorded, progress)
            if anew.failing() and not accept_failures:
                self._log.discard(_STAGED)
                self.observations.discard()
                return RetranslateReport(applied=False, deliveries=anew.deliveries, failing=anew.failing())
            changed = self.observations.publish(anew.build, _STAGED, anew.covered, recorded)
        resolved = self.quarantine.settle(anew.failed, anew.healed, recorded)
        return RetranslateReport(
            applied=True,
            deliveries=anew.deliveries,
            kept=changed.kept,
            removed=changed.removed,
            added=changed.added,
            resolved=resolved,
            failing=anew.failing(),
            late=dict(anew.tally.late),
            rejected=dict(anew.tally.rejected),
        )

    def _translate_anew(self, anew: _Anew, recorded: datetime, progress: Progress | None) -> None:
        """Stage what becomes of the deliveries beyond `anew.covered` that were translated so far."""
        for batch, end in self._translated_so_far(anew.covered, progress):
            anew.covered = end
            for outcomes in self._attempt.translate_all(each for each in batch if each.offset not in anew.dropped):
                self._log.append(_STAGED, [record for each in outcomes for record in each.records], recorded)
                anew.count(outcomes, self.observations.add(anew.build, outcomes))

    def _translated_so_far(self, after: int, progress: Progress | None) -> Iterator[tuple[Sequence[Stored], int]]:
        """Yield deliveries with the offset up to which they are complete, until that reaches the cursor.

        The cursor may move meanwhile; deliveries beyond it are still to be translated.
        """
        for batch in self._log.iterate(DELIVERIES, after, batch=BATCH):
            end = self.observations.reached()
            covered = min(batch[-1].offset, end)
            yield [stored for stored in batch if stored.offset <= end], covered
            if progress is not None:
                progress(covered, end)
            if covered == end:
                return

    def _settle(self, batch: Iterable[Stored], recorded: datetime, report: TranslateReport, *, upto: bool) -> None:
        """Store events first and marks second: a crash between repeats the events, and those are duplicates."""
        for outcomes in self._attempt.translate_all(batch):
            appended, tally = self.observations.append(outcomes, recorded, upto=upto)
            failed = [each.failure for each in outcomes if each.failure is not None]
            succeeded = [each.delivery for each in outcomes if each.failure is None]
            report.resolved += self.quarantine.settle(failed, succeeded, recorded)
            report.events += appended.new
            report.duplicates += appended.duplicates
            report.count(outcomes)
            report.add(tally)


def _size(limit: int | None, done: int) -> int:
    return BATCH if limit is None else min(BATCH, limit - done)


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(one) + Counter(other))
