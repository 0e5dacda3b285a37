"""To which initiative decisions and waits belong: the one that they name, else that of their ticket or change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import cast

from pipeline.contract.resolve import Contract
from pipeline.events.types import Ref
from pipeline.facts.fans import Fans
from pipeline.facts.rows import ChangeFact, DecisionFact, Fact, WaitFact
from pipeline.facts.state import State
from pipeline.identity.graph import LinkGraph

_REVIEW = "review"
_DETERMINISTIC = ("declared", "linked")


class Belonging:
    """Fills in the initiative of decisions and waits, and knows which of them hang on a ticket or a change."""

    def __init__(self, state: State, contract: Contract, graph: LinkGraph) -> None:
        self._changes = state.table("fact_change", ChangeFact)
        self._waits_of = Fans(state, "waits_of")
        self._decisions_of = Fans(state, "decisions_of")
        self._contract = contract
        self._graph = graph

    def prefetch(self, tickets: Collection[str], changes: Iterable[str]) -> None:
        """Load what hangs on tickets and changes in one go."""
        self._decisions_of.prefetch(tickets)
        self._waits_of.prefetch([*tickets, *map(_of_change, changes)])

    def decisions(self, ticket: str) -> Iterator[str]:
        """Yield the decisions that name a ticket, or once did."""
        yield from self._decisions_of.members(ticket)

    def waits(self, tickets: Iterable[str], changes: Iterable[str]) -> Iterator[str]:
        """Yield the waits that hang on tickets or changes, or once did."""
        for ticket in tickets:
            yield from self._waits_of.members(ticket)
        for change in changes:
            yield from self._waits_of.members(_of_change(change))

    def of_decision(self, fact: Fact | None) -> DecisionFact | None:
        """Fill in what a decision belongs to."""
        decision = cast("DecisionFact | None", fact)
        if decision is not None:
            for ticket in _tickets(decision.refs):
                self._decisions_of.add(ticket, decision.id)
            decision.initiative, decision.candidates = self._found(decision.refs)
        return decision

    def of_wait(self, fact: Fact | None) -> WaitFact | None:
        """Fill in what a wait belongs to."""
        wait = cast("WaitFact | None", fact)
        if wait is None:
            return None
        if wait.kind == _REVIEW:
            self._waits_of.add(_of_change(wait.subject), wait.id)
            change = self._changes.get(wait.subject)
            is_sure = change is not None and change.confidence in _DETERMINISTIC
            wait.initiative = change.initiative if change is not None and is_sure else None
            wait.candidates = list(change.candidates) if change is not None else []
            return wait
        for ticket in _tickets(wait.refs):
            self._waits_of.add(ticket, wait.id)
        wait.initiative, wait.candidates = self._found(wait.refs)
        return wait

    def _found(self, refs: Iterable[Ref]) -> tuple[str | None, list[str]]:
        """Return the one initiative that references lead to, or the several; what is named goes before tickets."""
        refs = list(refs)
        named = {
            name for ref in refs if ref.kind == "initiative" for name in self._contract.initiatives_named(ref.value)
        }
        found = named or {name for ticket in _tickets(refs) for name in self._graph.resolve(ticket).initiatives}
        return (found.pop(), []) if len(found) == 1 else (None, sorted(found))


def _tickets(refs: Iterable[Ref]) -> list[str]:
    return sorted({ref.value for ref in refs if ref.kind == "ticket"})


def _of_change(change: str) -> str:
    """Return the key under which the waits of a change are kept: forges number changes and tickets alike."""
    return f"change|{change}"
