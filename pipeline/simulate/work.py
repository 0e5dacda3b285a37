"""Processes of the tracker: epics, stories, sub-tasks, what they wait for, and epics that come late."""

from __future__ import annotations

from pipeline.events.types import (
    DependencyEvent,
    TicketClosed,
    TicketCreated,
    TicketDeleted,
    TicketMoved,
    TicketUpdated,
)
from pipeline.simulate.cast import Initiative, Team
from pipeline.simulate.deeds import Change
from pipeline.simulate.telling import TRACKER
from pipeline.simulate.world import DAY, HOUR, Process, Story, World

CREATED = TicketCreated.TYPES[0]
UPDATED = TicketUpdated.TYPES[0]
MOVED = TicketMoved.TYPES[0]
CLOSED = TicketClosed.TYPES[0]
DELETED = TicketDeleted.TYPES[0]
DEPENDS, DEPENDS_NO_MORE = DependencyEvent.TYPES

STORIES_PER_EPIC = 30
#: An epic that comes late comes this long after the merge, on average half as long again.
LATE_LINK = 21 * DAY

_TOPICS = (
    "retries",
    "timeouts",
    "empty states",
    "audit trail",
    "rate limits",
    "search filters",
    "bulk import",
    "caching",
)


class Ticket:
    """One ticket as its tracker shows it. Every act tells the events of that act."""

    def __init__(
        self, world: World, team: Team, kind: str, parent: str | None = None, labels: tuple[str, ...] = ()
    ) -> None:
        self._world, self._kind, self._parent, self._labels = world, kind, parent, list(labels)
        self._project = team.project
        self._title = f"{kind}: {world.chance.pick(_TOPICS)}"
        self._status = "To Do"
        self._people = team.people
        self.key = f"{team.project}-{world.number(team.project)}"

    def create(self) -> Ticket:
        """The ticket appears in the backlog."""
        creator = self._world.chance.pick(self._people)
        self._world.tell(
            CREATED, TicketCreated(tracker=TRACKER, ticket=self.key, project=self._project, creator=creator)
        )
        self._show()
        return self

    def move(self, status: str) -> None:
        """The ticket goes to another status."""
        self._world.tell(
            MOVED, TicketMoved(tracker=TRACKER, ticket=self.key, to_status=status, from_status=self._status)
        )
        self._status = status

    def close(self, resolution: str = "Done") -> None:
        """The ticket is done; its last snapshot says so."""
        self.move("Done")
        self._show(resolution)
        self._world.tell(CLOSED, TicketClosed(tracker=TRACKER, ticket=self.key, resolution=resolution))

    def put_below(self, parent: str) -> None:
        """The ticket gets a parent, after all."""
        self._parent = parent
        self._show()

    def delete(self) -> None:
        """The ticket is taken out of the tracker."""
        self._world.tell(DELETED, TicketDeleted(tracker=TRACKER, ticket=self.key))

    def _show(self, resolution: str | None = None) -> None:
        snapshot = TicketUpdated(
            tracker=TRACKER,
            ticket=self.key,
            project=self._project,
            title=self._title,
            kind=self._kind,
            status=self._status,
            parent=self._parent,
            labels=self._labels,
            resolution=resolution,
        )
        self._world.tell(UPDATED, snapshot)


def found_initiative(world: World, team: Team) -> None:
    """Create the ticket above all epics of a team's initiative: the first of its project."""
    Ticket(world, team, "Initiative").create()


def open_epic(world: World, team: Team) -> str:
    """Return the key of the team's open epic; a full one is followed by a new one."""
    initiative: Initiative = world.initiatives[team.name]
    if world.number(f"stories of {team.name}") % STORIES_PER_EPIC == 1:
        labels = (initiative.epic_label,) if initiative.by_label else ()
        epic = Ticket(world, team, "Epic", parent=None if initiative.by_label else initiative.root, labels=labels)
        world.epics[team.name] = epic.create().key
    return world.epics[team.name]


def new_story(world: World, team: Team, *, linked: bool) -> Ticket:
    """Put a story into the backlog, below the open epic or (not linked) below nothing."""
    initiative = world.initiatives[team.name].name
    story = Ticket(world, team, "Story", parent=open_epic(world, team) if linked else None).create()
    if linked:
        world.stories[team.project].append(Story(story.key, initiative))
        if len(world.cast.teams) > 1 and world.chance.happens(0.06):
            world.start(dependency(world, story.key, team))
    return story


def dependency(world: World, ticket: str, team: Team) -> Process:
    """A story turns out to need another team's; most such needs end, as met or as not needed after all."""
    yield world.wait(12 * HOUR)
    other = world.chance.pick([each for each in world.cast.teams if each is not team])
    if not world.stories[other.project]:
        return
    edge = DependencyEvent(
        tracker=TRACKER, ticket=ticket, blocked_by=world.chance.pick(world.stories[other.project]).key
    )
    world.tell(DEPENDS, edge)
    if world.chance.happens(0.7):
        yield world.wait(4 * DAY)
        world.tell(DEPENDS_NO_MORE, edge)


def stray_ticket(world: World, team: Team) -> Process:
    """A ticket that nobody works on: written down, and deleted days later."""
    ticket = Ticket(world, team, "Story").create()
    yield world.wait(3 * DAY)
    ticket.delete()


def late_epic(world: World, team: Team, story: Ticket, change: Change) -> Process:
    """Weeks after the merge somebody puts the story below its epic."""
    yield LATE_LINK * world.plan.pace + world.wait(LATE_LINK / 2)
    story.put_below(open_epic(world, team))
    world.tally.epic_came(change, story.key, world.initiatives[team.name].name, world.now)
