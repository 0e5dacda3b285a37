"""Failures: incidents and rollbacks, and the deployment that each is put down to."""

from __future__ import annotations

from itertools import islice
from typing import Literal

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.events.types import IncidentEvent, ServiceRolledBack
from pipeline.facts.deployments import Deployments
from pipeline.facts.rows import FailureFact
from pipeline.facts.state import State
from pipeline.facts.timeline import Timelines


class Failure(msgspec.Struct, array_like=True):
    """What was told of one incident or rollback."""

    source: str
    native: str
    kind: Literal["incident", "rollback"]
    detected: list[int] = []
    resolved: list[int] = []
    reopened: list[int] = []
    stamp: tuple[int, str] = (-(1 << 62), "")
    told_service: str | None = None
    repo: str | None = None
    environment: str | None = None
    severity: str | None = None
    title: str = ""
    deployment: str | None = None
    url: str | None = None
    entered: tuple[str, int] | None = None
    link: str | None = None
    method: str | None = None

    def at(self) -> int:
        """When it was detected; if only its end was told, that."""
        return min(self.detected or self.resolved or self.reopened)

    def ended(self) -> int | None:
        """When it was resolved for good, None while open. A rollback ends when it happens."""
        if self.kind == "rollback":
            return self.at()
        last_reopened = max(self.reopened, default=None)
        return min((at for at in self.resolved if last_reopened is None or at >= last_reopened), default=None)


class Failures:
    """Links failures to deployments. `touched` are the failures to settle."""

    def __init__(self, state: State, contract: Contract, deployments: Deployments) -> None:
        self._table = state.table("failure", Failure)
        self._timeline = Timelines(state, "failures")
        self._contract = contract
        self._deployments = deployments
        self.touched: set[str] = set()
        self._unlinked: set[str] = set()

    def observe_incident(self, event: Event, data: IncidentEvent) -> None:
        key = f"{event.source}|incident|{data.incident}"
        found = self._table.get(key) or Failure(source=event.source, native=data.incident, kind="incident")
        at = to_us(event.time)
        kind = event.type.rsplit(".", 4)[1]
        marks = {"resolved": found.resolved, "reopened": found.reopened}.get(kind, found.detected)
        if at not in marks:
            marks.append(at)
            marks.sort()
        if (at, event.id) > found.stamp:
            found.stamp = (at, event.id)
            found.told_service, found.repo, found.environment = data.service, data.repo, data.environment
            found.severity, found.title, found.url = data.severity, data.title, data.url
            found.deployment = data.deployment
        self._changed(key, found)

    def observe_rollback(self, event: Event, data: ServiceRolledBack) -> None:
        key = f"{event.source}|rollback|{data.rollback}"
        found = self._table.get(key) or Failure(source=event.source, native=data.rollback, kind="rollback")
        at = to_us(event.time)
        found.detected = [min([at, *found.detected])]
        if (at, event.id) > found.stamp:
            found.stamp = (at, event.id)
            found.told_service, found.repo, found.environment = data.service, data.repo, data.environment
            found.deployment, found.url = data.rolled_back, data.url
        self._changed(key, found)

    def relink(self) -> None:
        """Look again at every link that a deployment or a failure of this batch may have changed."""
        waiting, self._unlinked = self._unlinked | self._deployments.relink, set()
        self._deployments.relink = set()
        for service, since in self._deployments.relink_after:
            until = since + self._contract.longest_window_us
            # Of two later deliveries even a rollback, which is not put down to its own, has one nearer than this.
            later = self._deployments.deliveries.since(service, since + 1)
            until = min([until, *(at for at, _ in islice(later, 1, 2))])
            for at, key in self._timeline.since(service, since):
                if at > until:
                    break
                waiting.add(key)
        self._deployments.relink_after.clear()
        for key in sorted(waiting):
            self._link(key)

    def settle(self, key: str) -> FailureFact | None:
        """Return the fact of a failure as it now stands."""
        found = self._table.get(key)
        if found is None:
            return None
        service = self._service(found)
        return FailureFact(
            id=key,
            kind=found.kind,
            service=service,
            team=None if service is None else self._contract.team_of(service, found.at()),
            environment=found.environment,
            severity=found.severity,
            title=found.title,
            detected_at=found.at(),
            resolved_at=found.ended(),
            deployment=found.link,
            method=found.method,
            excluded=None if self._counts(found) else "not_production",
            url=found.url,
        )

    def recoveries(self, keys: list[str]) -> list[int]:
        """Return the instants at which a deployment with these failures was recovered from.

        They are when the last of its incidents was resolved, if all are, and when it was first rolled back.
        """
        failures = [found for key in keys if (found := self._table.get(key)) is not None]
        rollbacks = [found.at() for found in failures if found.kind == "rollback"]
        ends = [found.ended() for found in failures if found.kind == "incident"]
        closed = [end for end in ends if end is not None]
        solved = [max(closed)] if ends and len(closed) == len(ends) else []
        return [*([min(rollbacks)] if rollbacks else []), *solved]

    def _changed(self, key: str, found: Failure) -> None:
        self._table.put(key, found)
        self.touched.add(key)
        self._unlinked.add(key)
        if found.link is not None:
            self._deployments.touched.add(found.link)
        if found.deployment is not None:
            self._deployments.expect(found.deployment, key)

    def _service(self, found: Failure) -> str | None:
        if found.told_service is None and found.repo is None:
            return None
        return self._contract.service_of(found.repo, found.told_service, found.at())

    def _counts(self, found: Failure) -> bool:
        if found.environment is None:
            return True
        return self._contract.is_production(self._service(found) or "unknown", found.environment, found.at())

    def _link(self, key: str) -> None:
        found = self._table.get(key)
        if found is None:
            return
        service = self._service(found)
        self._enter(key, found, None if service is None else (service, found.at()))
        link, method = self._target(found, service) if self._counts(found) else (None, None)
        if link != found.link:
            if found.link is not None:
                self._deployments.link(found.link, key, linked=False)
            if link is not None:
                self._deployments.link(link, key, linked=True)
        if (link, method) != (found.link, found.method):
            found.link, found.method = link, method
            self.touched.add(key)
        self._table.put(key, found)

    def _enter(self, key: str, found: Failure, place: tuple[str, int] | None) -> None:
        if place == found.entered:
            return
        if found.entered is not None:
            self._timeline.remove(*found.entered, key)
        if place is not None:
            self._timeline.add(*place, key)
        found.entered = place

    def _target(self, found: Failure, service: str | None) -> tuple[str | None, str | None]:
        explicit = self._explicit(found)
        if explicit is not None:
            return explicit, "explicit"
        if service is None:
            return None, None
        at = found.at()
        window = self._contract.policy(at).attribution_window_us
        inclusive = found.kind == "incident"
        for finished, key in self._deployments.deliveries.before(service, at + 1 if inclusive else at):
            if at - finished > window:
                break
            deployment = self._deployments.get(key)
            if inclusive or deployment is None or deployment.deployment != found.native:
                return key, "window"
        return None, None

    def _explicit(self, found: Failure) -> str | None:
        if found.deployment is None:
            return None
        known = [
            (deployment.source == found.source, deployment.standing.finished, key)
            for key in self._deployments.named(found.deployment).deployments
            if (deployment := self._deployments.get(key)) is not None
            and deployment.standing is not None
            and deployment.standing.production
            and deployment.standing.outcome != "cancelled"
        ]
        return max(known)[2] if known else None
