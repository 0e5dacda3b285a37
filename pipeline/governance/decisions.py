"""Which decisions are local, and which need the agreement of others."""

from __future__ import annotations

from typing import Literal

from pipeline.contract.resolve import Contract
from pipeline.facts.rows import DecisionFact

Reach = Literal["local", "cross-team", "cross-functional"]


def reach(contract: Contract, decision: DecisionFact) -> Reach:
    """Return whose decision it is: several roles of its class must agree, one team asks another, or a team decides."""
    told = (decision.asked_at, decision.decided_at, decision.superseded_at, decision.reversed_at)
    at = next((each for each in told if each is not None), 0)
    rule = contract.coordination.decision_class(decision.category, at)
    if rule is not None and len(rule.approvers) > 1:
        return "cross-functional"
    teams = {team for team in (decision.from_team, decision.to_team) if team is not None}
    return "cross-team" if len(teams) > 1 else "local"


def state(decision: DecisionFact) -> str:
    """Return the status as people are to see it: an accepted one that lacks an approver is `incomplete`."""
    return "incomplete" if decision.status == "accepted" and decision.lacking else decision.status
