"""The third stage of the fold: facts into daily cells, by retracting the old revision and adding the new one."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pipeline.events.times import day_of
from pipeline.facts.rows import ChangeFact, DeploymentFact, Fact, FailureFact, Revision
from pipeline.facts.state import State
from pipeline.identity.attribution import DETERMINISTIC
from pipeline.metrics.cells import ORG, OpenItems, Scope, cell_key, mark


class Cell(msgspec.Struct, array_like=True):
    """One scope on one UTC day. Counts are of production deployments; lists hold spans in milliseconds, sorted."""

    delivered: int = 0
    finished: int = 0
    failed: int = 0
    rework: int = 0
    traced: int = 0
    ambiguous: int = 0
    orphan: int = 0
    exempt: int = 0
    empty: int = 0
    seed: int = 0
    negative: int = 0
    change_lead_time: list[int] = []
    coding_time: list[int] = []
    pickup_time: list[int] = []
    review_time: list[int] = []
    deploy_time: list[int] = []
    failed_deployment_recovery_time: list[int] = []


class Evidence(msgspec.Struct, array_like=True):
    """How many facts tell of a failure: incidents and rollbacks, excluded or not, and failed production deployments."""

    facts: int = 0


_SPANS = ("coding_time", "pickup_time", "review_time", "deploy_time")
_NOTHING = Cell()
_ALL = "all"


#: The metrics of what is not finished.
OPEN = ("open_changes", "open_recoveries")


def tells_failures(state: State) -> bool:
    """Tell whether anything in the log tells of a failure. Without it, no failure is not known from no word of any."""
    return state.table("evidence", Evidence).get(_ALL) is not None


class DeliveryMetrics:
    """Keeps the cells of the delivery metrics. Revisions applied in any order end in the same cells, byte for byte."""

    def __init__(self, state: State) -> None:
        self._cells = state.table("cell", Cell)
        self._open = OpenItems(state)
        self._evidence = state.table("evidence", Evidence)

    def apply(self, revisions: Iterable[Revision]) -> None:
        """Take in a batch of revisions."""
        for revision in revisions:
            if revision.old is not None:
                self._add(revision.old, -1)
            if revision.new is not None:
                self._add(revision.new, +1)

    def _add(self, fact: Fact, sign: int) -> None:
        if isinstance(fact, FailureFact) or (isinstance(fact, DeploymentFact) and fact.failed):
            self._add_evidence(sign)
        if isinstance(fact, ChangeFact):
            self._add_change(fact, sign)
        elif isinstance(fact, DeploymentFact) and fact.production:
            self._add_deployment(fact, sign)

    def _add_evidence(self, sign: int) -> None:
        found = self._evidence.get(_ALL) or Evidence()
        found.facts += sign
        if found.facts:
            self._evidence.put(_ALL, found)
        else:
            self._evidence.delete(_ALL)

    def _add_change(self, change: ChangeFact, sign: int) -> None:
        scopes = _scopes(change.service, change.team)
        if change.initiative is not None and change.confidence in DETERMINISTIC:
            scopes.append(("initiative", change.initiative))
        if change.deployed_at is not None:
            for scope in scopes:
                key, cell = self._cell(change.deployed_at, scope)
                if change.excluded is not None:
                    cell.seed += sign
                else:
                    cell.negative += sign * change.negative
                    mark(cell.change_lead_time, change.lead_time, sign)
                    for name in _SPANS:
                        mark(getattr(cell, name), getattr(change, name), sign)
                self._keep(key, cell)
        elif change.kind == "pull_request" and change.created_at is not None and change.status != "abandoned":
            started = change.created_at if change.authored_at is None else change.authored_at
            self._open.mark("open_changes", scopes, started, sign)

    def _add_deployment(self, deployment: DeploymentFact, sign: int) -> None:
        at = deployment.finished_at
        if at is None or deployment.outcome not in ("success", "failure"):
            return
        scopes = _scopes(deployment.service, deployment.team)
        scopes += [("initiative", name) for name in deployment.initiatives]
        for scope in scopes:
            key, cell = self._cell(at, scope)
            cell.finished += sign
            cell.failed += sign * deployment.failed
            cell.rework += sign * deployment.rework
            if deployment.outcome == "success":
                cell.delivered += sign
                setattr(cell, deployment.trace, getattr(cell, deployment.trace) + sign)
            self._keep(key, cell)
        if deployment.recovered_at is not None:
            for scope in scopes:
                key, cell = self._cell(deployment.recovered_at, scope)
                cell.negative += sign * deployment.negative
                mark(cell.failed_deployment_recovery_time, deployment.recovery_time, sign)
                self._keep(key, cell)
        elif deployment.failed:
            self._open.mark("open_recoveries", scopes, at, sign)

    def _cell(self, at: int, scope: Scope) -> tuple[str, Cell]:
        key = cell_key(day_of(at), scope)
        cell = self._cells.get(key)
        return key, Cell() if cell is None else cell

    def _keep(self, key: str, cell: Cell) -> None:
        if cell == _NOTHING:
            self._cells.delete(key)
        else:
            self._cells.put(key, cell)


def _scopes(service: str | None, team: str | None) -> list[Scope]:
    scopes = [ORG]
    if service is not None:
        scopes.append(("service", service))
    if team is not None:
        scopes.append(("team", team))
    return scopes
