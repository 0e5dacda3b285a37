"""Decisions: asked for, made, superseded, reversed; told by events, by work items that are decisions, or by both."""

from __future__ import annotations

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.events.coordination import DecisionEvent, LinkDeclared
from pipeline.events.envelope import Event
from pipeline.events.times import seconds_between, to_us
from pipeline.events.types import Ref
from pipeline.facts.lives import Life
from pipeline.facts.rows import DecisionFact, WaitFact
from pipeline.facts.state import State
from pipeline.facts.told import Told, earliest, later, latest
from pipeline.facts.waits import between, by_ticket, ended
from pipeline.facts.work import Ticket

REQUESTED, DECIDED, SUPERSEDED, REVERSED = DecisionEvent.TYPES
_PREDICATES = {REQUESTED: "asked", DECIDED: "decided", SUPERSEDED: "superseded", REVERSED: "reversed"}


class Item(msgspec.Struct, array_like=True):
    """What a work item that is a decision says of it."""

    title: str
    category: str | None
    asked: int | None
    decided: int | None
    outcome: str | None


class Decision(msgspec.Struct, array_like=True):
    """What was told of one decision. `instants` holds the earliest of each predicate and of any event (`any`)."""

    instants: dict[str, int] = {}
    texts: dict[str, Told[str]] = {}
    refs: Told[list[Ref]] | None = None
    needed_by: Told[int] | None = None
    outcome: Told[str] | None = None
    approvers: list[str] = []
    link: Told[str] | None = None
    item: Item | None = None


class Decisions:
    """Keeps what is told of every decision. `touched` are those to settle."""

    def __init__(self, state: State, contract: Contract) -> None:
        self._decisions = state.table("decision", Decision)
        self._contract = contract
        self.touched: set[str] = set()

    def observe(self, event: Event, data: DecisionEvent) -> None:
        """Take in an event of a decision."""
        decision = self._open(data.decision)
        at = to_us(event.time)
        earliest(decision.instants, _PREDICATES[event.type], at)
        earliest(decision.instants, "any", at)
        told = {
            name: getattr(data, name) for name in ("title", "category", "by", "from_team", "to_team", "ticket", "url")
        }
        latest(decision.texts, at, event.id, told)
        if data.refs:
            decision.refs = later(decision.refs, at, event.id, data.refs)
        if data.needed_by:
            decision.needed_by = later(decision.needed_by, at, event.id, to_us(data.needed_by))
        if event.type == DECIDED and data.outcome:
            known = decision.outcome
            if known is None or (at, event.id) < (known.at, known.event):
                decision.outcome = Told(at, event.id, data.outcome)
        decision.approvers = sorted({*decision.approvers, *data.approvers})
        self._put(data.decision, decision)

    def linked(self, event: Event, data: LinkDeclared) -> None:
        """Take in that a person linked a decision to an initiative."""
        decision = self._open(data.subject_id)
        decision.link = later(decision.link, to_us(event.time), event.id, data.initiative)
        self._put(data.subject_id, decision)

    def item(self, ticket: Ticket, life: Life) -> Item | None:
        """Return what a ticket says of the decision that it is; None: it is none."""
        fits, category = self._contract.coordination.decision_item(ticket.kind, ticket.labels)
        if not fits:
            return None
        outcome = {"done": "accepted", "cancelled": "rejected"}.get(life.finish or "")
        return Item(ticket.title, category, ticket.created, life.finished_at if outcome else None, outcome)

    def of_ticket(self, key: str, item: Item | None) -> None:
        """Take in what a ticket now says of a decision; None: it is one no more."""
        decision = self._open(key)
        if decision.item != item:
            decision.item = item
            self._put(key, decision)

    def settle(self, key: str) -> tuple[DecisionFact | None, WaitFact | None]:
        """Return the facts of a decision as it now stands; None: there is no such thing."""
        decision = self._decisions.get(key)
        if decision is None or not (decision.instants or decision.item):
            return None, None
        fact = self._fact(key, decision)
        return fact, self._wait(fact)

    def _fact(self, key: str, decision: Decision) -> DecisionFact:
        item = decision.item or Item("", None, None, None, None)
        instants, texts = decision.instants, {name: told.value for name, told in decision.texts.items()}
        asked = instants.get("asked", item.asked)
        decided = instants.get("decided", item.decided)
        told = None if decision.outcome is None else decision.outcome.value
        outcome = None if decided is None else told or ("accepted" if "decided" in instants else item.outcome)
        earliest_word = min([at for at in (instants.get("any"), item.asked, item.decided) if at is not None], default=0)
        at = next((each for each in (asked, decided) if each is not None), earliest_word)
        ticket = texts.get("ticket") or (key if decision.item is not None else None)
        named = [] if decision.link is None else [Ref("initiative", decision.link.value, "field")]
        fact = DecisionFact(
            id=key,
            title=texts.get("title") or item.title,
            status="open",
            category=texts.get("category") or item.category,
            from_team=self._contract.coordination.team_named(texts.get("from_team"), at),
            to_team=self._contract.coordination.team_named(texts.get("to_team"), at),
            ticket=ticket,
            asked_at=asked,
            decided_at=decided,
            outcome=outcome,
            approvers=decision.approvers,
            superseded_at=instants.get("superseded"),
            reversed_at=instants.get("reversed"),
            by=texts.get("by"),
            url=texts.get("url"),
            refs=sorted({*(() if decision.refs is None else decision.refs.value), *named, *by_ticket(ticket)}),
        )
        fact.status = _status(fact)
        if asked is not None and decided is not None:
            fact.negative = int(decided < asked)
            fact.latency = None if fact.negative else seconds_between(asked, decided)
        fact.lacking = self._lacking(fact, at)
        if asked is not None:
            fact.due_at = self._due(fact, asked, None if decision.needed_by is None else decision.needed_by.value)
        return fact

    def _lacking(self, fact: DecisionFact, at: int) -> list[str]:
        if fact.outcome != "accepted":
            return []
        rule = self._contract.coordination.decision_class(fact.category, at)
        agreed = {name.lower() for name in fact.approvers}
        return [] if rule is None else sorted(name for low, name in rule.approvers.items() if low not in agreed)

    def _due(self, fact: DecisionFact, asked: int, needed_by: int | None) -> int:
        if needed_by is not None:
            return needed_by
        words = self._contract.coordination
        rule = words.decision_class(fact.category, asked)
        target = None if rule is None else rule.target_us
        if target is None:
            target = words.expectation_us("decision", fact.from_team, fact.to_team, asked)
        return asked + target

    def _wait(self, fact: DecisionFact) -> WaitFact | None:
        if fact.asked_at is None:
            return None
        wait = WaitFact(
            id=f"decision|{fact.id}",
            kind="decision",
            subject=fact.id,
            on=None,
            opened_at=fact.asked_at,
            title=fact.title,
            refs=fact.refs,
        )
        between(wait, fact.from_team, fact.to_team, self._contract, fact.due_at)
        return ended(wait, [(fact.decided_at, "decided"), (fact.superseded_at, "withdrawn")])

    def _open(self, key: str) -> Decision:
        return self._decisions.get(key) or Decision()

    def _put(self, key: str, decision: Decision) -> None:
        self._decisions.put(key, decision)
        self.touched.add(key)


def _status(fact: DecisionFact) -> str:
    if fact.superseded_at is not None:
        return "superseded"
    if fact.reversed_at is not None:
        return "reversed"
    return fact.outcome or "open"
