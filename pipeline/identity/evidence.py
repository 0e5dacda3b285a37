"""Evidence of work on a ticket: the latest change, review, merge, deployment and decision that name it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from pipeline.facts.rows import ChangeFact, DecisionFact, Fact, Revision
from pipeline.facts.state import State
from pipeline.identity.belonging import Belonging
from pipeline.identity.graph import LinkGraph


class Seen(msgspec.Struct, array_like=True):
    """The latest instant of each kind of evidence, microseconds; None: none."""

    change: int | None = None
    review: int | None = None
    merge: int | None = None
    deployment: int | None = None
    decision: int | None = None


_NOTHING = Seen()


class Evidence:
    """Keeps the latest evidence of every ticket. All that names a ticket is looked at only when the latest goes."""

    def __init__(self, state: State, graph: LinkGraph, belonging: Belonging) -> None:
        self._seen = state.table("seen", Seen)
        self._changes = state.table("fact_change", ChangeFact)
        self._decisions = state.table("fact_decision", DecisionFact)
        self._graph = graph
        self._belonging = belonging

    def prefetch(self, tickets: Iterable[str]) -> None:
        """Load the evidence of tickets in one go."""
        self._seen.prefetch(tickets)

    def seen(self, ticket: str) -> Seen:
        """Return the latest evidence of a ticket."""
        return self._seen.get(ticket) or _NOTHING

    def apply(self, revisions: Iterable[Revision]) -> set[str]:
        """Take in revisions of changes and decisions; returns the tickets whose evidence has changed."""
        changed: set[str] = set()
        for revision in revisions:
            if revision.kind in (ChangeFact.KIND, DecisionFact.KIND):
                old, new = _instants(revision.old), _instants(revision.new)
                for ticket in sorted({*_named(revision.old), *_named(revision.new)}):
                    before = old if ticket in _named(revision.old) else {}
                    after = new if ticket in _named(revision.new) else {}
                    if self._update(ticket, before, after):
                        changed.add(ticket)
        return changed

    def _update(self, ticket: str, before: dict[str, int | None], after: dict[str, int | None]) -> bool:
        seen = self._seen.get(ticket) or Seen()
        was = msgspec.structs.replace(seen)
        for kind in {**before, **after}:
            old, new, held = before.get(kind), after.get(kind), getattr(seen, kind)
            if new is not None and (held is None or new >= held):
                setattr(seen, kind, new)
            elif old is not None and old == held:
                setattr(seen, kind, max(self._all(ticket, kind), default=None))
        if seen == was:
            return False
        self._seen.put(ticket, seen)
        return True

    def _all(self, ticket: str, kind: str) -> Iterator[int]:
        """Yield all instants of one kind, of whatever names the ticket now."""
        facts: Iterable[Fact | None]
        if kind == "decision":
            facts = (self._decisions.get(key) for key in set(self._belonging.decisions(ticket)))
        else:
            facts = (self._changes.get(key) for key in self._graph.mentions(ticket))
        for fact in facts:
            instant = _instants(fact).get(kind)
            if instant is not None and ticket in _named(fact):
                yield instant


def _instants(fact: Fact | None) -> dict[str, int | None]:
    if isinstance(fact, ChangeFact):
        return {
            "change": fact.authored_at if fact.kind == "commit" else fact.created_at,
            "review": fact.first_review_at,
            "merge": fact.merged_at,
            "deployment": fact.deployed_at,
        }
    return {"decision": fact.decided_at} if isinstance(fact, DecisionFact) else {}


def _named(fact: Fact | None) -> set[str]:
    if isinstance(fact, (ChangeFact, DecisionFact)):
        return {ref.value for ref in fact.refs if ref.kind == "ticket"}
    return set()
