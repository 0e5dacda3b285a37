"""Confidence in an initiative: the share of named checks that hold, each with what it was seen by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.facts.rows import ArtifactFact, WaitFact
from pipeline.governance.claims import claims
from pipeline.governance.couplings import is_open
from pipeline.governance.declared import held
from pipeline.governance.gate import evaluate
from pipeline.governance.known import Known
from pipeline.governance.scope import scope_changes


class Check(msgspec.Struct, frozen=True):
    """One check. `evidence` names what decides it: what is wrong where it does not hold."""

    name: str
    holds: bool
    evidence: list[str]


class Confidence(msgspec.Struct, frozen=True):
    """All checks of an initiative."""

    initiative: str
    checks: list[Check]

    @property
    def share(self) -> float:
        """The checks that hold, of all."""
        return sum(check.holds for check in self.checks) / len(self.checks)


def confidence(
    contract: Contract, known: Known, name: str, as_of: int, samples: Mapping[str, Sequence[int]]
) -> Confidence | None:
    """Return the confidence in an initiative as of an instant; None: it is not declared."""
    gate, found = evaluate(contract, known, name, as_of), held(contract, name, as_of)
    if gate is None or found is None:
        return None
    checks = [
        Check(part, part not in gate.missing, _gate_evidence(gate.why.get(part), seen))
        for part, seen in (
            ("owner", found.intent.owner),
            ("outcomes", ", ".join(outcome.metric for outcome in found.intent.outcomes)),
            ("decision", gate.decision),
        )
    ]
    refuted = [f"{each.id}: {each.text}" for each in found.intent.assumptions if each.status == "refuted"]
    open_waits = open_of(known, name, as_of)
    overdue = [wait.id for wait in open_waits if wait.due_at is not None and (as_of - wait.due_at) // 1000 > 0]
    uncontrolled = [each.event for each in scope_changes(contract, known, name, as_of) if not each.controlled]
    told = claims(contract, known, as_of, samples, name)
    wrong = {
        "assumptions": refuted,
        "dependencies": [wait.id for wait in open_waits],
        "overdue": overdue,
        "context": list(_astray(contract, known, name, as_of)),
        "controlled": uncontrolled,
        "evidenced": [claim.ticket for claim in told if claim.state == "claimed, not evidenced"],
    }
    return Confidence(name, [*checks, *(Check(check, not evidence, evidence) for check, evidence in wrong.items())])


def open_of(known: Known, name: str, as_of: int) -> list[WaitFact]:
    """Return the cross-team waits of an initiative that are open, the one due first before the others."""
    found = (
        wait
        for wait in known.of(WaitFact)
        if wait.initiative == name and wait.cross_team and wait.excluded is None and is_open(wait, as_of)
    )
    return sorted(found, key=lambda wait: (wait.due_at or wait.opened_at, wait.id))


def _gate_evidence(problem: str | None, seen: str | None) -> list[str]:
    return [problem or seen or ""]


def _astray(contract: Contract, known: Known, name: str, as_of: int) -> Iterator[str]:
    """Yield the artifacts that mean an initiative and are not linked to it."""
    for artifact in known.of(ArtifactFact):
        meant = contract.initiatives_named(artifact.named or "")
        if artifact.proposed_at <= as_of and artifact.status != "linked" and name in meant:
            yield artifact.id
