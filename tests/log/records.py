"""Records to put into a log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from pipeline.log.protocol import Record, Stored

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def record(
    identity: str = "a",
    source: str = "acme",
    *,
    key: str = "shop",
    time: datetime = NOON,
    value: bytes | None = None,
    origin: int = 0,
) -> Record:
    """A record with its id as value, unless told otherwise."""
    told = identity.encode() if value is None else value
    return Record(source=source, id=identity, key=key, time=time, value=told, origin=origin)


def ids(stored: Iterable[Stored]) -> list[str]:
    return [each.id for each in stored]
