"""Reading the recorded week: what came in when, and which contract files were applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path

import msgspec

from pipeline.events.delivery import Delivery
from pipeline.events.errors import Corrupt

#: Where the week lies, installed or not.
HOME = Path(__file__).parent

#: Whether a delivery is part of the replay.
Wanted = Callable[[Delivery], bool]


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    """A delivery, or (`contract`) the names of the contract files that were applied."""

    received_at: datetime
    contract: list[str] = []
    connector: str = ""
    kind: str = ""
    id: str = ""
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw(b"")


class Moment(msgspec.Struct, frozen=True):
    """What happened at one instant: contract files were applied, deliveries came in."""

    at: datetime
    contract: list[Path]
    deliveries: list[Delivery]


class Day(msgspec.Struct, frozen=True):
    """One day of the week, its moments in their order."""

    name: str
    moments: list[Moment]


_decoder = msgspec.json.Decoder(_Line)


def all_of_it(_: Delivery) -> bool:
    """Leave nothing out."""
    return True


def days(home: Path = HOME, wanted: Wanted = all_of_it) -> list[Day]:
    """Return the days in order, with the deliveries that are wanted. Raises `Corrupt` naming file and line."""
    return [_day(path, home / "contract", wanted) for path in sorted((home / "days").glob("*.ndjson"))]


def _day(path: Path, contract: Path, wanted: Wanted) -> Day:
    lines = sorted(_lines(path), key=_received)
    moments = [_moment(at, list(found), contract, wanted) for at, found in groupby(lines, _received)]
    return Day(path.stem.partition("-")[2], [each for each in moments if each.contract or each.deliveries])


def _received(line: _Line) -> datetime:
    return line.received_at


def _moment(at: datetime, lines: Sequence[_Line], contract: Path, wanted: Wanted) -> Moment:
    deliveries = [delivery for line in lines if line.connector and wanted(delivery := _delivery(line))]
    return Moment(at, [contract / name for line in lines for name in line.contract], deliveries)


def _delivery(line: _Line) -> Delivery:
    return Delivery(
        connector=line.connector,
        id=line.id,
        kind=line.kind,
        received_at=line.received_at,
        body=bytes(line.body),
        headers=line.headers,
    )


def _lines(path: Path) -> Iterator[_Line]:
    for number, text in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            line = _decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Corrupt(f"{path}:{number}: no line of a recorded week: {error}; install Leadline again") from error
        if not line.contract and not (line.connector and line.id and line.kind):
            raise Corrupt(f"{path}:{number}: neither `contract` nor `connector`, `kind` and `id`")
        yield line
