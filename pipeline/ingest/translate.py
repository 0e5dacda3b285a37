"""Translation: the stream of deliveries becomes the stream of events; what cannot goes to quarantine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from pipeline.events.delivery import Connector, Context
from pipeline.ingest import deliveries
from pipeline.ingest.attempt import Attempt, Outcome
from pipeline.ingest.quarantine import Failure, Quarantine
from pipeline.log.protocol import DELIVERIES, EVENTS, STAGED_PREFIX, EventLog, Stored

CURSOR = "translate"
#: Deliveries that share one durable append of their events.
BATCH = 500
_STAGED = STAGED_PREFIX + EVENTS

#: Called with (deliveries done, deliveries to do).
Progress = Callable[[int, int], None]


class TranslateReport(msgspec.Struct, kw_only=True):
    """What a translation did.

    `events` are new ones, `duplicates` those that the log already had, `resolved` the quarantined deliveries that now
    succeeded; `ignored` counts deliveries by what was left out, `quarantined` by reason.
    """

    deliveries: int = 0
    events: int = 0
    duplicates: int = 0
    resolved: int = 0
    ignored: dict[str, int] = {}
    quarantined: dict[str, int] = {}

    def count(self, outcomes: Sequence[Outcome]) -> None:
        """Add the deliveries of `outcomes`."""
        self.deliveries += len(outcomes)
        for outcome in outcomes:
            if outcome.ignored is not None:
                self.ignored[outcome.ignored] = self.ignored.get(outcome.ignored, 0) + 1
            if outcome.failure is not None:
                reason = outcome.failure.reason
                self.quarantined[reason] = self.quarantined.get(reason, 0) + 1


class RetranslateReport(msgspec.Struct, kw_only=True):
    """What a retranslation did to the events that come from deliveries.

    `failing` counts by reason the deliveries that had been translated and now fail. If there are any and that was not
    accepted, `applied` is False and nothing was changed. When `removed` is positive, the stream of events has a new
    generation, and state folded from the old one is void.
    """

    applied: bool
    deliveries: int
    kept: int = 0
    removed: int = 0
    added: int = 0
    resolved: int = 0
    failing: dict[str, int] = {}


class Translator:
    """Follows the deliveries from its cursor.

    Event ids are deterministic, so whatever is translated again, after a crash between the append of the events and
    the commit of the cursor too, adds only duplicates: in effect each delivery is translated exactly once.
    """

    def __init__(
        self, log: EventLog, connectors: Mapping[str, Connector], context_for: Callable[[str], Context]
    ) -> None:
        self._log = log
        self._attempt = Attempt(connectors, context_for)
        self.quarantine = Quarantine(log)

    def run(self, recorded: datetime, limit: int | None = None, progress: Progress | None = None) -> TranslateReport:
        """Translate the deliveries after the cursor, at most `limit` (None: to the end), taken in at `recorded`.

        Raises as `EventLog.append` does; what was done before stays done, and the next run goes on from there.
        """
        report = TranslateReport()
        start, end = self._log.cursor(CURSOR), self._log.end(DELIVERIES)
        while batch := self._log.read(DELIVERIES, self._log.cursor(CURSOR), _size(limit, report.deliveries)):
            self._settle(batch, recorded, report)
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
            self._settle((deliveries.at(self._log, each) for each in part), recorded, report)
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
        dropped = {entry.failure.delivery for entry in self.quarantine.entries("dropped")}
        open_before = {entry.failure.delivery for entry in self.quarantine.entries("open")}
        failed: list[Failure] = []
        healed: list[int] = []
        done = covered = 0
        for batch, end in self._translated_so_far(progress):
            covered = end
            for outcomes in self._attempt.translate_all(each for each in batch if each.offset not in dropped):
                self._log.append(_STAGED, [record for each in outcomes for record in each.records], recorded)
                failed += [each.failure for each in outcomes if each.failure is not None]
                healed += [each.delivery for each in outcomes if each.failure is None and each.delivery in open_before]
                done += len(outcomes)
        failing = Counter(each.reason for each in failed if each.delivery not in open_before)
        if failing and not accept_failures:
            self._log.discard(_STAGED)
            return RetranslateReport(applied=False, deliveries=done, failing=dict(failing))
        changed = self._log.supersede(EVENTS, _STAGED, covered, recorded)
        resolved = self.quarantine.settle(failed, healed, recorded)
        return RetranslateReport(
            applied=True,
            deliveries=done,
            kept=changed.kept,
            removed=changed.removed,
            added=changed.added,
            resolved=resolved,
            failing=dict(failing),
        )

    def _translated_so_far(self, progress: Progress | None) -> Iterator[tuple[Sequence[Stored], int]]:
        """Yield deliveries with the offset up to which they are complete, until that reaches the cursor.

        The cursor may move meanwhile; deliveries beyond it are still to be translated.
        """
        for batch in self._log.iterate(DELIVERIES, batch=BATCH):
            end = self._log.cursor(CURSOR)
            covered = min(batch[-1].offset, end)
            yield [stored for stored in batch if stored.offset <= end], covered
            if progress is not None:
                progress(covered, end)
            if covered == end:
                return

    def _settle(self, batch: Iterable[Stored], recorded: datetime, report: TranslateReport) -> None:
        """Store events first and marks second: a crash between repeats the events, and those are duplicates."""
        for outcomes in self._attempt.translate_all(batch):
            appended = self._log.append(EVENTS, [record for each in outcomes for record in each.records], recorded)
            failed = [each.failure for each in outcomes if each.failure is not None]
            succeeded = [each.delivery for each in outcomes if each.failure is None]
            report.resolved += self.quarantine.settle(failed, succeeded, recorded)
            report.events += appended.new
            report.duplicates += appended.duplicates
            report.count(outcomes)


def _size(limit: int | None, done: int) -> int:
    return BATCH if limit is None else min(BATCH, limit - done)
