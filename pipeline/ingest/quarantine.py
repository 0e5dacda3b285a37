"""Quarantine: deliveries that cannot become events, each with its reason, until a fix, or a person, settles them.

What happens to an entry is a stream of marks in the log, so that it is as durable as the delivery itself and nothing
is ever forgotten: an entry is open, resolved (it was translated after all) or dropped (a person decided so).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from threading import Lock
from typing import Literal

import msgspec

from pipeline.events.errors import ConfigError, Corrupt
from pipeline.log.protocol import EventLog, Record, Stored

QUARANTINE = "quarantine"
MAX_DETAIL = 2_000

State = Literal["open", "resolved", "dropped"]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why the delivery at the offset `delivery` cannot become events."""

    delivery: int
    connector: str
    kind: str
    reason: str
    detail: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that failed, as it stands. `recorded`: when it came to its state; `note`: why it was dropped."""

    failure: Failure
    state: State
    recorded: datetime
    note: str = ""


class _Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    state: State
    failure: Failure
    note: str = ""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Mark)


class Quarantine:
    """The entries of a log. One object reads the marks once and then only what is new; threads may share it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._lock = Lock()
        self._position = 0
        self._entries: dict[int, Entry] = {}
        self._marks: Counter[int] = Counter()

    def settle(self, failed: Collection[Failure], succeeded: Collection[int], recorded: datetime) -> int:
        """Record how a translation went: `failed` opens entries, `succeeded` (delivery offsets) resolves open ones.

        Does nothing for what is so already, so it may be repeated after a crash. Returns how many were resolved.
        """
        if not failed and not succeeded:
            return 0
        with self._lock:
            self._refresh()
            marks = [_Mark(state="open", failure=_cut(each)) for each in failed]
            marks = [mark for mark in marks if not self._stands(mark)]
            healed = [
                entry for offset in succeeded if (entry := self._entries.get(offset)) and entry.state != "resolved"
            ]
            marks += [_Mark(state="resolved", failure=entry.failure) for entry in healed]
            self._append(marks, recorded)
        return len(healed)

    def drop(self, deliveries: Iterable[int], note: str, recorded: datetime) -> int:
        """Settle open entries without translating them; the deliveries stay in the log. Returns how many.

        Raises `ConfigError`, and drops none, if one is not open or `note`, the reason, is empty.
        """
        if not note.strip():
            raise ConfigError("a reason is needed to drop a delivery; it is kept with the entry")
        with self._lock:
            self._refresh()
            marks = []
            for offset in dict.fromkeys(deliveries):
                entry = self._entries.get(offset)
                if entry is None or entry.state != "open":
                    raise ConfigError(
                        f"delivery {offset} is not open in the quarantine; see `leadline quarantine list`"
                    )
                marks.append(_Mark(state="dropped", failure=entry.failure, note=note.strip()))
            self._append(marks, recorded)
        return len(marks)

    def entries(
        self, state: State | None = "open", connector: str | None = None, reason: str | None = None
    ) -> list[Entry]:
        """Return the entries in a state (None: in any), optionally of one connector or reason, by delivery offset."""
        with self._lock:
            self._refresh()
            found = [entry for _, entry in sorted(self._entries.items())]
        return [
            entry
            for entry in found
            if (state is None or entry.state == state)
            and (connector is None or entry.failure.connector == connector)
            and (reason is None or entry.failure.reason == reason)
        ]

    def entry(self, delivery: int) -> Entry | None:
        """Return the entry of the delivery at an offset, in whatever state; None if it never failed."""
        with self._lock:
            self._refresh()
            return self._entries.get(delivery)

    def counts(self) -> dict[tuple[str, str], int]:
        """Return the number of open entries by (connector, reason)."""
        return dict(Counter((entry.failure.connector, entry.failure.reason) for entry in self.entries()))

    def _stands(self, mark: _Mark) -> bool:
        entry = self._entries.get(mark.failure.delivery)
        return entry is not None and entry.state == mark.state and entry.failure == mark.failure

    def _append(self, marks: Sequence[_Mark], recorded: datetime) -> None:
        records = [
            Record(
                source=QUARANTINE,
                # Numbered within the delivery, so that a mark repeated after a crash is a duplicate.
                id=f"{mark.failure.delivery}/{self._marks[mark.failure.delivery] + 1}",
                key=mark.failure.connector,
                time=recorded,
                value=_encoder.encode(mark),
                origin=mark.failure.delivery,
            )
            for mark in marks
        ]
        self._log.append(QUARANTINE, records, recorded)
        self._refresh()

    def _refresh(self) -> None:
        for batch in self._log.iterate(QUARANTINE, after=self._position):
            for stored in batch:
                mark = _mark(stored)
                offset = mark.failure.delivery
                self._marks[offset] += 1
                self._entries[offset] = Entry(
                    failure=mark.failure, state=mark.state, recorded=stored.recorded, note=mark.note
                )
            self._position = batch[-1].offset


def _mark(stored: Stored) -> _Mark:
    try:
        return _decoder.decode(stored.value)
    except msgspec.MsgspecError as error:
        raise Corrupt(f"record {stored.offset} of the stream {QUARANTINE} is no mark: {error}") from error


def _cut(failure: Failure) -> Failure:
    if len(failure.detail) <= MAX_DETAIL:
        return failure
    return msgspec.structs.replace(failure, detail=failure.detail[:MAX_DETAIL] + " ...")
