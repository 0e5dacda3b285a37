"""The tally: takes down, while the world runs, what its processes do, and ends as the truth."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import msgspec

from pipeline.events.times import seconds_between
from pipeline.simulate.cast import Cast
from pipeline.simulate.declarations import new_owner, reorganised_us, successor
from pipeline.simulate.deeds import Change, Deployment
from pipeline.simulate.plan import Plan
from pipeline.simulate.truths import (
    Ambiguity,
    LateLink,
    OrphanTruth,
    ReorganisationTruth,
    ReworkTruth,
    ServiceTruth,
    SpellTruth,
    Truth,
)

#: When the bad deployments and the hotfixes fall, as shares of the simulated span.
BAD_SPELL = (0.55, 0.70)
HOTFIX_SPELL = (0.62, 0.77)


class _Count(msgspec.Struct):
    """Running figures of one service."""

    deployments: int = 0
    finished: int = 0
    failed: int = 0
    rework: int = 0
    moved: int = 0  # deployments from the re-organisation on
    lead_us: array[int] = msgspec.field(default_factory=lambda: array("q"))
    review_us: array[int] = msgspec.field(default_factory=lambda: array("q"))
    failures: list[Deployment] = []


class Tally:
    """Takes down what happens. The world's processes call it in event-time order."""

    def __init__(self, plan: Plan, cast: Cast) -> None:
        self._plan, self._cast = plan, cast
        self._counts: dict[str, _Count] = {}
        self._delivered: dict[str, int] = {}
        self._bad = _Spell(plan, cast.bad, BAD_SPELL)
        self._hot = _Spell(plan, cast.hot, HOTFIX_SPELL)
        self._hotfixes: list[str] = []
        self._rework: list[str] = []
        self._orphan_changes: list[str] = []
        self._orphan_commits: list[str] = []
        self._orphan_deployments: dict[str, None] = {}
        self._late: list[LateLink] = []
        self._ambiguous: list[Ambiguity] = []

    def opened(self, change: Change, now: int, rivals: tuple[str, str] | None) -> None:
        """A change was opened; `rivals` are the initiatives among which it cannot choose."""
        if change.team == self._cast.orphans:
            self._orphan_changes.append(change.id)
        if rivals is not None:
            self._ambiguous.append(Ambiguity(change=change.id, initiatives=rivals))
        if change.unplanned and self._cast.hot in change.services and self._hot.covers(now):
            self._hotfixes.append(change.id)

    def finished(self, deployment: Deployment, delivered: Iterable[Change], *, caused: bool) -> None:
        """A production deployment ended, well or not; `caused`: the source says an incident made it necessary."""
        count = self._counts.setdefault(deployment.service, _Count())
        count.finished += 1
        self._bad.finish(deployment)
        self._hot.finish(deployment)
        if caused:
            self._reworked(deployment)
        if not deployment.succeeded:
            self.failed(deployment)
            return
        deployment.seed = count.deployments == 0
        count.deployments += 1
        count.moved += deployment.finished_us >= reorganised_us(self._plan)
        for change in delivered:
            self._deliver(change, deployment)

    def _reworked(self, deployment: Deployment) -> None:
        if deployment.rework:
            return
        deployment.rework = True
        self._counts[deployment.service].rework += 1
        if self._hot.holds(deployment):
            self._rework.append(deployment.id)

    def _deliver(self, change: Change, deployment: Deployment) -> None:
        count = self._counts[deployment.service]
        if change.unplanned:
            self._reworked(deployment)
        if change.team == self._cast.orphans:
            self._orphan_deployments[deployment.id] = None
        if change.initiative is not None and not change.ambiguous:
            self._delivered[change.initiative] = self._delivered.get(change.initiative, 0) + 1
        if change.is_commit and change.team == self._cast.orphans:
            self._orphan_commits.append(change.id)
        if deployment.seed or change.deployed_us is None:
            return
        count.lead_us.append(change.deployed_us - change.authored_us)
        if change.reviewed_us is not None and change.merged_us is not None:
            count.review_us.append(change.merged_us - change.reviewed_us)

    def failed(self, deployment: Deployment) -> None:
        """A deployment counts as failed from now on. Saying so again changes nothing."""
        if deployment.failed:
            return
        deployment.failed = True
        count = self._counts[deployment.service]
        count.failed += 1
        count.failures.append(deployment)
        self._bad.fail(deployment)

    def linked(self, failure: str, deployment: Deployment) -> None:
        """An incident or a rollback is put down to a deployment."""
        self.failed(deployment)
        if self._bad.holds(deployment):
            self._bad.links.append((failure, deployment.id))

    def epic_came(self, change: Change, ticket: str, initiative: str, now: int) -> None:
        """The ticket of a change got its epic."""
        if change.deployed_us is None:
            change.initiative = initiative
            return
        self._delivered[initiative] = self._delivered.get(initiative, 0) + 1
        self._late.append(
            LateLink(
                change=change.id, ticket=ticket, initiative=initiative, deployed_us=change.deployed_us, linked_us=now
            )
        )

    def truth(self, events: dict[str, int], as_of_us: int) -> Truth:
        """Return everything taken down so far."""
        cast = self._cast
        return Truth(
            events=events,
            as_of_us=as_of_us,
            services={name: _service_truth(name, count) for name, count in sorted(self._counts.items())},
            delivered=dict(sorted(self._delivered.items())),
            slow=cast.slow,
            bad_spell=self._bad.truth(),
            hotfix_spell=self._rework_truth(),
            orphans=None
            if cast.orphans is None
            else OrphanTruth(
                team=cast.orphans,
                changes=self._orphan_changes,
                commits=self._orphan_commits,
                deployments=list(self._orphan_deployments),
            ),
            late_links=self._late,
            ambiguous=self._ambiguous,
            reorganisation=self._reorganisation(),
        )

    def _rework_truth(self) -> ReworkTruth | None:
        if self._hot.service is None:
            return None
        return ReworkTruth(
            service=self._hot.service,
            start_us=self._hot.start_us,
            end_us=self._hot.end_us,
            changes=self._hotfixes,
            finished=self._hot.finished,
            rework=self._rework,
        )

    def _reorganisation(self) -> ReorganisationTruth | None:
        rehomed, renamed = self._cast.rehomed, self._cast.renamed
        if rehomed is None or renamed is None:
            return None
        moved, before, after = (self._counts.get(name, _Count()) for name in (rehomed, renamed, successor(renamed)))
        owner = next(service.owner for service in self._cast.services if service.name == rehomed)
        return ReorganisationTruth(
            at_us=reorganised_us(self._plan),
            rehomed=rehomed,
            owner_before=owner,
            owner_after=new_owner(self._cast, owner),
            rehomed_deployments=(moved.deployments - moved.moved, moved.moved),
            renamed=renamed,
            name_after=successor(renamed),
            renamed_deployments=(before.deployments, after.deployments),
        )


class _Spell:
    """Figures of one service inside and before a stretch of time."""

    def __init__(self, plan: Plan, service: str | None, shares: tuple[float, float]) -> None:
        self.service = service
        self.start_us, self.end_us = plan.moment_us(shares[0]), plan.moment_us(shares[1])
        self.finished = 0
        self.links: list[tuple[str, str]] = []
        self._failed: list[str] = []
        self._before = [0, 0]

    def covers(self, moment: int) -> bool:
        return self.start_us <= moment < self.end_us

    def holds(self, deployment: Deployment) -> bool:
        return deployment.service == self.service and self.covers(deployment.finished_us)

    def finish(self, deployment: Deployment) -> None:
        if self.holds(deployment):
            self.finished += 1
        elif deployment.service == self.service and deployment.finished_us < self.start_us:
            self._before[0] += 1

    def fail(self, deployment: Deployment) -> None:
        if self.holds(deployment):
            self._failed.append(deployment.id)
        elif deployment.service == self.service and deployment.finished_us < self.start_us:
            self._before[1] += 1

    def truth(self) -> SpellTruth | None:
        if self.service is None:
            return None
        return SpellTruth(
            service=self.service,
            start_us=self.start_us,
            end_us=self.end_us,
            finished=self.finished,
            failed=sorted(self._failed),
            finished_before=self._before[0],
            failed_before=self._before[1],
            links=sorted(self.links),
        )


def _service_truth(name: str, count: _Count) -> ServiceTruth:
    recovered = [(each.finished_us, each.recovered_us()) for each in count.failures]
    return ServiceTruth(
        service=name,
        deployments=count.deployments,
        finished=count.finished,
        failed=count.failed,
        rework=count.rework,
        recoveries=sorted(seconds_between(start, end) for start, end in recovered if end is not None),
        lead_times=sorted(seconds_between(0, us) for us in count.lead_us),
        review_times=sorted(seconds_between(0, us) for us in count.review_us),
    )
