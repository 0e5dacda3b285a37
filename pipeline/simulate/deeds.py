"""Deeds: what the processes of a simulation share about one change, deployment or incident."""

from __future__ import annotations

import msgspec


class Trouble(msgspec.Struct):
    """An incident as it stands: when it was resolved, None while it is open."""

    resolved_us: int | None = None


class Deployment(msgspec.Struct, kw_only=True):
    """A finished production deployment. `troubles` are the incidents linked to it; `seed`: the first of its service."""

    id: str
    service: str
    finished_us: int
    succeeded: bool
    seed: bool = False
    failed: bool = False
    rework: bool = False
    troubles: list[Trouble] = []
    rolled_back_us: int | None = None
    next_success_us: int | None = None

    def recovered_us(self) -> int | None:
        """Return when it was put right, or None while it is not."""
        ends = [self.rolled_back_us, self.next_success_us]
        if self.troubles and all(trouble.resolved_us is not None for trouble in self.troubles):
            ends.append(max(trouble.resolved_us or 0 for trouble in self.troubles))
        return min((end for end in ends if end is not None), default=None)


class Change(msgspec.Struct, kw_only=True):
    """A change on its way: instants in microseconds, None for what has not happened. `position` is that on main."""

    id: str
    services: tuple[str, ...]
    team: str
    authored_us: int
    is_commit: bool = False
    initiative: str | None = None
    ambiguous: bool = False
    unplanned: bool = False
    reviewed_us: int | None = None
    merged_us: int | None = None
    deployed_us: int | None = None
    position: int = 0
