"""Any way to append the same records ends in the same log, on every implementation."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import EVENTS, EventLog, Record
from pipeline.log.sqlite import SqliteLog
from tests.log.records import NOON, at, record

names = st.text(alphabet="ab01", min_size=1, max_size=2)
some_records = st.builds(
    record,
    names,
    st.sampled_from(["acme", "globex"]),
    key=names,
    time=st.integers(-1000, 1000).map(at),
    value=st.binary(max_size=20),
    origin=st.integers(0, 6),
)
batches = st.lists(st.lists(some_records, max_size=8), max_size=6)


def contents(log: EventLog) -> object:
    """Everything but the offsets, which may have gaps of their own."""
    stored = [msgspec.structs.replace(each, offset=0) for each in log.read(EVENTS)]
    values = [value for _, *value in log.read_values(EVENTS)]
    return stored, values, log.stat(EVENTS), log.generation(EVENTS)


@given(batches, st.integers(1, 5), st.lists(some_records, max_size=8), st.integers(0, 6))
@settings(max_examples=25)
def test_sqlite_and_memory_agree(told: list[list[Record]], partitions: int, staged: list[Record], upto: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        logs: list[EventLog] = [SqliteLog(Path(directory) / "log.db", partitions), MemoryLog(partitions)]
        outcomes = []
        for log in logs:
            appended = [log.append(EVENTS, batch, at(number)) for number, batch in enumerate(told)]
            before = contents(log)
            log.append("staged_events", staged, NOON)
            superseded = log.supersede(EVENTS, "staged_events", upto, at(50))
            outcomes.append((appended, before, superseded, contents(log)))
            log.check()
            log.close()
    assert outcomes[0] == outcomes[1]


@given(batches)
def test_how_records_are_batched_does_not_matter(told: list[list[Record]]) -> None:
    flat = [each for batch in told for each in batch]
    whole, parts = MemoryLog(), MemoryLog()
    counted = whole.append(EVENTS, flat, NOON)
    new = sum(parts.append(EVENTS, batch, NOON).new for batch in told)
    assert list(whole.read(EVENTS)) == list(parts.read(EVENTS))
    assert counted.new == new == len({(each.source, each.id) for each in flat})
    assert counted.new + counted.duplicates == len(flat)


@given(batches, st.integers(1, 4))
def test_pages_of_any_size_hold_everything_once(told: list[list[Record]], size: int) -> None:
    log = MemoryLog(partitions=2)
    for batch in told:
        log.append(EVENTS, batch, NOON)
    paged = [each for page in log.iterate(EVENTS, batch=size) for each in page]
    assert paged == list(log.read(EVENTS))
    assert len({each.offset for each in paged}) == log.stat(EVENTS).records
