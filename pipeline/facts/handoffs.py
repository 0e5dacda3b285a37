"""Hand-overs that were asked for explicitly, and reviews that were asked of a team."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator

import msgspec

from pipeline.contract.resolve import Contract
from pipeline.events.coordination import HandoffEvent, ReviewRequest
from pipeline.events.envelope import Event
from pipeline.events.times import to_us
from pipeline.events.types import Ref
from pipeline.facts.changes import Changes
from pipeline.facts.episodes import ASKED, WITHDRAWN, Requests
from pipeline.facts.fans import Fans
from pipeline.facts.rows import WaitFact
from pipeline.facts.state import State
from pipeline.facts.told import Told, latest
from pipeline.facts.waits import between, by_ticket, ended

_PREDICATE = {name: name.split(".")[3] for name in HandoffEvent.TYPES}
_REVIEW_ASKED = ReviewRequest.TYPES[0]


class Handoff(msgspec.Struct, array_like=True):
    """What was told of one hand-over. `events`: (time, id, predicate), sorted, each once."""

    events: list[tuple[int, str, str]] = []
    texts: dict[str, Told[str]] = {}
    needed_by: dict[str, Told[int]] = {}
    refs: dict[str, Told[list[Ref]]] = {}


class Handoffs:
    """Keeps what is told of every explicit hand-over. `touched` are those to settle."""

    def __init__(self, state: State, contract: Contract) -> None:
        self._handoffs = state.table("handoff", Handoff)
        self._contract = contract
        self.touched: set[str] = set()

    def observe(self, event: Event, data: HandoffEvent) -> None:
        """Take in an event of a hand-over."""
        handoff = self._handoffs.get(data.handoff) or Handoff()
        at = to_us(event.time)
        entry = (at, event.id, _PREDICATE[event.type])
        if entry not in handoff.events:
            insort(handoff.events, entry)
        texts = {name: getattr(data, name) for name in ("from_team", "to_team", "ticket", "title")}
        latest(handoff.texts, at, event.id, texts)
        if data.needed_by is not None:
            latest(handoff.needed_by, at, event.id, {"": to_us(data.needed_by)})
        latest(handoff.refs, at, event.id, {"": data.refs})
        self._handoffs.put(data.handoff, handoff)
        self.touched.add(data.handoff)

    def settle(self, key: str) -> WaitFact | None:
        """Return the wait for a hand-over as it now stands."""
        handoff = self._handoffs.get(key)
        if handoff is None:
            return None
        first: dict[str, int] = {}
        for at, _, predicate in handoff.events:
            first.setdefault(predicate, at)
        texts = {name: told.value for name, told in handoff.texts.items()}
        refs = [ref for told in handoff.refs.values() for ref in told.value]
        needed_by = next((told.value for told in handoff.needed_by.values()), None)
        fact = WaitFact(
            id=f"handoff|{key}",
            kind="handoff",
            subject=key,
            on=None,
            opened_at=first.get("requested", handoff.events[0][0]),
            title=texts.get("title", ""),
            refs=sorted({*refs, *by_ticket(texts.get("ticket"))}),
            bounces=sum(predicate == "returned" for _, _, predicate in handoff.events),
            missing=_missing(first, needed_by),
        )
        words = self._contract.coordination
        consumer, provider = (words.team_named(texts.get(name), fact.opened_at) for name in ("from_team", "to_team"))
        between(fact, consumer, provider, self._contract, needed_by)
        ends: list[tuple[int | None, str]] = [
            (first.get("accepted"), "accepted"),
            (first.get("delivered"), "completed"),
        ]
        at, _, last = handoff.events[-1]
        if last == "returned" and all(end is None for end, _ in ends):
            ends = [(at, "returned")]
        fact = ended(fact, ends)
        if "requested" not in first:
            fact.latency, fact.negative = None, 0
        return fact


class ReviewRequests(Requests, array_like=True):
    """What was told of a team's review of a change, and the repository of that."""

    repo: str = ""


class Reviews:
    """Joins requests for a team's review with the change they are about."""

    def __init__(self, state: State, contract: Contract, changes: Changes) -> None:
        self._requests = state.table("review_request", ReviewRequests)
        self._of_change = Fans(state, "review_requests")
        self._contract = contract
        self._changes = changes
        #: Changes of which a review was asked or withdrawn.
        self.touched: set[str] = set()

    def observe(self, event: Event, data: ReviewRequest) -> None:
        """Take in that a review was asked of a team, or no longer is; requests of persons are no wait between teams."""
        if data.team is None:
            return
        key = f"{data.change}|{data.team}"
        request = self._requests.get(key)
        if request is None:
            request = ReviewRequests(repo=data.repo)
            self._of_change.add(data.change, data.team)
        request.add(to_us(event.time), ASKED if event.type == _REVIEW_ASKED else WITHDRAWN, event.id)
        self._requests.put(key, request)
        self.touched.add(data.change)

    def settle(self, change: str) -> Iterator[tuple[str, WaitFact | None]]:
        """Yield (id, fact) of the waits for reviews of a change, and of those that it no longer has."""
        for team in sorted(set(self._of_change.members(change))):
            key = f"{change}|{team}"
            request = self._requests.get(key)
            if request is None:
                continue
            facts = [self._wait(change, team, request.repo, each) for each in enumerate(request.episodes())]
            ids = [fact.id for fact in facts]
            yield from ((gone, None) for gone in request.waits if gone not in ids)
            yield from ((fact.id, fact) for fact in facts)
            if ids != request.waits:
                request.waits = ids
                self._requests.put(key, request)

    def _wait(self, change: str, team: str, repo: str, episode: tuple[int, tuple[int, int | None]]) -> WaitFact:
        number, (opened, withdrawn) = episode
        title, consumer = self._changes.asked_about(change, repo, opened)
        fact = WaitFact(
            id=f"review|{change}|{team}|{number}",
            kind="review",
            subject=change,
            on=None,
            opened_at=opened,
            title=title,
        )
        between(fact, consumer, self._contract.coordination.team_named(team, opened), self._contract)
        answered, over = self._changes.ends_of_review(change, opened)
        if over is not None and over < opened:
            fact.excluded = "already_done"
        return ended(fact, [(answered, "answered"), (withdrawn, "withdrawn"), (over, "overtaken")])


def _missing(first: dict[str, int], needed_by: int | None) -> list[str]:
    gaps = {
        "requested": "requested" not in first,
        "needed_by": needed_by is None,
        "accepted": "delivered" in first and "accepted" not in first,
    }
    return [leg for leg, is_gap in gaps.items() if is_gap]
