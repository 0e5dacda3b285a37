"""Builders for stories of what happens between teams: dependencies, reviews, hand-overs, decisions, assistants."""

from __future__ import annotations

from typing import Any, Literal

from pipeline.events.coordination import (
    AgentActed,
    ArtifactProposed,
    DecisionEvent,
    HandoffEvent,
    LinkDeclared,
    OutcomeSampled,
    ReviewRequest,
    TicketTransferred,
)
from pipeline.events.envelope import Event
from pipeline.events.types import DependencyEvent, Ref
from pipeline.simulate.telling import TRACKER, tell
from tests.simulation.story import SHOP, FactKey, declared, moment, us

#: Statuses and types of the tracker in the stories, as `words` declares them.
STATUSES = {
    "To Do": "ready",
    "In Progress": "in_progress",
    "In Review": "in_review",
    "Blocked": "blocked",
    "Done": "done",
    "Dropped": "cancelled",
}
TYPES = {"Epic": "epic", "Story": "story", "Task": "task", "Bug": "bug", "Decision": "task"}


def wait(identity: str) -> FactKey:
    return "wait", identity


def decision_fact(name: str) -> FactKey:
    return "decision", name


def artifact(name: str) -> FactKey:
    return "artifact", name


def act(name: str) -> FactKey:
    return "act", name


# --- contract -------------------------------------------------------------------------------------------------------


def team(name: str, *, at: str = "01 00:00", since: str | None = None, **spec: Any) -> Event:
    return declared("Team", name, spec, at, since)


def interaction(other: str, mode: str, **expect: str) -> dict[str, Any]:
    """How a team works with another, for `interactions` of its spec; `expect`: kind of wait -> duration."""
    return {"with": other, "mode": mode, "expect": expect}


def words(*, at: str = "01 00:00", **spec: Any) -> Event:
    """What the statuses and types of the tracker mean."""
    return declared("StatusMap", "tracker", {"tracker": "tracker", "map": STATUSES, "types": TYPES, **spec}, at)


def policy(*, at: str = "01 00:00", since: str | None = None, **spec: Any) -> Event:
    return declared("Policy", "default", spec, at, since)


# --- between teams --------------------------------------------------------------------------------------------------


def dependency_added(at: str, ticket: str, blocked_by: str) -> Event:
    return _dependency(0, at, ticket, blocked_by)


def dependency_removed(at: str, ticket: str, blocked_by: str) -> Event:
    return _dependency(1, at, ticket, blocked_by)


def _dependency(which: int, at: str, ticket: str, blocked_by: str) -> Event:
    payload = DependencyEvent(tracker=TRACKER, ticket=ticket, blocked_by=blocked_by)
    return tell(DependencyEvent.TYPES[which], us(at), payload)


def transferred(at: str, key: str, to_team: str, from_team: str | None = None) -> Event:
    payload = TicketTransferred(tracker=TRACKER, ticket=key, to_team=to_team, from_team=from_team)
    return tell(TicketTransferred.TYPES[0], us(at), payload)


def review_asked(
    at: str, number: int, team: str | None = None, *, reviewer: str | None = None, repo: str = SHOP
) -> Event:
    payload = ReviewRequest(repo=repo, change=f"{repo}#{number}", team=team, reviewer=reviewer)
    return tell(ReviewRequest.TYPES[0], us(at), payload)


def review_withdrawn(at: str, number: int, team: str | None = None, *, repo: str = SHOP) -> Event:
    payload = ReviewRequest(repo=repo, change=f"{repo}#{number}", team=team)
    return tell(ReviewRequest.TYPES[1], us(at), payload)


def handed_over(at: str, name: str, what: str = "requested", **fields: Any) -> Event:
    """A hand-over was `requested`, `accepted`, `returned` or `delivered`; `needed_by` is an instant of the story."""
    payload = HandoffEvent(handoff=name, needed_by=_instant(fields.pop("needed_by", None)), **_with_refs(fields))
    return tell(HandoffEvent.TYPES[("requested", "accepted", "returned", "delivered").index(what)], us(at), payload)


def decision(at: str, name: str, what: str = "requested", **fields: Any) -> Event:
    """A decision was `requested`, `decided`, `superseded` or `reversed`; `needed_by` is an instant of the story."""
    payload = DecisionEvent(decision=name, needed_by=_instant(fields.pop("needed_by", None)), **_with_refs(fields))
    return tell(DecisionEvent.TYPES[("requested", "decided", "superseded", "reversed").index(what)], us(at), payload)


# --- assistants and links by hand -----------------------------------------------------------------------------------


def proposed(at: str, name: str, initiative: str | None = None, **fields: Any) -> Event:
    """An assistant proposed something for an initiative, as it names that."""
    payload = ArtifactProposed(artifact=name, initiative=initiative, **{"agent": "claude", **fields})
    return tell(ArtifactProposed.TYPES[0], us(at), payload)


def acted(at: str, name: str, action: str, *approvals: str, **fields: Any) -> Event:
    payload = AgentActed(act=name, action=action, approvals=list(approvals), **{"agent": "claude", **fields})
    return tell(AgentActed.TYPES[0], us(at), payload)


def linked(
    at: str, kind: Literal["artifact", "change", "ticket", "decision"], subject: str, initiative: str, reason: str = ""
) -> Event:
    payload = LinkDeclared(kind=kind, subject_id=subject, initiative=initiative, reason=reason)
    return tell(LinkDeclared.TYPES[0], us(at), payload)


def sampled(at: str, metric: str, start: str, end: str, n: int, total: float, **fields: Any) -> Event:
    """What is known at an instant of a metric in one period."""
    payload = OutcomeSampled(metric=metric, start=moment(start), end=moment(end), n=n, total=total, **fields)
    return tell(OutcomeSampled.TYPES[0], us(at), payload)


def _instant(text: str | None) -> Any:
    return None if text is None else moment(text)


def _with_refs(fields: dict[str, Any]) -> dict[str, Any]:
    """`initiative` becomes a reference."""
    named = fields.pop("initiative", None)
    return fields if named is None else {**fields, "refs": [Ref("initiative", named, "field")]}
