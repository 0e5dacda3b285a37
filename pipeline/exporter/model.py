"""What the exporter is handed: numbers that were computed before anybody asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.log.protocol import StreamStat
from pipeline.metrics.catalogue import MetricPoint


@dataclass(frozen=True, kw_only=True)
class ReadModel:
    """Everything that a surface shows, as of one commit of the fold. Never changed, only replaced.

    `points` are sorted as `read_metrics` returns them, and `as_of` is None before the first event. `position` is the
    offset of the last event folded, `sequence` the number of the commit; together they identify the numbers.
    `quarantined` counts open deliveries by (connector, reason).
    """

    points: tuple[MetricPoint, ...] = ()
    as_of: datetime | None = None
    position: int = 0
    sequence: int = 0
    quarantined: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LogFigures:
    """How far the log reaches, at the moment. `translated` is the offset of the last delivery translated."""

    deliveries: StreamStat
    events: StreamStat
    deliveries_end: int
    events_end: int
    translated: int

    @property
    def untranslated(self) -> int:
        """Offsets of deliveries that wait for translation."""
        return max(0, self.deliveries_end - self.translated)

    def unfolded(self, position: int) -> int:
        """Offsets of events after `position`, up to which they are folded."""
        return max(0, self.events_end - position)


@dataclass(frozen=True)
class TableSize:
    """How large a table of the derived state is; `bytes` are those of its keys and values."""

    rows: int
    bytes: int


@dataclass(frozen=True)
class SnapshotFigures:
    """The latest snapshot: when it was taken, and the offset of the last event in it."""

    taken_at: datetime
    position: int


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is kept beside the log, as last looked at.

    `snapshots_readable` None: there is no directory of snapshots to look at. `snapshot` None: there is none, or it
    cannot be read.
    """

    tables: Mapping[str, TableSize] = field(default_factory=dict)
    snapshots_readable: bool | None = None
    snapshot: SnapshotFigures | None = None


@dataclass(frozen=True, kw_only=True)
class Build:
    """What runs here: the release, and the version of the log's schema."""

    version: str
    schema: int
