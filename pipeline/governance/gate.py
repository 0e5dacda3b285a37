"""The gate from bet to commit: what an initiative lacks, who may pass without it, and what is due when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.events.times import day_of, from_us
from pipeline.facts.rows import DecisionFact
from pipeline.governance.declared import Held, end_of_day, event_of, held, horizon_end, initiatives
from pipeline.governance.known import Known

GATE = "commit"
#: The version of the rule, which goes into every result; raised when the rule asks for something else.
RULE = "commit-1"
_COMMITTED = ("commit", "done", "stopped")


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """The result for one initiative. Instants are microseconds; `declarations` the ids of the events looked at."""

    initiative: str
    stage: str
    missing: list[str]
    why: dict[str, str]
    passed: bool
    due_at: int | None = None
    exempt_until: int | None = None
    exemption: str | None = None
    decision: str | None = None
    declarations: list[str] = []


class Due(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Something with a date: a `gate`, the end of an `exemption`, or a `horizon` by which evidence must be in."""

    due_at: int
    initiative: str
    what: str
    missing: list[str]
    overdue: bool


def status_at(decision: DecisionFact, as_of: int) -> str:
    """Return the status that a decision had at an instant, as far as is known today."""
    if _before(decision.superseded_at, as_of):
        return "superseded"
    if _before(decision.reversed_at, as_of):
        return "reversed"
    return decision.outcome or "accepted" if _before(decision.decided_at, as_of) else "open"


def evaluate(contract: Contract, known: Known, name: str, as_of: int) -> Gate | None:
    """Try the gate of an initiative as of an instant; None: it is not declared."""
    found = held(contract, name, as_of)
    if found is None:
        return None
    intent = found.intent
    why = dict(_lacking(contract, known, found, as_of))
    exemption = intent.exemption
    is_exempt = exemption is not None and as_of < exemption.ends
    team = contract.objects(as_of).get(("Team", intent.owner or ""))
    return Gate(
        initiative=name,
        stage=intent.stage,
        missing=list(why),
        why=why,
        passed=not why or is_exempt,
        due_at=None if intent.commit_by is None or intent.stage in _COMMITTED else end_of_day(intent.commit_by),
        exempt_until=None if exemption is None else exemption.ends,
        exemption=None if exemption is None else exemption.reason,
        decision=intent.decision,
        declarations=[event_of(found.version), *([event_of(team)] if team else [])],
    )


def due(
    contract: Contract, known: Known, as_of: int, until: int, read: Mapping[str, Iterable[int]] | None = None
) -> list[Due]:
    """Return what is due on the day of an instant or before it, the earliest first, each with what it lacks.

    `read` has the instants of the samples of each outcome metric; None: they were not looked for.
    """
    found = (
        each for name in initiatives(contract, as_of) for each in _due_of(contract, known, name, as_of, read or {})
    )
    return sorted(each for each in found if day_of(each.due_at - 1) <= day_of(until))


def _lacking(contract: Contract, known: Known, found: Held, as_of: int) -> Iterator[tuple[str, str]]:
    intent = found.intent
    if not intent.owner:
        yield "owner", "names no team"
    elif ("Team", intent.owner) not in contract.objects(as_of):
        yield "owner", f"no Team {intent.owner!r} is declared"
    if not intent.outcomes:
        yield "outcomes", "names none"
    if not intent.horizon:
        yield "horizon", "names none"
    if (problem := _undecided(known, intent.decision, as_of)) is not None:
        yield "decision", problem


def _undecided(known: Known, named: str | None, as_of: int) -> str | None:
    if named is None:
        return "names none"
    decision = known.get(DecisionFact, named)
    if decision is None:
        return f"no decision {named!r} was ever recorded"
    status = status_at(decision, as_of)
    if status != "accepted":
        return f"decision {named!r} is {status}"
    return f"decision {named!r} lacks {', '.join(decision.lacking)}" if decision.lacking else None


def _due_of(
    contract: Contract, known: Known, name: str, as_of: int, read: Mapping[str, Iterable[int]]
) -> Iterator[Due]:
    gate, found = evaluate(contract, known, name, as_of), held(contract, name, as_of)
    if gate is None or found is None:
        return
    if gate.due_at is not None:
        yield _item("gate", name, gate.due_at, gate.missing, as_of)
    if gate.exempt_until is not None and gate.missing:
        yield _item("exemption", name, gate.exempt_until, gate.missing, as_of)
    intent = found.intent
    decision = None if intent.decision is None else known.get(DecisionFact, intent.decision)
    end = horizon_end(intent.horizon, None if decision is None else decision.decided_at)
    unread = [
        outcome.metric for outcome in intent.outcomes if not any(at <= as_of for at in read.get(outcome.metric, ()))
    ]
    if end is not None and unread and intent.stage == GATE:
        yield _item("horizon", name, end, unread, as_of)


def _item(what: str, name: str, due_at: int, missing: list[str], as_of: int) -> Due:
    return Due(due_at=due_at, initiative=name, what=what, missing=missing, overdue=due_at <= as_of)


def _before(at: int | None, as_of: int) -> bool:
    return at is not None and at <= as_of


def due_day(gate: Gate | Due) -> str | None:
    """Return the last day on which something is not yet overdue, such as `2026-12-31`."""
    return None if gate.due_at is None else from_us(gate.due_at - 1).date().isoformat()
