"""The rows of a snapshot: facts that are no longer what the snapshot before says, and events that came since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq

from pipeline.events.times import to_us
from pipeline.facts.rows import FACTS as KINDS
from pipeline.facts.rows import Fact
from pipeline.log.protocol import EVENTS as STREAM
from pipeline.log.protocol import EventLog
from pipeline.snapshots.columns import EVENT_SCHEMA, FACT_SCHEMAS, fact_row, revision_of
from pipeline.snapshots.files import FileWriter, month_of
from pipeline.snapshots.index import Index, Said
from pipeline.snapshots.manifest import EVENTS, FACTS, chain
from pipeline.snapshots.source import Source

UNREADABLE = "unreadable"
_BATCH = 10_000


class Stamp(msgspec.Struct, frozen=True):
    """What all rows of one snapshot carry."""

    snapshot: int
    taken_at: datetime


_NULL = msgspec.Raw(b"null")


class _Subject(msgspec.Struct):
    content: msgspec.Raw = _NULL


class _Document(msgspec.Struct):
    customData: msgspec.Raw = _NULL
    subject: _Subject = msgspec.field(default_factory=_Subject)


class _Told(msgspec.Struct):
    """An event of any type and release, its payload unread."""

    id: str
    source: str
    type: str
    time: datetime
    subject: str = ""
    partitionkey: str = ""
    data: _Document = msgspec.field(default_factory=_Document)


_told = msgspec.json.Decoder(_Told)


def write_facts(source: Source, index: Index, writer: FileWriter, stamp: Stamp, since: int) -> None:
    """Write the facts that commits after `since` made different from what was said; 0: compare all of them."""
    for kind, fact in KINDS.items():
        decode = msgspec.msgpack.Decoder(fact).decode
        seen: set[str] = set()
        for identity, raw in source.facts_since(kind, since):
            if since == 0:
                seen.add(identity)
            _write_fact(index, writer, stamp, (kind, identity), None if raw is None else decode(raw))
        if since == 0:
            for identity in index.standing(kind):
                if identity not in seen:
                    _write_fact(index, writer, stamp, (kind, identity), None)


def _write_fact(index: Index, writer: FileWriter, stamp: Stamp, name: tuple[str, str], fact: Fact | None) -> None:
    kind, identity = name
    said = index.said(kind, identity)
    row: dict[str, Any] = {"id": identity} if fact is None else fact_row(fact)
    revision = None if fact is None else revision_of(row)
    if revision == (None if said is None else said.revision):
        return
    # A retraction is filed where the fact was: it has no day of its own.
    month = said.month if fact is None and said is not None else month_of(None if fact is None else fact.day_us())
    row |= msgspec.structs.asdict(stamp) | {
        "retracted": fact is None,
        "revision": revision,
        "replaces": None if said is None else said.snapshot,
    }
    writer.add((FACTS, kind, month), FACT_SCHEMAS[kind], row)
    index.say(kind, identity, Said(revision, month, stamp.snapshot))


def write_events(log: EventLog, writer: FileWriter, stamp: Stamp, after: int, upto: int) -> None:
    """Write the events with `after` < offset <= `upto`."""
    while after < upto:
        rows = log.read_values(STREAM, after, _BATCH)
        for offset, recorded, value in rows:
            if offset > upto:
                return
            _write_event(writer, stamp, offset, {"recorded": recorded, **_event_row(value)})
        if not rows:
            return
        after = rows[-1][0]


def _event_row(value: bytes) -> dict[str, Any]:
    try:
        told = _told.decode(value)
    except msgspec.DecodeError:
        payload = msgspec.json.encode(value.decode(errors="replace")).decode()
        return {"id": "", "source": "", "type": UNREADABLE, "payload": payload}
    standard = told.type.startswith("dev.cdevents.")
    return {
        "id": told.id,
        "source": told.source,
        "type": told.type,
        "time": told.time,
        "subject": told.subject,
        "partitionkey": told.partitionkey,
        "payload": bytes(told.data.customData if standard else told.data.subject.content).decode(),
    }


def _write_event(writer: FileWriter, stamp: Stamp, position: int, row: dict[str, Any]) -> None:
    time = row.get("time")
    month = month_of(None if time is None else to_us(time))
    told = row | msgspec.structs.asdict(stamp) | {"position": position, "retracted": False}
    writer.add((EVENTS, row["type"], month), EVENT_SCHEMA, told)


def write_withdrawn(log: EventLog, directory: Path, writer: FileWriter, stamp: Stamp, upto: int) -> int:
    """Mark the events that were written before and that the log has since taken back; returns how many.

    Reads the positions of all events: the log is rewritten only when deliveries are translated again.
    """
    standing = set(_positions(log, upto))
    withdrawn: dict[int, tuple[str, str]] = {}
    known: set[int] = set()
    for _, manifest in chain(directory):
        for file in manifest.files:
            if file.room == EVENTS:
                table = pq.read_table(directory / file.path, columns=["position", "retracted"])
                for row in table.to_pylist():
                    if row["retracted"]:
                        known.add(row["position"])
                    elif row["position"] not in standing:
                        withdrawn[row["position"]] = (file.part, file.month)
    gone = sorted(withdrawn.keys() - known)
    for position in gone:
        kind, month = withdrawn[position]
        row = {"position": position, "type": kind, "retracted": True, **msgspec.structs.asdict(stamp)}
        writer.add((EVENTS, kind, month), EVENT_SCHEMA, row)
    return len(gone)


def _positions(log: EventLog, upto: int) -> Iterator[int]:
    after = 0
    while after < upto and (rows := log.read_values(STREAM, after, _BATCH)):
        yield from (offset for offset, _, _ in rows if offset <= upto)
        after = rows[-1][0]
