"""Numbers to export, made up."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.events.times import to_us
from pipeline.exporter.model import LogFigures
from pipeline.log.protocol import StreamStat
from pipeline.metrics.catalogue import BY_NAME, CATALOGUE, MetricPoint

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def point(
    metric: str, value: float = 1.5, *, scope: tuple[str, str] = ("org", "all"), stat: str = "value", n: int = 3
) -> MetricPoint:
    known = BY_NAME[metric]
    return MetricPoint(
        metric=metric,
        stat=stat,
        scope_kind=scope[0],
        scope=scope[1],
        window_days=28 if known.windowed else None,
        value=value,
        n=n,
        unit="seconds" if known.unit == "count" and stat != "value" else known.unit,
        as_of=to_us(NOON),
    )


def everything() -> list[MetricPoint]:
    return [point(metric.name, stat=stat) for metric in CATALOGUE for stat in metric.stats]


def figures() -> LogFigures:
    def stat(name: str) -> StreamStat:
        return StreamStat(
            stream=name, records=3, bytes=30, partitions=1, first_time=None, last_time=None, last_recorded=None
        )

    return LogFigures(
        deliveries=stat("deliveries"), events=stat("events"), deliveries_end=7, events_end=9, translated=5
    )
