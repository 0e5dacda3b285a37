"""Waits: what all kinds of them have in common; `docs/coordination.md` defines every word."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.contract.resolve import Contract
from pipeline.contract.teamwork import WaitKind
from pipeline.events.times import seconds_between
from pipeline.events.types import Ref
from pipeline.facts.rows import WaitFact

#: Ends that answer what was waited for; any other end is censored.
ANSWERS = ("completed", "answered", "accepted", "decided")


def by_ticket(key: str | None) -> list[Ref]:
    """Return the reference by which a wait belongs to a ticket."""
    return [Ref("ticket", key, "field")] if key else []


def between(
    fact: WaitFact, consumer: str | None, provider: str | None, contract: Contract, needed_by: int | None = None
) -> WaitFact:
    """Set the teams of a wait, how they interact, and by when it should end."""
    fact.consumer, fact.provider = consumer, provider
    if consumer is not None and provider is not None and consumer != provider:
        fact.cross_team = True
        fact.mode = contract.coordination.mode(consumer, provider, fact.opened_at)
    kind: WaitKind = fact.kind  # type: ignore[assignment]
    expected = contract.coordination.expectation_us(kind, consumer, provider, fact.opened_at)
    fact.due_at = fact.opened_at + expected if needed_by is None else needed_by
    return fact


def ended(fact: WaitFact, ends: Iterable[tuple[int | None, str]]) -> WaitFact:
    """Set the end of a wait: the earliest of `ends`, and of those at one instant the first."""
    known = [(at, place, how) for place, (at, how) in enumerate(ends) if at is not None]
    if known and fact.excluded is None:
        at, _, how = min(known)
        fact.ended_at, fact.end = at, how
        if how in ANSWERS:
            if at < fact.opened_at:
                fact.negative = 1
            else:
                fact.latency = seconds_between(fact.opened_at, at)
    return fact
