"""What lies behind an initiative: is it sound, where is it, what waits, and by what is all that known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipeline.contract.resolve import Contract
from pipeline.facts.rows import ArtifactFact, DecisionFact, DeploymentFact, Fact, WaitFact
from pipeline.governance.claims import claims
from pipeline.governance.confidence import confidence
from pipeline.governance.couplings import couplings, cycles, is_open
from pipeline.governance.declared import Held, event_of, held
from pipeline.governance.gate import due_day, evaluate
from pipeline.governance.journey import journeys
from pipeline.governance.known import Known
from pipeline.governance.pages.line import Line, line_of, said
from pipeline.governance.progress import progress
from pipeline.governance.scope import scope_changes
from pipeline.metrics.windows import human_seconds

#: So many waits make most of a debt.
_WORST = 5
Samples = Mapping[str, Sequence[int]]


def initiative_page(
    contract: Contract, known: Known, name: str, as_of: int, samples: Samples, *, limit: int
) -> Iterator[Line]:
    """Yield the explanation of an initiative; nothing if it is not declared. At most `limit` of a kind are listed."""
    found = held(contract, name, as_of)
    if found is None:
        return
    yield from _declared(name, found)
    yield from _sound(contract, known, name, as_of, samples)
    yield from _journey(contract, known, name, as_of, samples)
    yield from _outcomes(found, as_of, samples)
    yield from _recent("deployments", known, DeploymentFact, name, as_of, limit)
    yield from _waits(known, name, as_of)
    yield from _recent("decisions", known, DecisionFact, name, as_of, limit)
    for claim in claims(contract, known, as_of, samples, name)[:limit]:
        detail = said(claim.title, f"missing {', '.join(claim.missing)}" if claim.missing else "")
        about = f"{claim.ticket} {claim.status}"
        yield Line(section="claims", item=about, value=claim.state, at=claim.since, detail=detail)
    yield from _recent("artifacts", known, ArtifactFact, name, as_of, limit)
    for change in scope_changes(contract, known, name, as_of):
        value = "controlled" if change.controlled else "uncontrolled"
        detail = said(change.decision and f"decision {change.decision}")
        fields = ", ".join(change.fields)
        yield Line(
            section="changes after commit", item=fields, value=value, at=change.at, detail=detail, events=[change.event]
        )
    yield from _couplings(known, name, as_of)


def _declared(name: str, found: Held) -> Iterator[Line]:
    title, intent = found.version.metadata.get("displayName"), found.intent
    yield Line(section="initiative", item=name, value=title, at=found.since, events=[event_of(found.version)])
    for item, value in (("stage", intent.stage), ("owner", intent.owner), ("horizon", intent.horizon)):
        yield Line(section="initiative", item=item, value=value)
    for assumption in intent.assumptions:
        yield Line(
            section="initiative", item=f"assumption {assumption.id}", value=assumption.status, detail=assumption.text
        )


def _sound(contract: Contract, known: Known, name: str, as_of: int, samples: Samples) -> Iterator[Line]:
    told = confidence(contract, known, name, as_of, samples)
    for check in () if told is None else told.checks:
        value = "holds" if check.holds else "fails"
        yield Line(section="confidence", item=check.name, value=value, detail=", ".join(check.evidence))
    if told is not None:
        yield Line(section="confidence", item="share of checks that hold", value=round(told.share, 9))
    gate = evaluate(contract, known, name, as_of)
    if gate is not None:
        exempt = "" if not (gate.passed and gate.missing) else f"exempt: {gate.exemption or 'no reason told'}"
        lacks = "; ".join(f"{part}: {why}" for part, why in gate.why.items())
        value = "passes" if gate.passed else "does not pass"
        detail = said(exempt, lacks, f"due {due_day(gate)}" if gate.due_at else "")
        yield Line(section="gate", item="commit", value=value, detail=detail, events=gate.declarations)
    share = progress(known).get(name)
    if share is not None:
        yield Line(
            section="progress",
            item="tickets done",
            value=None if share.share is None else round(share.share, 9),
            detail=f"{share.done} of {share.tickets}",
        )


def _journey(contract: Contract, known: Known, name: str, as_of: int, samples: Samples) -> Iterator[Line]:
    journey = next(each for each in journeys(contract, known, as_of, samples) if each.initiative == name)
    legs = [*journey.spans().items()]
    for number, stop in enumerate(journey.stops):
        leg, span = legs[number - 1] if number else ("", None)
        took = "" if span is None else f"{leg} took {human_seconds(span)}"
        by = f"{stop.kind} {stop.id}" if stop.kind else "not measured" if stop.name == "outcome read" else "not reached"
        yield Line(section="journey", item=stop.name, value=span, at=stop.at, detail=said(by, took))
    if (under_way := journey.open_leg(as_of)) is not None:
        leg, age = under_way
        yield Line(section="journey", item=f"{leg}, open", value=age, at=as_of, detail=f"for {human_seconds(age)}")


def _outcomes(found: Held, as_of: int, samples: Samples) -> Iterator[Line]:
    for outcome in found.intent.outcomes:
        seen = [at for at in samples.get(outcome.metric, ()) if at <= as_of]
        detail = f"{len(seen)} samples" if seen else "not measured: no sample of it is in the log"
        yield Line(section="outcomes", item=outcome.metric, at=max(seen, default=None), detail=detail)


def _recent(section: str, known: Known, kind: type[Fact], name: str, as_of: int, limit: int) -> Iterator[Line]:
    facts = [fact for fact in known.of(kind) if _belongs(fact, name) and (fact.day_us() or 0) <= as_of]
    facts.sort(key=lambda fact: (-(fact.day_us() or 0), str(getattr(fact, "id", ""))))
    for fact in facts[:limit]:
        yield line_of(section, fact, value=getattr(fact, "status", None) or getattr(fact, "outcome", None))
    if len(facts) > limit:
        yield Line(section=section, item="and earlier ones", value=len(facts) - limit)


def _belongs(fact: Fact, name: str) -> bool:
    if isinstance(fact, DeploymentFact):
        return fact.production and name in fact.initiatives
    return getattr(fact, "initiative", None) == name


def _waits(known: Known, name: str, as_of: int) -> Iterator[Line]:
    """Yield the waits that make most of the coordination debt, each with what it adds in seconds."""
    overdue = [
        ((as_of - wait.due_at) // 1000 / 1000, wait)
        for wait in known.of(WaitFact)
        if wait.initiative == name and wait.excluded is None and (wait.cross_team or wait.kind == "decision")
        if is_open(wait, as_of) and wait.due_at is not None and (as_of - wait.due_at) // 1000 > 0
    ]
    overdue.sort(key=lambda each: (-each[0], each[1].id))
    for debt, wait in overdue[:_WORST]:
        yield line_of("waits that make most of the debt", wait, value=debt)


def _couplings(known: Known, name: str, as_of: int) -> Iterator[Line]:
    for each in couplings(known, as_of, name):
        detail = f"{each.waits} waits, {each.open} open, {human_seconds(each.seconds)} in all"
        yield Line(section="couplings", item=each.pair, value=each.mode, detail=detail)
    mine = {wait.id for wait in known.of(WaitFact) if wait.initiative == name}
    for cycle in cycles(known.of(WaitFact), as_of):
        if not mine.isdisjoint(cycle.waits):
            way = " > ".join([*cycle.tickets, cycle.tickets[0]])
            yield Line(section="couplings", item=way, value="circle", detail="each waits for the next")
