"""Strategies for what happens between teams: hand-overs, reviews asked, decisions, artifacts, acts, links by hand."""

from __future__ import annotations

from typing import Literal

from hypothesis import strategies as st

from pipeline.events.coordination import (
    AgentActed,
    ArtifactProposed,
    DecisionEvent,
    HandoffEvent,
    LinkDeclared,
    ReviewRequest,
    TicketTransferred,
)
from pipeline.events.envelope import Event
from pipeline.events.times import from_us
from pipeline.events.types import Ref
from pipeline.simulate.telling import TRACKER, tell
from tests.simulation.ground import CHANGES, SHAS, SHOP, TICKETS, instants, people, times

#: Names and aliases of the two teams, in any case, and words that mean neither.
WORDS = ["growth", "Growth", "core", "platform-squad", "GROW", "shared", "nobody"]
INITIATIVES = ["faster-activation", "Faster-Activation", "old-name", "safer-core", "unknown"]

words = st.sampled_from(WORDS)
initiatives = st.sampled_from(INITIATIVES)
tickets = st.sampled_from([*TICKETS, "CORE-99"])
_perhaps_word = st.none() | words
_perhaps_ticket = st.none() | tickets
_perhaps_instant = st.none() | instants.map(from_us)
_refs = st.just(list[Ref]()) | initiatives.map(lambda name: [Ref("initiative", name, "field")])


@st.composite
def transfers(draw: st.DrawFn) -> list[Event]:
    """A ticket goes from team to team."""
    ticket = draw(st.sampled_from(TICKETS))
    moves = [(at, draw(words), draw(_perhaps_word)) for at in draw(times(1, 3))]
    return [
        tell(
            TicketTransferred.TYPES[0],
            at,
            TicketTransferred(tracker=TRACKER, ticket=ticket, to_team=after, from_team=before),
        )
        for at, after, before in moves
    ]


@st.composite
def review_requests(draw: st.DrawFn) -> list[Event]:
    """Reviews of a change asked of a team or a person, and withdrawn, in any order."""
    repo, number = draw(st.sampled_from(CHANGES))
    request = ReviewRequest(
        repo=repo, change=f"{repo}#{number}", team=draw(st.sampled_from([*WORDS, None])), reviewer=draw(people)
    )
    return [tell(draw(st.sampled_from(ReviewRequest.TYPES)), at, request) for at in draw(times(1, 4))]


@st.composite
def handoffs(draw: st.DrawFn) -> list[Event]:
    """One hand-over; any leg may be missing, come twice or come before the one that it follows."""
    name = draw(st.sampled_from(["HO-1", "HO-2"]))
    events = []
    for at in draw(times(1, 4)):
        needed_by = draw(_perhaps_instant)
        payload = HandoffEvent(
            handoff=name,
            from_team=draw(_perhaps_word),
            to_team=draw(_perhaps_word),
            ticket=draw(_perhaps_ticket),
            title=draw(st.sampled_from(["", "Sign-in"])),
            needed_by=needed_by,
            refs=draw(_refs),
        )
        events.append(tell(draw(st.sampled_from(HandoffEvent.TYPES)), at, payload))
    return events


@st.composite
def decisions(draw: st.DrawFn) -> list[Event]:
    """One decision, which may be a ticket as well; decided before it was asked, twice, or never."""
    name = draw(st.sampled_from(["ADR-1", "ADR-2", "GROW-2"]))
    events = []
    for at in draw(times(1, 4)):
        payload = DecisionEvent(
            decision=name,
            title=draw(st.sampled_from(["", "Names are optional"])),
            category=draw(st.sampled_from([None, "product", "risk", "other"])),
            outcome=draw(st.sampled_from([None, "accepted", "rejected"])),
            approvers=draw(st.lists(st.sampled_from(["legal", "Growth", "core"]), max_size=2)),
            by=draw(st.sampled_from([None, "ADR-9"])),
            from_team=draw(_perhaps_word),
            to_team=draw(_perhaps_word),
            needed_by=draw(_perhaps_instant),
            ticket=draw(_perhaps_ticket),
            refs=draw(_refs),
        )
        events.append(tell(draw(st.sampled_from(DecisionEvent.TYPES)), at, payload))
    return events


@st.composite
def artifacts(draw: st.DrawFn) -> list[Event]:
    """Proposals of one artifact, which name an initiative, an unknown one or none."""
    name = draw(st.sampled_from(["spec-1", "spec-2"]))
    return [
        tell(
            ArtifactProposed.TYPES[0],
            at,
            ArtifactProposed(
                artifact=name, kind="specification", agent="claude", initiative=draw(st.none() | initiatives)
            ),
        )
        for at in draw(times(1, 2))
    ]


@st.composite
def acts(draw: st.DrawFn) -> list[Event]:
    """Acts of an agent, allowed or not."""
    return [
        tell(
            AgentActed.TYPES[0],
            at,
            AgentActed(
                act=draw(st.sampled_from(["act-1", "act-2"])),
                agent="claude",
                action=draw(st.sampled_from(["comment", "Merge", "deploy", "delete"])),
                approvals=draw(st.lists(st.sampled_from(["legal", "core", "growth"]), max_size=3)),
                initiative=draw(st.none() | initiatives),
            ),
        )
        for at in draw(times(1, 2))
    ]


@st.composite
def links(draw: st.DrawFn) -> list[Event]:
    """Links that a person made by hand, of things that may not exist."""
    subjects: dict[Literal["artifact", "change", "ticket", "decision"], list[str]] = {
        "ticket": ["GROW-3", "CORE-2"],
        "change": [*(f"{repo}#{number}" for repo, number in CHANGES[:2]), *(f"{SHOP}@{sha}" for sha in SHAS[:3])],
        "artifact": ["spec-1", "spec-9"],
        "decision": ["ADR-1", "ADR-9"],
    }
    kind = draw(st.sampled_from(sorted(subjects)))
    subject = draw(st.sampled_from(subjects[kind]))
    return [
        tell(
            LinkDeclared.TYPES[0],
            at,
            LinkDeclared(kind=kind, subject_id=subject, initiative=draw(initiatives), reason="by hand"),
        )
        for at in draw(times(1, 2))
    ]
