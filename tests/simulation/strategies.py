"""Histories for property tests: small, consistent lists of canonical events with the contract that goes with them.

*Consistent* means what a log guarantees: an event's content follows from its id, ids are unique within their source.
Everything else may be wrong in a history, as it is in the world. Events come in event-time order; a test permutes,
duplicates and splits them as it likes.
"""

from __future__ import annotations

from hypothesis import strategies as st

from pipeline.events.envelope import Event
from pipeline.simulate.organisation import everything
from pipeline.simulate.plan import Plan
from tests.simulation import code_shapes, running_shapes, teamwork_shapes, work_shapes
from tests.simulation.ground import CHANGES, INCIDENTS, MONO, ROLLBACKS, SHOP, TICKETS, some

SMALLEST, LARGEST = 20, 120

#: Small plans with every truth planted or not.
plans = st.builds(
    Plan,
    seed=st.integers(0, 10_000),
    days=st.integers(7, 40),
    teams=st.integers(1, 3),
    events=st.integers(40, 90),
    slow_service=st.booleans(),
    bad_spell=st.booleans(),
    hotfix_spell=st.booleans(),
    orphan_team=st.booleans(),
    late_links=st.booleans(),
    ambiguity=st.booleans(),
    reorganisation=st.booleans(),
)

_FURTHER = [code_shapes.pushes(), code_shapes.pushes(), running_shapes.bystanders()]
_TEAMWORK = [
    *(work_shapes.dependencies() for _ in range(4)),
    teamwork_shapes.transfers(),
    teamwork_shapes.transfers(),
    *(teamwork_shapes.review_requests() for _ in range(3)),
    *(teamwork_shapes.handoffs() for _ in range(2)),
    *(teamwork_shapes.decisions() for _ in range(3)),
    teamwork_shapes.artifacts(),
    teamwork_shapes.acts(),
    teamwork_shapes.links(),
    teamwork_shapes.links(),
]


def in_order(events: list[Event]) -> list[Event]:
    """Return the events each once, by (time, source, id)."""
    once = {(event.source, event.id): event for event in events}
    return sorted(once.values(), key=lambda event: (event.time, event.source, event.id))


@st.composite
def organised(draw: st.DrawFn) -> list[Event]:
    """A history as a small organisation would write it, cut off after `LARGEST` events, with some of them missing."""
    events = list(everything(draw(plans)))[:LARGEST]
    missing = draw(st.sets(st.integers(0, len(events) - 1), max_size=8))
    return in_order([event for position, event in enumerate(events) if position not in missing])


@st.composite
def nasty(draw: st.DrawFn) -> list[Event]:
    """A history in which nothing has to fit: the shapes of the modules beside this one, over few names and instants."""
    events = draw(work_shapes.contracts()) + draw(code_shapes.commits(SHOP))
    if draw(st.booleans()):
        events += draw(code_shapes.commits(MONO))
    shapes = [
        *(code_shapes.changes(repo, number) for repo, number in draw(some(CHANGES, 2, 5))),
        *(running_shapes.deployments() for _ in range(draw(st.integers(2, 6)))),
        *(running_shapes.incidents(incident) for incident in draw(some(INCIDENTS, 0, 3))),
        *(running_shapes.rollbacks(rollback) for rollback in draw(some(ROLLBACKS, 0, 2))),
        *(work_shapes.tickets(ticket) for ticket in draw(some(TICKETS, 0, 4))),
        *draw(some(_FURTHER)),
        *draw(some(_TEAMWORK, 0, 3)),
    ]
    for shape in shapes:
        events += draw(shape)
    return in_order(events)[:LARGEST]


@st.composite
def cooperative(draw: st.DrawFn) -> list[Event]:
    """A history of work between teams: all tickets, some changes, and much of what is asked across teams."""
    shapes = [
        work_shapes.contracts(),
        *(work_shapes.tickets(ticket) for ticket in TICKETS),
        *(code_shapes.changes(repo, number) for repo, number in draw(some(CHANGES, 1, 3))),
        *draw(some(_TEAMWORK, 4, 12)),
    ]
    events: list[Event] = []
    for shape in shapes:
        events += draw(shape)
    return in_order(events)[:LARGEST]


def histories() -> st.SearchStrategy[list[Event]]:
    """Any history of `SMALLEST` to `LARGEST` events, organised, nasty or cooperative."""
    return (organised() | nasty() | nasty() | cooperative() | cooperative()).filter(
        lambda events: len(events) >= SMALLEST
    )
