"""After a translator was corrected: the events become what they would have been, and nothing else moves."""

from __future__ import annotations

import msgspec
import pytest

from pipeline.events.codec import decode, encode
from pipeline.ingest import deliveries
from pipeline.ingest.translate import CURSOR, RetranslateReport
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import EVENTS, EventLog, Record, Stored
from tests.ingest.fakes import NOON, Forge, at, delivery, merged, translator

STAGED = "staged_events"


def fill(log: EventLog, forge: Forge) -> None:
    """Two deliveries translated, one event appended directly, one delivery still to come."""
    deliveries.store(log, [delivery("d1", "c1", "c2"), delivery("d2", "c3")], NOON)
    translator(log, forge).run(at(1))
    event = merged("direct")
    direct = Record(source="leadline", id="direct", key="contract", time=NOON, value=encode(event))
    log.append(EVENTS, [direct], at(2))


def shas(log: EventLog) -> dict[str, str | None]:
    return {event.subject: event.data.merge_sha for event in (decode(each.value) for each in log.read(EVENTS))}  # type: ignore[attr-defined]


def everything(log: EventLog) -> tuple[list[Stored], int]:
    return list(log.read(EVENTS)), log.generation(EVENTS)


def test_an_unchanged_translator_changes_nothing(log: EventLog) -> None:
    fill(log, Forge())
    before = everything(log)
    report = translator(log, Forge()).retranslate(at(60))
    assert report == RetranslateReport(applied=True, deliveries=2, kept=3)
    assert (everything(log), log.end(STAGED)) == (before, 0)


def test_changed_content_replaces_the_old_and_direct_events_stay(log: EventLog) -> None:
    fill(log, Forge())
    deliveries.store(log, [delivery("d3", "c4")], NOON)
    report = translator(log, Forge(prefix="fixed")).retranslate(at(60))
    assert report == RetranslateReport(applied=True, deliveries=2, removed=3, added=3)
    assert shas(log) == {"direct": None, "c1": "fixed-c1", "c2": "fixed-c2", "c3": "fixed-c3"}
    assert {each.recorded for each in log.read(EVENTS) if each.source != "leadline"} == {at(60)}
    assert log.generation(EVENTS) == 1
    assert translator(log, Forge(prefix="fixed")).run(at(70)).events == 1


def test_events_that_no_longer_come_out_go_and_the_rest_stays_in_place(log: EventLog) -> None:
    fill(log, Forge())
    stay = [each for each in log.read(EVENTS) if decode(each.value).subject in {"c1", "c2", "direct"}]

    class Quieter(Forge):
        def translate(self, delivery, context):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 - as the base
            told = super().translate(delivery, context)
            return msgspec.structs.replace(told, events=[each for each in told.events if each.subject != "c3"])

    report = translator(log, Quieter()).retranslate(at(60))
    assert (report.kept, report.removed, report.added) == (2, 1, 0)
    assert everything(log) == (stay, 1)


def test_the_result_is_what_a_fresh_translation_gives(log: EventLog) -> None:
    fill(log, Forge(broken=frozenset({"c1"})))
    fixed = Forge(prefix="v2")
    report = translator(log, fixed).retranslate(at(60))
    fresh = MemoryLog()
    fill(fresh, Forge(prefix="v2"))
    assert shas(log) == shas(fresh)
    assert (report.resolved, translator(log, fixed).quarantine.counts()) == (1, {})


def test_new_failures_stop_it_before_anything_changes(log: EventLog) -> None:
    fill(log, Forge())
    before = everything(log)
    worse = translator(log, Forge(prefix="x", broken=frozenset({"c3"})))
    report = worse.retranslate(at(60))
    assert report == RetranslateReport(applied=False, deliveries=2, failing={"missing_field": 1})
    assert (everything(log), log.end(STAGED), worse.quarantine.counts()) == (before, 0, {})
    accepted = worse.retranslate(at(60), accept_failures=True)
    assert (accepted.applied, accepted.removed, accepted.added, accepted.failing) == (True, 3, 2, {"missing_field": 1})
    assert worse.quarantine.counts() == {("forge", "missing_field"): 1}
    assert set(shas(log)) == {"direct", "c1", "c2"}


def test_known_failures_and_dropped_deliveries_do_not_stop_it(log: EventLog) -> None:
    deliveries.store(log, [delivery("d1", "c1"), delivery("d2", body=b"junk"), delivery("d3", "c3")], NOON)
    broken = translator(log, Forge(broken=frozenset({"c3"})))
    broken.run(NOON)
    dropped = broken.quarantine.entries(reason="missing_field")[0].failure.delivery
    broken.quarantine.drop([dropped], "not ours", NOON)
    fixed = translator(log, Forge())
    report = fixed.retranslate(at(60))
    assert report == RetranslateReport(applied=True, deliveries=2, kept=1)
    assert fixed.quarantine.counts() == {("forge", "bad_json"): 1}
    assert set(shas(log)) == {"c1"}


def test_what_a_crash_left_behind_is_not_taken_in(log: EventLog) -> None:
    fill(log, Forge())
    left = merged("left behind")
    log.append(STAGED, [Record(source=left.source, id=left.id, key="k", time=NOON, value=encode(left), origin=1)], NOON)
    before = everything(log)
    assert translator(log, Forge()).retranslate(at(60)).applied
    assert everything(log) == before


@pytest.mark.parametrize("prefix", ["", "fixed"])
def test_deliveries_translated_meanwhile_by_another_process_are_kept(log: EventLog, prefix: str) -> None:
    fill(log, Forge())

    def another(done: int, end: int) -> None:
        if (done, end) == (2, 2):
            deliveries.store(log, [delivery("d3", "c4")], NOON)
            translator(log, Forge()).run(at(3))

    translator(log, Forge(prefix=prefix)).retranslate(at(60), progress=another)
    assert (set(shas(log)), log.cursor(CURSOR)) == ({"direct", "c1", "c2", "c3", "c4"}, 3)
