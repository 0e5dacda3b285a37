"""Deployments: what was put where, with which outcome, and how its failures ended."""

from __future__ import annotations

import hashlib

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.events.envelope import Event
from pipeline.events.times import seconds_between, to_us
from pipeline.events.types import DeploymentEvent
from pipeline.facts.changes import Changes
from pipeline.facts.commits import Commits
from pipeline.facts.rows import DeploymentFact
from pipeline.facts.state import State
from pipeline.facts.timeline import Timelines

#: Earlier than any instant.
_EVER = -(1 << 62)


class Standing(msgspec.Struct, array_like=True, frozen=True):
    """Where a finished deployment is entered in the indexes; kept so that it can be taken out again."""

    outcome: str
    finished: int
    position: int
    service: str
    production: bool

    def is_delivery(self) -> bool:
        """Whether it is a successful production deployment."""
        return self.production and self.outcome == "success"


class Deployment(msgspec.Struct, array_like=True):
    """What was told of one deployment."""

    source: str
    deployment: str
    environment: str
    repo: str | None = None
    sha: str | None = None
    told_service: str | None = None
    started: int | None = None
    success: int | None = None
    failed: int | None = None
    cancelled: int | None = None
    #: Of `version`, `url` and `caused_by`: when told, by which event, and what; the latest word counts.
    told: dict[str, tuple[int, str, str]] = {}
    failures: list[str] = []
    standing: Standing | None = None
    without_graph: bool = False

    def say(self, name: str) -> str | None:
        """Return the latest word on one of the attributes that are no part of the identity."""
        word = self.told.get(name)
        return None if word is None else word[2]

    def outcome(self) -> str:
        if self.success is not None:
            return "success"
        if self.failed is not None:
            return "failure"
        return "running" if self.cancelled is None else "cancelled"

    def finished(self) -> int | None:
        return next((at for at in (self.success, self.failed, self.cancelled) if at is not None), None)


class SameName(msgspec.Struct, array_like=True):
    """The deployments that carry one native id, and the failures that name it."""

    deployments: list[str] = []
    failures: list[str] = []


class Seed(msgspec.Struct, array_like=True):
    """The oldest known successful production deployment of a service in a repository."""

    finished: int
    deployment: str


def deployment_id(source: str, data: DeploymentEvent) -> str:
    """Return the fact id: 16 hexadecimal digits of SHA-256 over source, native id and placement."""
    parts = (source, data.deployment, data.repo, data.sha, data.service, data.environment)
    return hashlib.sha256("|".join(part or "" for part in parts).encode()).hexdigest()[:16]


class Deployments:
    """Keeps deployments and their neighbourhood in order.

    `touched` are those to settle; `relink` are failures whose link has to be looked at again, and `relink_after` the
    services and instants after which all of them have to be.
    """

    def __init__(self, state: State, contract: Contract, commits: Commits, changes: Changes) -> None:
        self._table = state.table("deployment", Deployment)
        self._names = state.table("deployment_name", SameName)
        self._seeds = state.table("seed", Seed)
        self.deliveries = Timelines(state, "delivery")
        self.failing = Timelines(state, "failing")
        self._successes = Timelines(state, "success")
        self._attempts = Timelines(state, "attempt")
        self._contract = contract
        self._commits = commits
        self._changes = changes
        self.touched: set[str] = set()
        self.relink_after: list[tuple[str, int]] = []
        self.relink: set[str] = set()

    def get(self, key: str) -> Deployment | None:
        return self._table.get(key)

    def observe(self, event: Event, data: DeploymentEvent) -> None:
        """Take in one event of a deployment."""
        key = deployment_id(event.source, data)
        found = self._table.get(key)
        if found is None:
            found = Deployment(
                source=event.source,
                deployment=data.deployment,
                environment=data.environment,
                repo=data.repo,
                sha=data.sha,
                told_service=data.service,
            )
            self._name(data.deployment, key)
        at = to_us(event.time)
        kind = event.type.rsplit(".", 4)[1]
        started = [at] if kind == "started" else []
        started += [to_us(data.started_at)] if data.started_at is not None else []
        found.started = _least(found.started, *started)
        if kind == "deployed":
            found.success = _least(found.success, at)
        elif kind == "failed":
            found.failed = _least(found.failed, at)
        elif kind == "cancelled":
            found.cancelled = _least(found.cancelled, at)
        for name, value in (("version", data.version), ("url", data.url), ("caused_by", data.caused_by)):
            if value is not None and (at, event.id) > found.told.get(name, (_EVER, "", ""))[:2]:
                found.told[name] = (at, event.id, value)
        self._stand(key, found)
        self._table.put(key, found)
        self.touched.add(key)

    def graph_appeared(self, key: str) -> None:
        """The commit of a deployment has become part of a graph: its content is no longer guessed from merge times."""
        found = self._table.get(key)
        if found is not None and found.without_graph and found.standing is not None and found.repo is not None:
            found.without_graph = False
            self._table.put(key, found)
            arrival = (found.standing.finished, key)
            self._changes.graph_missing(found.repo, found.standing.service, arrival, present=False)

    def named(self, native: str) -> SameName:
        """Return the deployments with a native id, and the failures waiting for it."""
        return self._names.get(native) or SameName()

    def expect(self, native: str, failure: str) -> None:
        """Note that a failure names a deployment, known or not yet."""
        names = self.named(native)
        if failure not in names.failures:
            names.failures = sorted([*names.failures, failure])
            self._names.put(native, names)

    def link(self, key: str, failure: str, *, linked: bool) -> None:
        """Put a failure down to a deployment, or take it back."""
        found = self._table.get(key)
        if found is None:
            return
        others = [other for other in found.failures if other != failure]
        found.failures = sorted([*others, failure]) if linked else others
        self._table.put(key, found)
        self.touched.add(key)

    def is_seed(self, repo: str | None, service: str, key: str) -> bool:
        seed = None if repo is None else self._seeds.get(f"{repo}\x1f{service}")
        return seed is not None and seed.deployment == key

    def settle(self, key: str) -> DeploymentFact | None:
        """Return the fact of a deployment without what its failures and members add to it."""
        found = self._table.get(key)
        if found is None:
            return None
        finished = found.finished()
        at = finished if finished is not None else found.started or 0
        standing = found.standing
        service = standing.service if standing else self._contract.service_of(found.repo, found.told_service, at)
        production = standing.production if standing else self._contract.is_production(service, found.environment, at)
        return DeploymentFact(
            id=key,
            source=found.source,
            deployment=found.deployment,
            service=service,
            team=self._contract.team_of(service, at),
            repo=found.repo,
            sha=found.sha,
            environment=found.environment,
            production=production,
            outcome=found.outcome(),
            started_at=found.started,
            finished_at=finished,
            version=found.say("version"),
            url=found.say("url"),
            previous=self._previous(key, found),
            seed=self.is_seed(found.repo, service, key),
            caused_by=found.say("caused_by"),
            failures=found.failures,
            failed=production and (found.outcome() == "failure" or bool(found.failures) or _failed_later(found)),
        )

    def next_success(self, key: str) -> int | None:
        """Return when the next successful production deployment of the same service finished, if one has."""
        found = self._table.get(key)
        if found is None or found.standing is None:
            return None
        later = self.deliveries.since(found.standing.service, found.standing.finished, key)
        return next((at for at, other in later if other != key), None)

    def _name(self, native: str, key: str) -> None:
        names = self.named(native)
        names.deployments = sorted([*names.deployments, key])
        self._names.put(native, names)

    def _stand(self, key: str, found: Deployment) -> None:
        """Enter a deployment in the indexes as it now stands, and take out how it stood before."""
        finished = found.finished()
        if finished is None:
            return
        service = self._contract.service_of(found.repo, found.told_service, finished)
        new = Standing(
            outcome=found.outcome(),
            finished=finished,
            position=found.started if found.started is not None else finished,
            service=service,
            production=self._contract.is_production(service, found.environment, finished),
        )
        old, found.standing = found.standing, new
        if old == new:
            return
        if old is not None:
            self._leave(key, found, old, new)
        self._enter(key, found, new)
        self.relink.update(self.named(found.deployment).failures)

    def _enter(self, key: str, found: Deployment, now: Standing) -> None:
        line = self._successes if now.outcome == "success" else self._attempts
        line.add(self._line(found, now), now.position, key)
        self._touch_followers(found, now, key)
        if now.production and now.outcome == "failure":
            self.failing.add(now.service, now.finished, key)
        if not now.is_delivery():
            return
        self.deliveries.add(now.service, now.finished, key)
        self._neighbourhood(now, key)
        if found.repo is None:
            return
        self._seed_added(found.repo, now, key)
        if found.sha is not None:
            self._commits.place(found.repo, found.sha, now.service, (now.finished, key))
        if found.sha is None or not self._commits.is_linked(found.repo, found.sha):
            found.without_graph = True
            self._changes.graph_missing(found.repo, now.service, (now.finished, key), present=True)

    def _leave(self, key: str, found: Deployment, was: Standing, now: Standing) -> None:
        line = self._successes if was.outcome == "success" else self._attempts
        line.remove(self._line(found, was), was.position, key)
        self._touch_followers(found, was, key)
        if was.production and was.outcome == "failure":
            self.failing.remove(was.service, was.finished, key)
        if not was.is_delivery():
            return
        self.deliveries.remove(was.service, was.finished, key)
        self._neighbourhood(was, key)
        if found.repo is None:
            return
        self._seed_removed(found.repo, was, key)
        if found.without_graph:
            found.without_graph = False
            self._changes.graph_missing(found.repo, was.service, (was.finished, key), present=False)
        stays = now.is_delivery() and now.service == was.service and now.finished <= was.finished
        if found.sha is not None and not stays:
            self._commits.displace(found.repo, found.sha, was.service, key)
            self._replace_all(found.repo, was.service)

    def _replace_all(self, repo: str, service: str) -> None:
        """Place every delivery of a service again: rare, when one turns out not to have been one after all."""
        for finished, key in list(self.deliveries.since(service, _EVER)):
            other = self._table.get(key)
            if other is not None and other.repo == repo and other.sha is not None:
                self._commits.replace_through(repo, other.sha, service, (finished, key))

    def _seed_added(self, repo: str, now: Standing, key: str) -> None:
        name = f"{repo}\x1f{now.service}"
        seed = self._seeds.get(name)
        if seed is None or (now.finished, key) < (seed.finished, seed.deployment):
            self._seeds.put(name, Seed(finished=now.finished, deployment=key))
            self.touched.update({key} if seed is None else {key, seed.deployment})

    def _seed_removed(self, repo: str, was: Standing, key: str) -> None:
        name = f"{repo}\x1f{was.service}"
        seed = self._seeds.get(name)
        if seed is None or seed.deployment != key:
            return
        for finished, other in self.deliveries.since(was.service, was.finished):
            found = self._table.get(other)
            if found is not None and found.repo == repo:
                self._seeds.put(name, Seed(finished=finished, deployment=other))
                self.touched.add(other)
                return
        self._seeds.delete(name)

    def _neighbourhood(self, standing: Standing, key: str) -> None:
        """A delivery came or went: later failures may be put down to it, earlier failed deployments may end with it."""
        self.relink_after.append((standing.service, standing.finished))
        previous = next(self.deliveries.before(standing.service, standing.finished, key), (_EVER, ""))
        for entry in self.failing.before(standing.service, standing.finished, key):
            if entry < previous:
                break
            self.touched.add(entry[1])

    def _line(self, found: Deployment, standing: Standing) -> str:
        return f"{standing.service}\x1f{found.repo or ''}\x1f{found.environment.lower()}"

    def _touch_followers(self, found: Deployment, standing: Standing, key: str) -> None:
        """Whoever has this deployment as its previous one, or could have: all up to and with the next success."""
        if standing.outcome != "success":
            return
        line, here = self._line(found, standing), (standing.position, key)
        following = (entry for entry in self._successes.since(line, *here) if entry != here)
        end = next(following, None)
        if end is not None:
            self.touched.add(end[1])
        for entry in self._attempts.since(line, *here):
            if end is not None and entry > end:
                break
            self.touched.add(entry[1])

    def _previous(self, key: str, found: Deployment) -> str | None:
        standing = found.standing
        if standing is None:
            return None
        earlier = self._successes.before(self._line(found, standing), standing.position, key)
        return next((other for _, other in earlier), None)


def with_recovery(fact: DeploymentFact, ends: list[int]) -> DeploymentFact:
    """Set when a failed deployment was recovered from: the earliest of `ends`; a negative span is null and counted."""
    if not fact.failed or not ends or fact.finished_at is None:
        return fact
    fact.recovered_at = min(ends)
    if fact.recovered_at < fact.finished_at:
        fact.negative = 1
    else:
        fact.recovery_time = seconds_between(fact.finished_at, fact.recovered_at)
    return fact


def _failed_later(found: Deployment) -> bool:
    return found.success is not None and found.failed is not None and found.failed > found.success


def _least(current: int | None, *others: int) -> int | None:
    return min((at for at in (current, *others) if at is not None), default=None)
