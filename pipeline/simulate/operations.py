"""Processes of what runs: deployments to staging and production, incidents, rollbacks, releases."""

from __future__ import annotations

from pipeline.events.times import from_us
from pipeline.events.types import ArtifactPublished, DeploymentEvent, IncidentEvent, ServiceRolledBack
from pipeline.simulate.changes import ChangeLife
from pipeline.simulate.declarations import reorganised_us, successor
from pipeline.simulate.deeds import Change, Deployment, Trouble
from pipeline.simulate.tally import BAD_SPELL
from pipeline.simulate.world import DAY, HOUR, MINUTE, Process, Running, World

SUCCEEDED, STARTED, FAILED, CANCELLED = DeploymentEvent.TYPES
DETECTED, REPORTED, RESOLVED, REOPENED = IncidentEvent.TYPES
ROLLED_BACK = ServiceRolledBack.TYPES[0]
PUBLISHED = ArtifactPublished.TYPES[0]

#: Shares of production deployments that fail outright, and that cause trouble later: usually, and in the bad spell.
FAILING = (0.02, 0.20)
TROUBLING = (0.06, 0.60)
ATTRIBUTION_US = 72 * 3_600 * 1_000_000
CHANGES_PER_DEPLOYMENT = 3


class Conveyor:
    """Brings what landed on main to staging and production, again and again. `run` is its process."""

    def __init__(self, world: World, running: Running) -> None:
        self._world, self._running = world, running
        interval = CHANGES_PER_DEPLOYMENT * world.plan.gap_us / 1_000_000
        self._interval = min(max(interval, 30 * MINUTE), 2 * DAY * world.plan.pace)
        self._deployments = 0

    def run(self) -> Process:
        """The process; it never ends by itself."""
        while True:
            yield self._interval * (0.5 + self._world.chance.whole(0, 100) / 100)
            if any(change.deployed_us is None for change in self._running.pending):
                yield from self._deliver()

    def _deliver(self) -> Process:
        """One train: what main holds now goes to staging, and if that works to production."""
        chance, repo = self._world.chance, self._running.repo
        sha, position = repo.head or "", repo.landed
        staging = self._place("staging", sha)
        self._tell(STARTED, staging)
        yield self._world.wait(4 * MINUTE)
        if chance.happens(0.05):
            self._tell(FAILED, staging)
            return
        self._tell(SUCCEEDED, staging)
        yield self._world.wait(HOUR)
        caused_by = self._running.urgent if chance.happens(0.5) else None
        production = self._place(self._running.service.production, sha, caused_by)
        self._tell(STARTED, production)
        if chance.happens(0.03):
            yield MINUTE
            self._tell(CANCELLED, production)
            return
        yield self._world.wait(8 * MINUTE)
        bad = self._running.service.name == self._world.cast.bad and self._world.within(*BAD_SPELL)
        if chance.happens(FAILING[bad]):
            self._finish(production, position, succeeded=False)
            return
        self._finish(production, position, succeeded=True)
        if chance.happens(TROUBLING[bad]):
            self._world.start(self._trouble(), chance.whole(5, 60) * MINUTE)
        if self._deployments % 6 == 0:
            self._release(sha)

    def _place(self, environment: str, sha: str, caused_by: str | None = None) -> DeploymentEvent:
        """Return the payload that every event of a new deployment carries."""
        service = self._running.service
        self._deployments += 1
        return DeploymentEvent(
            deployment=f"{service.name}-{self._deployments}",
            environment=environment,
            repo=service.repo,
            sha=sha,
            service=service.name if service.told else None,
            version=sha[:12],
            started_at=from_us(self._world.now),
            caused_by=caused_by,
        )

    def _tell(self, event_type: str, payload: DeploymentEvent) -> None:
        self._world.tell(event_type, payload)

    def _delivered(self, position: int) -> list[Change]:
        """Take what the deployed commit contains out of the queue; returns what no deployment held before."""
        running, now = self._running, self._world.now
        held = [change for change in running.pending if change.position <= position]
        running.pending = [change for change in running.pending if change.position > position]
        new = [change for change in held if change.deployed_us is None]
        for change in new:
            change.deployed_us = now
        return new

    def _finish(self, payload: DeploymentEvent, position: int, *, succeeded: bool) -> None:
        """End a production deployment: tell it, and take it down in the tally."""
        running, now = self._running, self._world.now
        self._tell(SUCCEEDED if succeeded else FAILED, payload)
        name = service_name(self._world, running)
        deployment = Deployment(id=payload.deployment, service=name, finished_us=now, succeeded=succeeded)
        delivered = self._delivered(position) if succeeded else []
        self._world.tally.finished(deployment, delivered, caused=payload.caused_by is not None)
        if not succeeded:
            running.broken.append(deployment)
            return
        for broken in running.broken:
            broken.next_success_us = now
        running.broken = []
        running.last, running.urgent = deployment, None

    def _trouble(self) -> Process:
        """Something shows after a deployment: it is rolled back, or becomes an incident."""
        if self._world.chance.happens(0.25):
            return roll_back(self._world, self._running)
        return incident(self._world, self._running)

    def _release(self, sha: str) -> None:
        self._running.repo.releases += 1
        version = f"1.{self._running.repo.releases}.0"
        payload = ArtifactPublished(repo=self._running.repo.name, tag=f"v{version}", sha=sha, version=version)
        self._world.tell(PUBLISHED, payload)


def service_name(world: World, running: Running) -> str:
    """Return what the contract calls a service now."""
    name = running.service.name
    return successor(name) if name == world.cast.renamed and world.now >= reorganised_us(world.plan) else name


def roll_back(world: World, running: Running) -> Process:
    """Undo the service's last deployment; half of the time the source says which that was."""
    last = running.last
    while last is not None and last.finished_us == world.now:
        yield 1.0
        last = running.last
    if last is None:
        return
    payload = ServiceRolledBack(
        rollback=f"rollback-{world.number('rollback')}",
        environment=running.service.production,
        repo=running.repo.name,
        service=running.service.name if running.service.told else None,
        rolled_back=last.id if world.chance.happens(0.5) else None,
    )
    world.tell(ROLLED_BACK, payload)
    if payload.rolled_back is not None or world.now - last.finished_us <= ATTRIBUTION_US:
        world.tally.linked(payload.rollback, last)
        if last.rolled_back_us is None:
            last.rolled_back_us = world.now


def incident(world: World, running: Running) -> Process:
    """An incident of a service: half name the deployment to blame; some need a hotfix; some come back."""
    name, last, now = f"INC-{world.number('incident')}", running.last, world.now
    blamed = last.id if last is not None and world.chance.happens(0.5) else None

    def told(title: str) -> IncidentEvent:
        return IncidentEvent(
            incident=name,
            service=running.service.name,
            repo=running.repo.name,
            environment=running.service.production,
            severity=world.chance.pick(("1", "2", "3")),
            title=title,
            deployment=blamed,
        )

    world.tell(DETECTED if world.chance.happens(0.7) else REPORTED, told("Errors are up"))
    trouble = Trouble()
    if last is not None and (blamed or now - last.finished_us <= ATTRIBUTION_US):
        last.troubles.append(trouble)
        world.tally.linked(name, last)
    if world.chance.happens(0.4):
        team = world.cast.team(running.service.owner)
        world.start(ChangeLife(world, running, team, "hotfix", name).run())
    yield world.wait(3 * HOUR)
    world.tell(RESOLVED, told("Errors are down"))
    trouble.resolved_us = world.now
    if world.chance.happens(0.15):
        yield world.wait(4 * HOUR)
        world.tell(REOPENED, told("Errors are back"))
        trouble.resolved_us = None
        yield world.wait(2 * HOUR)
        world.tell(RESOLVED, told("Errors are gone"))
        trouble.resolved_us = world.now


def staging_incident(world: World, running: Running) -> Process:
    """Trouble where it harms nobody: it belongs to no production deployment."""
    payload = IncidentEvent(
        incident=f"INC-{world.number('incident')}",
        service=running.service.name,
        repo=running.repo.name,
        environment="staging",
        title="Staging is down",
    )
    world.tell(DETECTED, payload)
    yield world.wait(5 * HOUR)
    world.tell(RESOLVED, payload)
