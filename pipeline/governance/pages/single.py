"""What lies behind a deployment, a pair of teams, or any single fact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.events.times import from_us
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
from pipeline.governance.known import Known
from pipeline.governance.pages.line import Line, line_of
from pipeline.metrics.catalogue import MetricPoint

#: In the order in which an id is looked for among them.
_KINDS: tuple[type[Fact], ...] = (
    DeploymentFact,
    WaitFact,
    DecisionFact,
    ChangeFact,
    TicketFact,
    ArtifactFact,
    ActFact,
    FailureFact,
)

#: How the names of fields end that hold an instant.
_INSTANTS = ("_at", "_since")


def find(known: Known, key: str) -> list[Fact]:
    """Return the facts of an id, a hand-over's included; without any, the deployments that their source calls so."""
    found: list[Fact] = [fact for kind in _KINDS if (fact := known.get(kind, key)) is not None]
    if (handoff := known.get(WaitFact, f"handoff|{key}")) is not None:
        found.append(handoff)
    return found or [fact for fact in known.of(DeploymentFact) if fact.deployment == key]


def fact_page(fact: Fact) -> Iterator[Line]:
    """Yield all that is known of a fact, with the events that it rests on."""
    yield line_of(fact.KIND, fact)
    for name in fact.__struct_fields__:
        value = getattr(fact, name)
        if name.endswith(_INSTANTS) and value is not None:
            yield Line(section="fields", item=name, at=value)
        elif name == "refs":
            for ref in value:
                yield Line(section="fields", item=f"reference to {ref.kind}", value=ref.value, detail=f"in {ref.via}")
        elif value not in (None, "", [], 0, False) and name != "id":
            yield Line(section="fields", item=name, value=value)


def deployment_page(known: Known, fact: DeploymentFact, *, limit: int) -> Iterator[Line]:
    """Yield what a deployment delivered and, one step back, to which initiatives that leads by which links."""
    yield line_of("deployment", fact, value=fact.outcome)
    changes = [change for change in known.of(ChangeFact) if change.deployment == fact.id]
    for name in fact.initiatives:
        through = [change for change in changes if change.initiative == name]
        ways = sorted({f"{change.confidence} by {change.evidence}" for change in through})
        yield Line(section="initiatives", item=name, value=len(through), detail="; ".join(ways))
    if not fact.initiatives:
        yield Line(section="initiatives", item="none", detail=fact.trace)
    for change in changes[:limit]:
        lead_to = change.initiative or (", ".join(change.candidates) and f"one of {', '.join(change.candidates)}")
        line = line_of("changes", change, value=lead_to or "no initiative")
        line.detail += f" ({change.confidence} by {change.evidence})" if change.evidence else ""
        yield line
    tickets = dict.fromkeys(
        ref.value
        for change in changes[:limit]
        if change.confidence == "linked"
        for ref in change.refs
        if ref.kind == "ticket"
    )
    for key in tickets:
        if (ticket := known.get(TicketFact, key)) is not None:
            yield line_of("links", ticket, value=ticket.initiative)
    for key in fact.failures:
        if (failure := known.get(FailureFact, key)) is not None:
            yield line_of("failures", failure, value=failure.kind)


def pair_page(
    contract: Contract, known: Known, pair: tuple[str, str], as_of: int, points: Sequence[MetricPoint], *, limit: int
) -> Iterator[Line]:
    """Yield how one team waits for another: what they agreed, the numbers, and the waits, open ones first."""
    consumer, provider = pair
    words = contract.coordination
    yield Line(section="pair", item="mode", value=words.mode(consumer, provider, as_of), at=as_of)
    for kind in ("dependency", "review", "handoff", "decision"):
        expected = words.expectation_us(kind, consumer, provider, as_of)
        yield Line(section="pair", item=f"{kind} may take", value=expected // 1_000_000, detail="seconds")
    for point in points:
        window = "" if point.window_days is None else f" {point.window_days}d"
        yield Line(
            section="numbers",
            item=f"{point.metric} {point.stat}{window}",
            value=point.value,
            at=as_of,
            detail=f"{point.unit}, n = {point.n}",
        )
    waits = [wait for wait in known.of(WaitFact) if (wait.consumer, wait.provider) == pair and wait.excluded is None]
    waits.sort(key=lambda wait: (wait.ended_at is not None, wait.due_at or wait.opened_at, wait.id))
    for wait in waits[:limit]:
        line = line_of("waits", wait, value=wait.end or "open")
        due = None if wait.due_at is None else from_us(wait.due_at).isoformat()
        line.detail += f", due {due}" if due and wait.ended_at is None else ""
        yield line
    if len(waits) > limit:
        yield Line(section="waits", item="and more", value=len(waits) - limit)


def as_row(line: Line) -> dict[str, object]:
    """Return a line as a row of output."""
    row = msgspec.structs.asdict(line)
    del row["fact"]
    row["at"] = None if line.at is None else from_us(line.at)
    return row
