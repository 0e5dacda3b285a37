"""Settles tickets together with the waits that hang on them: dependencies and changes of hands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pipeline.contract.resolve import Contract
from pipeline.events.envelope import Event
from pipeline.events.times import seconds_between, to_us
from pipeline.events.types import DependencyEvent
from pipeline.facts.episodes import ASKED, WITHDRAWN, Requests
from pipeline.facts.fans import Fans
from pipeline.facts.lives import Life, blocked, closed_at, latest, live, team_at, time_in, transfers
from pipeline.facts.rows import TicketFact, WaitFact
from pipeline.facts.state import State
from pipeline.facts.waits import between, by_ticket, ended
from pipeline.facts.work import Ticket, Work

_ADDED = DependencyEvent.TYPES[0]
_ALIAS = "alias"


class Settlement(NamedTuple):
    """A ticket as it now stands. `fact` None: it was never told of; a wait of None: it has it no longer."""

    key: str
    ticket: Ticket
    life: Life
    fact: TicketFact | None
    waits: dict[str, WaitFact | None]


class Tickets:
    """Joins tickets and the edges between them.

    A ticket's finish ends the waits of those that it blocks, so that these are settled with it; but only if what they
    look at has changed, since a hub may block thousands.
    """

    def __init__(self, state: State, contract: Contract, work: Work) -> None:
        self._edges = state.table("edge", Requests)
        self._blocks = Fans(state, "blocks")
        self._contract = contract
        self._work = work
        self._lives: dict[str, Life] = {}

    def depends(self, event: Event, data: DependencyEvent) -> None:
        """Take in that an edge was added or removed."""
        key = f"{data.ticket}|{data.blocked_by}"
        edge = self._edges.get(key)
        if edge is None:
            edge = Requests()
            self._blocks.add(data.blocked_by, data.ticket)
        edge.add(to_us(event.time), ASKED if event.type == _ADDED else WITHDRAWN, event.id)
        self._edges.put(key, edge)
        self._work.waits_for(data.ticket, data.blocked_by)

    def settle(self) -> Iterator[Settlement]:
        """Yield every ticket that may have changed, in the order of their keys."""
        touched, self._work.touched = self._work.touched, set()
        self._lives = {}
        for key in sorted(touched):
            touched |= self._dependants(key)
        for key in sorted(touched):
            ticket = self._work.get(key)
            if ticket is not None:
                yield self._settle(key, ticket)

    def _dependants(self, key: str) -> set[str]:
        """Return the tickets that wait for one whose finish, team or nature has changed."""
        ticket = self._work.get(key)
        if ticket is None:
            return set()
        life = self._life(key, ticket)
        # Ownership entries are only ever added, so their number says whether they are the same.
        said = (life.finished_at, life.finish, ticket.kind, ticket.told_project, len(ticket.owners), ticket.is_known)
        if said == ticket.settled:
            return set()
        ticket.settled = said
        self._work.keep(key, ticket)
        return set(self._blocks.members(key))

    def _life(self, key: str, ticket: Ticket) -> Life:
        found = self._lives.get(key)
        if found is None:
            found = self._lives[key] = live(ticket, self._contract)
        return found

    def _settle(self, key: str, ticket: Ticket) -> Settlement:
        life = self._life(key, ticket)
        dependencies = [
            wait for blocker in ticket.blocked_by for wait in self._dependencies(key, ticket, life, blocker)
        ]
        waits = [*dependencies, *self._transfers(key, ticket, life)] if ticket.is_known else dependencies
        found: dict[str, WaitFact | None] = {**dict.fromkeys(ticket.waits), **{wait.id: wait for wait in waits}}
        ids = [wait.id for wait in waits]
        if ids != ticket.waits:
            ticket.waits = ids
            self._work.keep(key, ticket)
        fact = self._fact(key, ticket, life, dependencies) if ticket.is_known else None
        return Settlement(key, ticket, life, fact, found)

    def _dependencies(self, key: str, ticket: Ticket, life: Life, blocker: str) -> Iterator[WaitFact]:
        edge = self._edges.get(f"{key}|{blocker}")
        other = self._work.get(blocker)
        its = None if other is None or not other.is_known else self._life(blocker, other)
        for number, (opened, removed) in enumerate(edge.episodes() if edge is not None else ()):
            fact = WaitFact(
                id=f"dependency|{key}|{blocker}|{number}",
                kind="dependency",
                subject=key,
                on=blocker,
                opened_at=opened,
                stub=its is None,
                title=ticket.title,
                refs=by_ticket(key),
            )
            consumer = team_at(ticket, opened, self._contract) if ticket.is_known else None
            provider = None if other is None or its is None else team_at(other, opened, self._contract)
            between(fact, consumer, provider, self._contract)
            if life.started_at is not None:
                fact.discovery_lag = seconds_between(life.started_at, opened)
            aliases = [each for each in (ticket, other) if each is not None and each.kind.lower() == _ALIAS]
            finishes = [each.finished_at for each in (life, its) if each is not None and each.finished_at is not None]
            if key == blocker:
                fact.excluded = "self"
            elif aliases:
                fact.excluded = "alias"
            elif any(finish < opened for finish in finishes):
                fact.excluded = "already_done"
            yield ended(fact, _ends(life, its, removed))

    def _transfers(self, key: str, ticket: Ticket, life: Life) -> Iterator[WaitFact]:
        moves = transfers(ticket, self._contract)
        for index, (at, before, after) in enumerate(moves):
            fact = WaitFact(
                id=f"transfer|{key}|{at}",
                kind="handoff",
                subject=key,
                on=None,
                opened_at=at,
                title=ticket.title,
                refs=by_ticket(key),
            )
            between(fact, before, after, self._contract)
            if life.finished_at is not None and life.finished_at <= at:
                fact.excluded = "already_done"
            taken_up = next((change for change, _ in life.changes[1:] if change > at), None)
            onward = moves[index + 1] if index + 1 < len(moves) else None
            end = None if onward is None else (onward[0], "returned" if onward[2] == before else "forwarded")
            yield ended(fact, [(taken_up, "accepted"), *([] if end is None else [end])])

    def _fact(self, key: str, ticket: Ticket, life: Life, dependencies: Iterable[WaitFact]) -> TicketFact:
        flow, active, waiting = time_in(life)
        counted = [(wait.opened_at, wait.ended_at) for wait in dependencies if wait.excluded is None]
        blocked_time, blocked_since = blocked(ticket, life, counted)
        moves = [entry for entry in ticket.statuses if entry[1] == 0]
        return TicketFact(
            id=key,
            tracker=ticket.told_tracker,
            project=ticket.told_project,
            kind=ticket.kind,
            title=ticket.title,
            status=ticket.statuses[-1][3] if ticket.statuses else "",
            parent=ticket.parent,
            labels=ticket.labels,
            created_at=ticket.created,
            updated_at=None if ticket.stamp is None else ticket.stamp[0],
            closed_at=closed_at(ticket),
            deleted=ticket.deleted is not None,
            link=ticket.link,
            team=team_at(ticket, latest(ticket) if life.finished_at is None else life.finished_at, self._contract),
            canonical_type=life.canonical_type,
            canonical_status=life.canonical_status,
            status_since=life.status_since,
            started_at=life.started_at,
            finished_at=life.finished_at,
            finish=life.finish,
            flow_time=flow,
            active_time=active,
            waiting_time=waiting,
            blocked_time=blocked_time,
            blocked_since=blocked_since,
            moves=len(moves),
            reasoned=sum(entry[5] for entry in moves),
        )


def _ends(life: Life, its: Life | None, removed: int | None) -> list[tuple[int | None, str]]:
    done = its is not None and its.finish == "done"
    finish = None if its is None else its.finished_at
    return [
        (finish if done else None, "completed"),
        (None if done else finish, "withdrawn"),
        (removed, "withdrawn"),
        (life.finished_at, "overtaken"),
    ]
