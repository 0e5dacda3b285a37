"""Truths: what is so in a simulated organisation, known from how it was made and not from any metric's code.

Instants are microseconds since 1970, spans seconds, ratios in [0, 1]. A change is named as facts name it
(`acme/cart#7`, `acme/cart@<sha>`), a deployment by the source's own id. Numbers follow `docs/definitions.md`
and hold for the whole stream, duplicates and lateness or not.
"""

from __future__ import annotations

import msgspec


class ServiceTruth(msgspec.Struct, frozen=True, kw_only=True):
    """Production figures of one service under the name it had when each deployment finished."""

    service: str
    #: Deployments that succeeded, and those that succeeded or failed.
    deployments: int
    finished: int
    failed: int
    rework: int
    #: Recovery times of the failed deployments that have recovered, ascending, in seconds.
    recoveries: list[float]
    #: Lead and review times of its delivered changes but those of the seed, ascending, in seconds.
    lead_times: list[float]
    review_times: list[float]

    @property
    def lead_time_p50(self) -> float | None:
        """Median lead time, or None without one."""
        return median(self.lead_times)

    @property
    def review_time_p50(self) -> float | None:
        """Median review time, or None without one."""
        return median(self.review_times)

    @property
    def change_fail_rate(self) -> float | None:
        """Failed deployments / finished ones, or None if nothing finished."""
        return self.failed / self.finished if self.finished else None


class SpellTruth(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time (`start_us` <= finish < `end_us`) in which the deployments of a service went badly."""

    service: str
    start_us: int
    end_us: int
    #: Succeeded or failed in the spell, and which of them count as failed.
    finished: int
    failed: list[str]
    #: The same before the spell.
    finished_before: int
    failed_before: int
    #: (incident or rollback id, deployment id) for every failure linked to a deployment of the spell.
    links: list[tuple[str, str]]


class ReworkTruth(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time full of unplanned fixes on one service."""

    service: str
    start_us: int
    end_us: int
    #: The hotfixes that were opened in the spell.
    changes: list[str]
    #: Deployments that finished in the spell, and which of them are rework.
    finished: int
    rework: list[str]


class OrphanTruth(msgspec.Struct, frozen=True, kw_only=True):
    """A team whose work links to nothing: its opened changes, its deployed direct commits, its deployments."""

    team: str
    changes: list[str]
    commits: list[str]
    deployments: list[str]


class LateLink(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was orphan when it was deployed; at `linked_us` its ticket got an epic and it an initiative."""

    change: str
    ticket: str
    initiative: str
    deployed_us: int
    linked_us: int


class Ambiguity(msgspec.Struct, frozen=True, kw_only=True):
    """An opened change that names tickets of several initiatives."""

    change: str
    initiatives: tuple[str, str]


class ReorganisationTruth(msgspec.Struct, frozen=True, kw_only=True):
    """From `at_us` on one service has another owner, and another service another name.

    Counts are of successful production deployments before it and from it on; the renamed one's are under its old and
    its new name.
    """

    at_us: int
    rehomed: str
    owner_before: str
    owner_after: str
    rehomed_deployments: tuple[int, int]
    renamed: str
    name_after: str
    renamed_deployments: tuple[int, int]


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """Everything planted in the stream of one plan, None where the plan left it out."""

    #: Events of the organisation by type (without the contract), and the time of its last event.
    events: dict[str, int]
    as_of_us: int
    services: dict[str, ServiceTruth]
    #: Delivered changes that reach an initiative deterministically, by initiative, at the end.
    delivered: dict[str, int]
    #: The service whose changes wait long, and the part of the lead time in which they do: always the review.
    slow: str | None
    bad_spell: SpellTruth | None
    hotfix_spell: ReworkTruth | None
    orphans: OrphanTruth | None
    late_links: list[LateLink]
    ambiguous: list[Ambiguity]
    reorganisation: ReorganisationTruth | None


def median(ascending: list[float]) -> float | None:
    """Return the median of sorted numbers, interpolated between the middle two, or None if there are none."""
    if not ascending:
        return None
    middle = (len(ascending) - 1) / 2
    low, high = ascending[int(middle)], ascending[int(middle + 0.5)]
    return low + (high - low) * (middle - int(middle))
