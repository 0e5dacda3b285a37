"""The plan: everything that decides how a simulated organisation turns out."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from pipeline.events.errors import ConfigError
from pipeline.events.times import DAY_US, to_us

START = datetime(2026, 1, 5, tzinfo=UTC)
MOST_DAYS, MOST_TEAMS, MOST_EVENTS = 3_660, 200, 50_000_000

#: Changes that a service begins on an average day, when the number of events is not given.
CHANGES_A_DAY = 0.8
#: How many events one begun change brings about, all told: tickets, commits, reviews, runs, deployments, incidents.
EVENTS_PER_CHANGE = 25.0
SERVICES_PER_TEAM = 2


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to simulate. The same plan gives the same events, byte for byte, in every process.

    `events` asks for about that many (without the contract); None: as many as the days and teams bring about.
    The switches plant one truth each; `truths.Truth` tells what came of it. Raises `ConfigError` for a
    value that cannot be simulated, naming it.
    """

    seed: int = 7
    days: int = 120
    teams: int = 6
    events: int | None = None
    start: datetime = START
    slow_service: bool = True
    bad_spell: bool = True
    hotfix_spell: bool = True
    orphan_team: bool = True
    late_links: bool = True
    ambiguity: bool = True
    reorganisation: bool = True

    def __post_init__(self) -> None:
        _within("seed", self.seed, 0, 2**63 - 1)
        _within("days", self.days, 7, MOST_DAYS)
        _within("teams", self.teams, 1, MOST_TEAMS)
        if self.events is not None:
            _within("events", self.events, 1, MOST_EVENTS)
        if self.start.tzinfo is None:
            raise ConfigError(f"simulate: start {self.start.isoformat()} has no time zone; add one, such as 'Z'")

    @property
    def start_us(self) -> int:
        """The first instant, in microseconds since 1970."""
        return to_us(self.start)

    @property
    def end_us(self) -> int:
        """The instant at which the simulation stops; every event is earlier."""
        return self.start_us + self.days * DAY_US

    @property
    def pace(self) -> float:
        """How long waits are against those of a long simulation; a short one is quicker, so that work gets done."""
        return min(1.0, self.days / 60)

    @property
    def gap_us(self) -> float:
        """The mean span between two changes of one service, in microseconds."""
        if self.events is None:
            return DAY_US / CHANGES_A_DAY
        changes = self.events / EVENTS_PER_CHANGE / (self.teams * SERVICES_PER_TEAM)
        return self.days * DAY_US / changes

    def moment_us(self, share: float) -> int:
        """Return the full UTC day at `share` (0 to 1) of the simulated span, in microseconds since 1970."""
        return self.start_us + int(self.days * share) * DAY_US


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ConfigError(f"simulate: {name} is {value}; give a whole number from {low} to {high}")
