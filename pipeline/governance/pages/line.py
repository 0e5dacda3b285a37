"""One line of an explanation, and how facts are put into one."""

from __future__ import annotations

import msgspec

from pipeline.facts.rows import (
    ActFact,
    ArtifactFact,
    ChangeFact,
    DecisionFact,
    DeploymentFact,
    Fact,
    FailureFact,
    TicketFact,
    WaitFact,
)


class Line(msgspec.Struct, kw_only=True):
    """What is said of one thing. `at` is microseconds; `fact` that whose events are to be shown beside it."""

    section: str
    item: str
    value: object = None
    at: int | None = None
    detail: str = ""
    fact: Fact | None = None
    events: list[str] = []


def line_of(section: str, fact: Fact, *, value: object = None, at: int | None = None) -> Line:
    """Return the line of a fact: its id, when it was (unless `at` says it), and what it is called."""
    return Line(
        section=section,
        item=str(getattr(fact, "id", "")),
        value=value,
        at=fact.day_us() if at is None else at,
        detail=_detail(fact),
        fact=fact,
    )


def said(*parts: str | None) -> str:
    """Join what is known."""
    return ", ".join(part for part in parts if part)


def _detail(fact: Fact) -> str:
    if isinstance(fact, ChangeFact):
        return said(fact.title, fact.service, fact.status)
    if isinstance(fact, DeploymentFact):
        failed = "failed" if fact.failed else fact.outcome
        return said(fact.service, fact.environment, fact.version, failed, fact.trace, fact.url)
    if isinstance(fact, WaitFact):
        pair = f"{fact.consumer or '?'} > {fact.provider or '?'}"
        return said(fact.title, pair, fact.mode, fact.end or "open", fact.excluded, _lacking("missing", fact.missing))
    if isinstance(fact, DecisionFact):
        return said(fact.title, fact.category, fact.status, _lacking("incomplete, lacks", fact.lacking), fact.url)
    if isinstance(fact, TicketFact):
        return said(fact.title, fact.canonical_type, fact.canonical_status, fact.evidence)
    if isinstance(fact, ArtifactFact):
        named = f"names {fact.named}" if fact.named else None
        return said(fact.title, fact.kind, fact.status, named, f"context {fact.context}" if fact.context else None)
    if isinstance(fact, ActFact):
        return said(fact.action, fact.rule, "violation" if fact.violation else None)
    return said(fact.title, fact.kind, fact.severity) if isinstance(fact, FailureFact) else ""


def _lacking(word: str, names: list[str]) -> str | None:
    return f"{word} {', '.join(names)}" if names else None
