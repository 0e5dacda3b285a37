"""The second stage of the fold: every fact is joined to an initiative, and deployments to what their members serve."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.facts.correlate import Settled
from pipeline.facts.fans import Fans
from pipeline.facts.rows import FACTS, ChangeFact, DeploymentFact, Fact, Revision, TicketFact
from pipeline.facts.state import State, Table
from pipeline.identity.belonging import Belonging
from pipeline.identity.evidence import Evidence
from pipeline.identity.graph import LinkGraph

Confidence = Literal["declared", "linked", "inferred"]
#: Confidences that rest on an explicit link rather than on a guess.
DETERMINISTIC = ("declared", "linked")
_STRONG = ("title", "branch", "trailer", "field", "commit")


class Members(msgspec.Struct, array_like=True):
    """What the changes that a deployment delivered first add up to."""

    total: int = 0
    exempt: int = 0
    ambiguous: int = 0
    unplanned: int = 0
    initiatives: dict[str, int] = {}
    traced: int = 0

    def trace(self) -> str:
        """How far the deployment can be traced; see the definitions page."""
        if self.total == 0:
            return "empty"
        if self.exempt == self.total:
            return "exempt"
        if self.traced:
            return "traced"
        return "ambiguous" if self.ambiguous else "orphan"


class Verdict(msgspec.Struct, frozen=True):
    """To which initiative a change belongs, how surely, and why."""

    initiative: str | None = None
    confidence: str | None = None
    candidates: tuple[str, ...] = ()
    evidence: str | None = None


class Attribution:
    """Turns settled facts into attributed revisions.

    Keeps the last revision of every fact (`fact_<kind>` tables): they are both the memory against which a new one is
    compared and what readers are given. A link that arrives late re-attributes all that hangs below it.
    """

    def __init__(self, state: State, contract: Contract) -> None:
        self._contract = contract
        self._graph = LinkGraph(state, contract)
        self._members = state.table("members", Members)
        self._delivered = Fans(state, "delivered")
        self._facts: dict[str, Table[Fact]] = {
            kind: cast("Table[Fact]", state.table(f"fact_{kind}", fact)) for kind, fact in FACTS.items()
        }
        self._belonging = Belonging(state, contract, self._graph)
        self._evidence = Evidence(state, self._graph, self._belonging)

    def apply(self, settled: Iterable[Settled]) -> list[Revision]:
        """Attribute a batch of settled facts; returns what changed, each fact once, with what it was before."""
        incoming: dict[str, dict[str, Fact | None]] = {kind: {} for kind in FACTS}
        for kind, key, fact in settled:
            incoming[kind][key] = fact
        self._prefetch(incoming)
        moved = self._placed(incoming["ticket"])
        revisions = self._delivered_work(incoming, {change for each in moved for change in self._graph.mentions(each)})
        for kind in ("failure", "artifact", "act"):
            for key, fact in sorted(incoming[kind].items()):
                revisions += self._revise(kind, key, fact)
        self._again(
            "decision", incoming["decision"], (each for key in moved for each in self._belonging.decisions(key))
        )
        for key, fact in sorted(incoming["decision"].items()):
            revisions += self._revise("decision", key, self._belonging.of_decision(fact))
        self._again("ticket", incoming["ticket"], {*moved, *self._evidence.apply(revisions)})
        for key, fact in sorted(incoming["ticket"].items()):
            revisions += self._revise("ticket", key, self._with_initiative(fact))
        changed = {revision.id for revision in revisions if revision.kind == "change"}
        self._again("wait", incoming["wait"], self._belonging.waits(moved, changed))
        for key, fact in sorted(incoming["wait"].items()):
            revisions += self._revise("wait", key, self._belonging.of_wait(fact))
        return revisions

    def _prefetch(self, incoming: dict[str, dict[str, Fact | None]]) -> None:
        """Load in bulk what is known of a batch; what that leads to is loaded when it is met."""
        for kind, facts in incoming.items():
            self._facts[kind].prefetch(facts)
        self._graph.prefetch(incoming["ticket"])
        self._evidence.prefetch(incoming["ticket"])
        self._belonging.prefetch(incoming["ticket"], incoming["change"])

    def _delivered_work(self, incoming: dict[str, dict[str, Fact | None]], moved: set[str]) -> list[Revision]:
        """Attribute changes, those whose links have moved included, and then the deployments that they are part of."""
        changes, deployments = incoming["change"], incoming["deployment"]
        self._again("change", changes, moved | self._of_moved_seeds(deployments))
        revisions: list[Revision] = []
        touched: set[str] = set()
        for key, fact in sorted(changes.items()):
            revisions += self._change(key, cast("ChangeFact | None", fact), deployments, touched)
        self._again("deployment", deployments, touched)
        for key, fact in sorted(deployments.items()):
            revisions += self._revise("deployment", key, self._with_members(cast("DeploymentFact | None", fact)))
        return revisions

    def _again(self, kind: str, facts: dict[str, Fact | None], keys: Iterable[str]) -> None:
        """Add copies of the stored facts of `keys` to those that a batch brought."""
        for key in keys:
            if key not in facts and (stored := self._facts[kind].get(key)) is not None:
                facts[key] = msgspec.structs.replace(stored)

    def _placed(self, tickets: dict[str, Fact | None]) -> set[str]:
        """Place tickets in the graph; returns those that may now serve another initiative."""
        moved: set[str] = set()
        for key, fact in tickets.items():
            if isinstance(fact, TicketFact) and self._graph.place(fact) and key not in moved:
                moved |= self._graph.below(key)
        return moved

    def _with_initiative(self, ticket: Fact | None) -> TicketFact | None:
        if not isinstance(ticket, TicketFact):
            return None
        found, seen = self._graph.resolve(ticket.id), self._evidence.seen(ticket.id)
        ticket.initiative = found.initiatives[0] if len(found.initiatives) == 1 else None
        ticket.candidates = list(found.initiatives) if len(found.initiatives) > 1 else []
        ticket.evidence = " > ".join(found.path) or None
        ticket.last_change_at, ticket.last_review_at, ticket.last_merge_at = seen.change, seen.review, seen.merge
        ticket.last_deployment_at, ticket.last_decision_at = seen.deployment, seen.decision
        return ticket

    def _of_moved_seeds(self, deployments: dict[str, Fact | None]) -> set[str]:
        """Changes delivered by a deployment that has just become, or ceased to be, the seed of its repository."""
        affected: set[str] = set()
        for key, fact in deployments.items():
            stored = self._facts["deployment"].get(key)
            if isinstance(fact, DeploymentFact) and isinstance(stored, DeploymentFact) and fact.seed != stored.seed:
                affected.update(self._delivered.members(key))
        return affected

    def _change(
        self, key: str, fact: ChangeFact | None, deployments: dict[str, Fact | None], touched: set[str]
    ) -> list[Revision]:
        if fact is not None:
            verdict = self._verdict(fact)
            fact.initiative, fact.confidence = verdict.initiative, verdict.confidence
            fact.candidates, fact.evidence = list(verdict.candidates), verdict.evidence
            fact.excluded = "seed" if self._is_seed(fact.deployment, deployments) else None
        revisions = self._revise("change", key, fact)
        for revision in revisions:
            old, new = cast("ChangeFact | None", revision.old), cast("ChangeFact | None", revision.new)
            self._count(old, -1, touched)
            self._count(new, +1, touched)
            if new is not None and new.deployment is not None and (old is None or old.deployment != new.deployment):
                self._delivered.add(new.deployment, key)
            known = {ref.value for ref in old.refs if ref.kind == "ticket"} if old is not None else set()
            for ticket in sorted({ref.value for ref in new.refs if ref.kind == "ticket"} - known if new else ()):
                self._graph.mention(ticket, key)
        return revisions

    def _is_seed(self, deployment: str | None, deployments: dict[str, Fact | None]) -> bool:
        if deployment is None:
            return False
        fact = deployments.get(deployment) or self._facts["deployment"].get(deployment)
        return isinstance(fact, DeploymentFact) and fact.seed

    def _count(self, change: ChangeFact | None, sign: int, touched: set[str]) -> None:
        if change is None or change.deployment is None:
            return
        members = self._members.get(change.deployment) or Members(initiatives={})
        members.total += sign
        members.unplanned += sign * change.unplanned
        initiative = change.initiative if change.confidence in DETERMINISTIC else None
        if change.exempt:
            members.exempt += sign
        elif change.confidence == "ambiguous":
            members.ambiguous += sign
        elif initiative is not None:
            members.traced += sign
        if initiative is not None:
            count = members.initiatives.get(initiative, 0) + sign
            members.initiatives[initiative] = count
            if count == 0:
                del members.initiatives[initiative]
        self._members.put(change.deployment, members)
        touched.add(change.deployment)

    def _with_members(self, fact: DeploymentFact | None) -> DeploymentFact | None:
        if fact is None:
            return None
        members = self._members.get(fact.id) or Members()
        fact.changes = members.total
        fact.rework = fact.caused_by is not None or members.unplanned > 0
        fact.trace = members.trace()
        fact.initiatives = sorted(members.initiatives)
        return fact

    def _verdict(self, change: ChangeFact) -> Verdict:
        """Look level by level; the first that yields an initiative decides."""
        contract, refs = self._contract, change.refs
        declared = {
            name: f"{ref.via} {ref.value}"
            for ref in refs
            if ref.kind == "initiative"
            for name in contract.initiatives_named(ref.value)
        }
        if declared:
            return _decide(declared, "declared")
        labelled = {
            name: f"label {ref.value}"
            for ref in refs
            if ref.kind == "label"
            for name in contract.initiatives_by_label(ref.value)
        }
        if labelled:
            return _decide(labelled, "declared")
        for level in (True, False):
            tickets = [ref.value for ref in refs if ref.kind == "ticket" and (ref.via in _STRONG) is level]
            linked = {
                name: " > ".join(found.path)
                for found in (self._graph.resolve(ticket) for ticket in tickets)
                for name in found.initiatives
            }
            if linked:
                return _decide(linked, "linked")
        services = [change.service] if change.service is not None else change.services
        inferred = {
            name: f"service {service}" for service in services for name in contract.initiatives_by_service(service)
        }
        return _decide(inferred, "inferred") if inferred else Verdict()

    def _revise(self, kind: str, key: str, fact: Fact | None) -> list[Revision]:
        table = self._facts[kind]
        old = table.get(key)
        if old == fact:
            return []
        if fact is None:
            table.delete(key)
        else:
            table.put(key, fact)
        return [Revision(kind, key, old, fact)]


def _decide(found: dict[str, str], confidence: Confidence) -> Verdict:
    """One initiative is attributed; of several none is, and all are named."""
    names = tuple(sorted(found))
    if len(names) == 1:
        return Verdict(names[0], confidence, (), found[names[0]])
    return Verdict(None, "ambiguous", names, "; ".join(f"{name}: {found[name]}" for name in names))
