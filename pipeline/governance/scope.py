"""What was changed of an initiative after it was committed to, and whether anybody decided that."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.facts.rows import DecisionFact
from pipeline.governance.declared import Held, event_of, history
from pipeline.governance.known import Known


class ScopeChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change after the commitment. `decision` None: it is uncontrolled. `event` is the declaration's id."""

    initiative: str
    at: int
    fields: list[str]
    event: str
    decision: str | None = None

    @property
    def controlled(self) -> bool:
        """Whether a decision stands behind it."""
        return self.decision is not None


def scope_changes(contract: Contract, known: Known, name: str, as_of: int) -> list[ScopeChange]:
    """Return the changes of a committed initiative up to an instant, in order."""
    return list(_changes(contract, known, name, as_of))


def _changes(contract: Contract, known: Known, name: str, as_of: int) -> Iterator[ScopeChange]:
    before: Held | None = None
    committed = False
    for after in history(contract, name, as_of):
        if after is None:
            continue
        if before is not None and committed and after.intent.stage == "commit":
            old, new = before.intent.binding(), after.intent.binding()
            fields = [key for key in new if old[key] != new[key]]
            if fields:
                decision = _decision(known, name, before, after)
                yield ScopeChange(
                    initiative=name, at=after.since, fields=fields, event=event_of(after.version), decision=decision
                )
        committed = committed or after.intent.stage == "commit"
        before = after


def _decision(known: Known, name: str, before: Held, after: Held) -> str | None:
    """Return what a change was decided by: the other decision that it names, else one accepted in between."""
    named = after.intent.decision
    if named is not None and named != before.intent.decision:
        return named
    accepted = (
        (each.decided_at, each.id)
        for each in known.of(DecisionFact)
        if each.initiative == name
        and each.outcome == "accepted"
        and each.decided_at is not None
        and before.since < each.decided_at <= after.since
    )
    return max(accepted, default=(0, None))[1]
