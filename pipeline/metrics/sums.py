"""What one scope adds up to in one window, by family of metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.metrics.catalogue import CATALOGUE, PERCENTILES
from pipeline.metrics.coordination import LATENCIES, TeamworkCell
from pipeline.metrics.delivery import Cell

#: (metric, stat, value, n)
Value = tuple[str, str, float, int]

_COUNTS = ("delivered", "finished", "failed", "rework", "traced", "ambiguous", "orphan")
_SPANS = tuple(
    metric.name for metric in CATALOGUE if metric.unit == "seconds" and metric.name in Cell.__struct_fields__
)
_WAITS = (*LATENCIES.values(), "discovery_lag", "flow_time", "blocked_time")
_TEAMWORK = tuple(name for name in TeamworkCell.__struct_fields__ if name not in _WAITS)


def quantile(ordered: list[int], share: float) -> float:
    """Return the linearly interpolated quantile of a sorted, non-empty list (DuckDB's `quantile_cont`)."""
    place = (len(ordered) - 1) * share
    lower = int(place)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (ordered[upper] - ordered[lower]) * (place - lower)


def percentiles(metric: str, milliseconds: list[int]) -> Iterator[Value]:
    """Yield the percentiles of spans, in seconds; nothing for none. Sorts the list."""
    if milliseconds:
        milliseconds.sort()
        for stat, share in PERCENTILES.items():
            yield metric, stat, quantile(milliseconds, share) / 1000, len(milliseconds)


class DeliverySums:
    """Deployments and changes."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(_COUNTS, 0)
        self._spans: dict[str, list[int]] = {name: [] for name in _SPANS}

    def add(self, cell: Cell) -> None:
        """Add a day."""
        for name in _COUNTS:
            self._counts[name] += getattr(cell, name)
        for name in _SPANS:
            self._spans[name] += getattr(cell, name)

    def values(self, days: int, *, instability: bool) -> Iterable[Value]:
        """Yield what has data in a window of so many days. `instability`: it is known at all."""
        counts = self._counts
        if counts["delivered"]:
            yield "deployment_frequency", "value", counts["delivered"] / days, counts["delivered"]
        if counts["finished"] and instability:
            yield "change_fail_rate", "value", counts["failed"] / counts["finished"], counts["finished"]
            yield "deployment_rework_rate", "value", counts["rework"] / counts["finished"], counts["finished"]
        traceable = counts["traced"] + counts["ambiguous"] + counts["orphan"]
        if traceable:
            yield "traceability_coverage", "value", counts["traced"] / traceable, traceable
            yield "orphan_deployments", "value", counts["orphan"], traceable
            yield "ambiguous_deployments", "value", counts["ambiguous"], traceable
        for name, spans in self._spans.items():
            yield from percentiles(name, spans)


class TeamworkSums:
    """Tickets, waits, decisions and artifacts. `waits` holds the spans by metric, in milliseconds."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(_TEAMWORK, 0)
        self.waits: dict[str, list[int]] = {name: [] for name in _WAITS}

    def add(self, cell: TeamworkCell) -> None:
        """Add a day."""
        for name in _TEAMWORK:
            self._counts[name] += getattr(cell, name)
        for name in _WAITS:
            self.waits[name] += getattr(cell, name)

    def values(self) -> Iterable[Value]:
        """Yield what has data."""
        counts = self._counts
        known = counts["active"] + counts["waiting"]
        shares = (
            ("late_discovery_rate", counts["found_late"], len(self.waits["discovery_lag"])),
            ("handoff_return_rate", counts["returned"], counts["handed_over"]),
            ("reasoned_moves", counts["reasoned"], counts["moves"]),
            ("assisted_share", counts["assisted"], counts["delivered"]),
            ("context_integrity", counts["linked"], counts["artifacts"]),
        )
        for metric, part, whole in shares:
            if whole:
                yield metric, "value", part / whole, whole
        if known:
            yield "flow_efficiency", "value", counts["active"] / known, counts["finished"]
        for name, spans in self.waits.items():
            yield from percentiles(name, spans)
