"""The organisation: all processes of a plan set going, and the ways to take what they tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import merge
from typing import NamedTuple

from pipeline.events.codec import encode
from pipeline.events.envelope import Event
from pipeline.simulate.cast import Team
from pipeline.simulate.changes import ChangeLife, Kind
from pipeline.simulate.declarations import contract_events
from pipeline.simulate.forge import direct_commit
from pipeline.simulate.operations import Conveyor, staging_incident
from pipeline.simulate.plan import Plan
from pipeline.simulate.tally import HOTFIX_SPELL
from pipeline.simulate.truths import Truth
from pipeline.simulate.work import found_initiative, stray_ticket
from pipeline.simulate.world import Process, Running, World

#: Tickets that come to light late are begun in this first share of the span, so that their epics still come within it.
LATE_UNTIL = 0.45
#: How many times its usual work the hot service takes in while it is on fire; the rest of it is hotfixes.
FIRE = 2.5


class Entry(NamedTuple):
    """An encoded event with what a log needs of it; the fields of a log record, in its order."""

    source: str
    id: str
    key: str
    time: datetime
    value: bytes


def organisation(plan: Plan) -> Iterator[Event]:
    """Yield the events of a plan in event-time order, without the contract. Memory stays bounded however many."""
    return _world(plan).run()


def everything(plan: Plan) -> Iterator[Event]:
    """Yield contract and organisation, merged in event-time order."""
    return merge(contract_events(plan), organisation(plan), key=lambda event: event.time)


def entries(events: Iterable[Event]) -> Iterator[Entry]:
    """Encode events for a log."""
    for event in events:
        yield Entry(event.source, event.id, event.partitionkey, event.time, encode(event))


def records(plan: Plan) -> Iterator[Entry]:
    """Yield contract and organisation of a plan, encoded, in event-time order."""
    return entries(everything(plan))


def truth(plan: Plan) -> Truth:
    """Return what is so in the organisation of a plan; as much work as generating it."""
    world = _world(plan)
    counts: dict[str, int] = {}
    last = plan.start_us
    for event in world.run():
        counts[event.type] = counts.get(event.type, 0) + 1
        last = world.now
    return world.tally.truth(dict(sorted(counts.items())), last)


def _world(plan: Plan) -> World:
    world = World(plan)
    for team in world.cast.teams:
        found_initiative(world, team)
    for running in world.running.values():
        world.start(Conveyor(world, running).run())
        world.start(_intake(world, running))
    return world


def _intake(world: World, running: Running) -> Process:
    """Work arrives at a service at the plan's rate, and its owners begin a change for each piece."""
    team = world.cast.team(running.service.owner)
    if running.repo.head is None:
        direct_commit(world, running, team)
    gap = world.plan.gap_us / 1_000_000
    while True:
        burning = running.service.name == world.cast.hot and world.within(*HOTFIX_SPELL)
        yield world.chance.waiting(gap / FIRE if burning else gap)
        _begin(world, running, team, burning=burning)


def _begin(world: World, running: Running, team: Team, *, burning: bool) -> None:
    chance = world.chance
    if burning and chance.happens(1 - 1 / FIRE):
        world.start(ChangeLife(world, running, team, "hotfix").run())
    elif chance.happens(0.04):
        direct_commit(world, running, team)
    else:
        world.start(ChangeLife(world, running, team, _kind(world, team)).run())
    if chance.happens(0.01):
        world.start(stray_ticket(world, team))
    if chance.happens(0.01):
        world.start(staging_incident(world, running))


def _kind(world: World, team: Team) -> Kind:
    """Choose what a planned piece of work links to."""
    if team.name == world.cast.orphans:
        return "orphan"
    draw = world.chance.whole(1, 100)
    if draw <= 8 and world.plan.late_links and world.within(0.0, LATE_UNTIL):
        return "late"
    if draw > 96 and world.plan.ambiguity:
        return "ambiguous"
    return "orphan" if draw in (50, 51, 52) else "linked"
