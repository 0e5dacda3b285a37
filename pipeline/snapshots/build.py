"""Taking a snapshot: what is different from the one before, as Parquet files under a new manifest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from pipeline.events.errors import Retryable
from pipeline.events.times import from_us
from pipeline.facts.state import State
from pipeline.log.protocol import EVENTS as STREAM
from pipeline.log.protocol import EventLog
from pipeline.metrics.windows import read_metrics
from pipeline.snapshots.catalogue import is_in_step, write_catalogue
from pipeline.snapshots.columns import METRIC_SCHEMA
from pipeline.snapshots.files import UNDATED, FileWriter, sweep
from pipeline.snapshots.index import Index
from pipeline.snapshots.lock import writing
from pipeline.snapshots.manifest import METRICS, Manifest, commit, current
from pipeline.snapshots.source import Source
from pipeline.snapshots.telling import Stamp, write_events, write_facts, write_withdrawn

Step = Callable[[str], None]


class Built(msgspec.Struct, frozen=True):
    """What a build did. `manifest` is the current snapshot; `new` False: it is the old one, nothing was different."""

    manifest: Manifest
    new: bool
    swept: int


class _Job(msgspec.Struct):
    """What one build works with."""

    source: Source
    log: EventLog
    directory: Path
    now: datetime
    version: str
    full: bool
    step: Step


def build(
    source: Source,
    log: EventLog,
    directory: Path,
    now: datetime,
    *,
    version: str,
    full: bool = False,
    step: Step = lambda _: None,
) -> Built:
    """Take a snapshot of the committed state and of the events that it was folded from.

    Cost follows what changed since the last snapshot, not the history. `full` compares every fact instead of those
    that changed, for a state that was made anew. `step` is told the name of each step before it is done. Raises
    `Retryable` when another process builds or the fold is behind the last snapshot, `Corrupt` when that is damaged.
    """
    job = _Job(source, log, directory, now, version, full, step)
    try:
        return _build(job)
    except OSError as error:
        raise Retryable(f"{directory}: no snapshot was taken ({error}); the one before it is still current") from error


def _build(job: _Job) -> Built:
    directory = job.directory
    with writing(directory):
        last = current(directory)
        swept = sweep(directory, 0 if last is None else last[1].number)
        with Index(directory) as index:
            index.catch_up()
            manifest = _take(job, index, last)
        if manifest is not None or not is_in_step(directory):
            job.step("catalogue")
            write_catalogue(directory)
    if manifest is not None:
        return Built(manifest, new=True, swept=swept)
    assert last is not None, "the first build always makes a snapshot"  # noqa: S101 - tells the type checker
    return Built(last[1], new=False, swept=swept)


def _take(job: _Job, index: Index, last: tuple[str, Manifest] | None) -> Manifest | None:
    """Write and commit a snapshot; None if it would say nothing new."""
    before = None if last is None else last[1]
    number = 1 if before is None else before.number + 1
    writer = FileWriter(job.directory, number)
    index.begin()
    try:
        with job.source.snapshot():
            manifest = _draft(job, index, writer, last, number)
        if before is not None and not writer.rows and manifest.position == before.position:
            index.commit(None, manifest.sequence)
            return None
        job.step("files")
        manifest = msgspec.structs.replace(manifest, files=writer.finish())
        job.step("manifest")
        digest = commit(job.directory, manifest)
        job.step("index")
        index.commit(digest, manifest.sequence)
    except BaseException:
        writer.abandon()
        raise
    return manifest


def _draft(job: _Job, index: Index, writer: FileWriter, last: tuple[str, Manifest] | None, number: int) -> Manifest:
    """Hand all rows to the writer and return the manifest, still without files."""
    source, before = job.source, None if last is None else last[1]
    position, as_of = int(source.mark("cursor") or 0), int(source.mark("as_of") or 0)
    if before is not None and position < before.position:
        raise Retryable(
            f"{job.directory}: the fold is at event {position}, the last snapshot at {before.position};"
            " run `leadline run --once` first, and build again when it is done"
        )
    taken_at = job.now if before is None else max(job.now, before.taken_at + timedelta(microseconds=1))
    stamp = Stamp(number, taken_at)
    job.step("facts")
    sequence = source.sequence()
    write_facts(source, index, writer, stamp, 0 if job.full or sequence < index.sequence else index.sequence)
    job.step("events")
    generation = job.log.generation(STREAM)
    withdrawn = 0 if before is None else before.retracted_events
    if before is not None and generation != before.generation:
        withdrawn += write_withdrawn(job.log, job.directory, writer, stamp, before.position)
    write_events(job.log, writer, stamp, 0 if before is None else before.position, position)
    if as_of and (writer.rows or before is None or position != before.position):
        job.step("metrics")
        _write_metrics(source, writer, stamp, from_us(as_of))
    return Manifest(
        number=number,
        taken_at=taken_at,
        as_of=from_us(as_of) if as_of else None,
        position=position,
        generation=generation,
        sequence=sequence,
        contract=source.mark("contract"),
        version=job.version,
        previous=None if before is None else before.number,
        previous_sha256=None if last is None else last[0],
        files=[],
        retracted_events=withdrawn,
    )


def _write_metrics(source: Source, writer: FileWriter, stamp: Stamp, as_of: datetime) -> None:
    for point in read_metrics(State(source), as_of, latest=as_of):
        row = msgspec.structs.asdict(point) | msgspec.structs.asdict(stamp)
        writer.add((METRICS, METRICS, UNDATED), METRIC_SCHEMA, row)
