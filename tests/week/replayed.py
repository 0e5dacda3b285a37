"""The recorded week, replayed once for all tests of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.cli.replay import Evening, Pulse, Replay
from pipeline.events.delivery import Delivery
from pipeline.events.times import from_us, to_us
from pipeline.metrics.catalogue import MetricPoint
from pipeline.simulate.week.recorded import Wanted, all_of_it, days

INITIATIVE = "onboarding"
HOUR = 3600.0


@dataclass(frozen=True)
class Week:
    """A replay that is over, its evenings by day, and the numbers of chosen moments."""

    replay: Replay
    evenings: dict[str, Evening]
    noted: dict[str, list[MetricPoint]]

    def pulse(self, day: str, clock: str) -> Pulse:
        """Return the standing that began at a time of a day; there must be one."""
        return next(each for each in self.evenings[day].pulses if f"{from_us(each.at):%H:%M:%S}" == clock)


def moment(day: int, clock: str) -> datetime:
    """Return an instant of the week; `day` is that of March 2026."""
    return datetime.fromisoformat(f"2026-03-{day:02d}T{clock}").replace(tzinfo=UTC)


def at_us(day: int, clock: str) -> int:
    """Return an instant of the week in microseconds."""
    return to_us(moment(day, clock))


def replayed(directory: Path, note: tuple[datetime, ...]) -> Week:
    """Replay the whole week; `note` are the moments after which the numbers are kept."""
    replay, evenings, noted = Replay(directory, INITIATIVE), {}, {}
    for day in days():
        for step in replay.day(day):
            if isinstance(step, Evening):
                evenings[step.day] = step
            elif step.at in note:
                noted[f"{step.at:%a %H:%M}"] = replay.wiring.metrics()
    return Week(replay, evenings, noted)


def taken(directory: Path, wanted: Wanted = all_of_it, *, until: datetime | None = None) -> Replay:
    """Take in the week up to an instant, without looking at it on the way."""
    replay = Replay(directory, INITIATIVE)
    for day in days(wanted=wanted):
        for step in day.moments:
            if until is None or step.at <= until:
                replay.take(step)
    return replay


def without(connector: str) -> Wanted:
    """Leave out what one connector was told."""

    def wanted(delivery: Delivery) -> bool:
        return delivery.connector != connector

    return wanted


def numbers(points: list[MetricPoint], scope: str, days: int | None = 7) -> dict[str, tuple[float, int]]:
    """Return metric (and stat, unless it is the value) -> (value, n) of one scope and window."""
    return {
        each.metric if each.stat == "value" else f"{each.metric} {each.stat}": (each.value, each.n)
        for each in points
        if each.scope == scope and each.window_days == days
    }
