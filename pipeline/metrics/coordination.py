"""Work and coordination in daily cells: flow, waits between teams, decisions, and what assistants contribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from pipeline.events.times import day_of
from pipeline.facts.rows import ArtifactFact, ChangeFact, Fact, Revision, TicketFact, WaitFact
from pipeline.facts.state import State
from pipeline.identity.attribution import DETERMINISTIC
from pipeline.metrics.cells import ORG, OpenItems, Scope, cell_key, mark

#: Kind of a wait -> the metric of its latency, and that of those that are open.
LATENCIES = {
    "dependency": "dependency_latency",
    "review": "review_wait",
    "handoff": "handoff_wait",
    "decision": "decision_latency",
}
OPEN_WAITS = {
    "dependency": "open_dependencies",
    "review": "open_reviews",
    "handoff": "open_handoffs",
    "decision": "open_decisions",
}
#: Under which the instants are kept by which open waits are due.
DUE = "coordination_debt"
OPEN_WORK = "open_work"
TABLE = "teamwork_cell"


#: The scopes in which a ticket exists, and whether its words are not known.
Mapping = tuple[list[Scope], bool]


class TeamworkCell(msgspec.Struct, array_like=True):
    """One scope on one UTC day. Lists hold spans in milliseconds, sorted; `active` and `waiting` are milliseconds."""

    negative: int = 0
    found_late: int = 0
    handed_over: int = 0
    returned: int = 0
    finished: int = 0
    active: int = 0
    waiting: int = 0
    moves: int = 0
    reasoned: int = 0
    delivered: int = 0
    assisted: int = 0
    artifacts: int = 0
    linked: int = 0
    dependency_latency: list[int] = []
    review_wait: list[int] = []
    handoff_wait: list[int] = []
    decision_latency: list[int] = []
    discovery_lag: list[int] = []
    flow_time: list[int] = []
    blocked_time: list[int] = []


class Mapped(msgspec.Struct, array_like=True):
    """How many tickets there are, and of how many the contract does not know the words."""

    tickets: int = 0
    unmapped: int = 0


_NOTHING = TeamworkCell()


class CoordinationMetrics:
    """Keeps the cells of work and coordination. Revisions in any order end in the same cells, byte for byte."""

    def __init__(self, state: State) -> None:
        self._cells = state.table(TABLE, TeamworkCell)
        self._mapped = state.table("mapped", Mapped)
        self._open = OpenItems(state)

    def apply(self, revisions: Iterable[Revision]) -> None:
        """Take in a batch of revisions."""
        for revision in revisions:
            old, new = revision.old, revision.new
            if revision.kind == TicketFact.KIND:
                was, now = _mapping(old), _mapping(new)
                if was == now and _counts_as(old) == _counts_as(new):
                    continue
                self._map(was, now)
            if old is not None:
                self._add(old, -1)
            if new is not None:
                self._add(new, +1)

    def _add(self, fact: Fact, sign: int) -> None:
        if isinstance(fact, WaitFact):
            self._add_wait(fact, sign)
        elif isinstance(fact, TicketFact):
            self._add_ticket(fact, sign)
        elif isinstance(fact, ChangeFact):
            self._add_change(fact, sign)
        elif isinstance(fact, ArtifactFact):
            for cell in self._changing(fact.proposed_at, _scopes(initiative=fact.initiative)):
                cell.artifacts += sign
                cell.linked += sign * (fact.status == "linked")

    def _add_wait(self, wait: WaitFact, sign: int) -> None:
        if wait.excluded is not None or not (wait.cross_team or wait.kind == "decision"):
            return
        scopes = _scopes(wait.consumer, wait.initiative)
        if wait.cross_team:
            scopes += [("pair", f"{wait.consumer} > {wait.provider}"), ("mode", wait.mode or "")]
        if wait.ended_at is None:
            self._open.mark(OPEN_WAITS[wait.kind], scopes, wait.opened_at, sign)
            if wait.due_at is not None:
                self._open.mark(DUE, scopes, wait.due_at, sign)
        else:
            for cell in self._changing(wait.ended_at, scopes):
                mark(getattr(cell, LATENCIES[wait.kind]), wait.latency, sign)
                cell.negative += sign * wait.negative
                if wait.kind == "handoff":
                    cell.handed_over += sign
                    cell.returned += sign * (wait.end == "returned")
        if wait.discovery_lag is not None:
            for cell in self._changing(wait.opened_at, scopes):
                mark(cell.discovery_lag, wait.discovery_lag, sign)
                cell.found_late += sign * (wait.discovery_lag > 0)

    def _add_ticket(self, ticket: TicketFact, sign: int) -> None:
        if ticket.deleted:
            return
        scopes = _scopes(ticket.team, ticket.initiative)
        if ticket.finished_at is None:
            if ticket.started_at is not None:
                self._open.mark(OPEN_WORK, scopes, ticket.started_at, sign)
        elif ticket.finish == "done":
            for cell in self._changing(ticket.finished_at, scopes):
                _add_finished(cell, ticket, sign)

    def _map(self, was: Mapping, now: Mapping) -> None:
        """Count the tickets whose words the contract knows."""
        if was == now:
            return
        for (scopes, unmapped), sign in ((was, -1), (now, +1)):
            for kind, name in scopes:
                key = f"{kind}|{name}"
                mapped = self._mapped.get(key) or Mapped()
                mapped.tickets += sign
                mapped.unmapped += sign * unmapped
                if mapped.tickets:
                    self._mapped.put(key, mapped)
                else:
                    self._mapped.delete(key)

    def _add_change(self, change: ChangeFact, sign: int) -> None:
        if change.deployed_at is None or change.excluded is not None:
            return
        sure = change.initiative if change.confidence in DETERMINISTIC else None
        scopes = _scopes(change.team, sure)
        if change.service is not None:
            scopes.append(("service", change.service))
        for cell in self._changing(change.deployed_at, scopes):
            cell.delivered += sign
            cell.assisted += sign * (change.assistant is not None)

    def _changing(self, at: int, scopes: Iterable[Scope]) -> Iterator[TeamworkCell]:
        """Yield the cells of scopes on the day of an instant, and keep what was made of them."""
        for scope in scopes:
            key = cell_key(day_of(at), scope)
            cell = self._cells.get(key)
            cell = TeamworkCell() if cell is None else cell
            yield cell
            if cell == _NOTHING:
                self._cells.delete(key)
            else:
                self._cells.put(key, cell)


def _counts_as(fact: Fact | None) -> tuple[object, ...] | None:
    """Return what metrics read of a ticket beside its mapping: most snapshots change none of it."""
    if not isinstance(fact, TicketFact):
        return None
    return (
        *(fact.started_at, fact.finished_at, fact.finish),
        *((fact.flow_time, fact.blocked_time, fact.active_time, fact.waiting_time) if fact.finish == "done" else ()),
        *((fact.moves, fact.reasoned) if fact.finish == "done" else ()),
    )


def _mapping(fact: Fact | None) -> Mapping:
    """Return the scopes in which a ticket exists, and whether its words are not known."""
    if not isinstance(fact, TicketFact) or fact.deleted:
        return [], False
    return _scopes(fact.team, fact.initiative), "unmapped" in (fact.canonical_status, fact.canonical_type)


def _add_finished(cell: TeamworkCell, ticket: TicketFact, sign: int) -> None:
    mark(cell.flow_time, ticket.flow_time, sign)
    mark(cell.blocked_time, ticket.blocked_time, sign)
    cell.moves += sign * ticket.moves
    cell.reasoned += sign * ticket.reasoned
    if ticket.active_time is not None and ticket.waiting_time is not None:
        cell.finished += sign
        cell.active += sign * round(ticket.active_time * 1000)
        cell.waiting += sign * round(ticket.waiting_time * 1000)


def _scopes(team: str | None = None, initiative: str | None = None) -> list[Scope]:
    scopes = [ORG]
    if team is not None:
        scopes.append(("team", team))
    if initiative is not None:
        scopes.append(("initiative", initiative))
    return scopes
