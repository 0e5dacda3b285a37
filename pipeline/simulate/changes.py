"""The life of a change: from its ticket through commits, pushes and reviews to the main branch, or to nothing."""

from __future__ import annotations

from typing import Literal

from pipeline.events.times import SECOND_US, from_us
from pipeline.events.types import ChangeAbandoned, ChangeCreated, ChangeMerged, ChangeReviewed, ChangeUpdated
from pipeline.simulate import forge, texts
from pipeline.simulate.cast import Team
from pipeline.simulate.deeds import Change
from pipeline.simulate.texts import Text
from pipeline.simulate.work import Ticket, late_epic, new_story
from pipeline.simulate.world import HOUR, MINUTE, Process, Running, Story, World

CREATED = ChangeCreated.TYPES[0]
UPDATED = ChangeUpdated.TYPES[0]
REVIEWED = ChangeReviewed.TYPES[0]
MERGED = ChangeMerged.TYPES[0]
ABANDONED = ChangeAbandoned.TYPES[0]

Kind = Literal["linked", "orphan", "late", "ambiguous", "hotfix"]
Verdict = Literal["approved", "changes_requested", "commented", "dismissed"]

CODING = 10 * HOUR
PICKUP = 4 * HOUR
REVIEW = 6 * HOUR
#: How many times longer a review of the slow service takes, and how much shorter everything of a hotfix.
SLOWNESS = 12.0
HASTE = 0.1
BOT = "b07b07b07b07b07b"


class ChangeLife:
    """One change. `run` is its process; `incident` names the fire that a hotfix puts out."""

    def __init__(self, world: World, running: Running, team: Team, kind: Kind, incident: str | None = None) -> None:
        self._world, self._team, self._incident = world, team, incident
        self._repo = running.repo
        self._touched = world.housemates(running) if world.chance.happens(0.15) else (running,)
        self._rival = _rival(world, team) if kind == "ambiguous" else None
        self._kind: Kind = "linked" if kind == "ambiguous" and self._rival is None else kind
        self._pace = HASTE if kind == "hotfix" else 1.0
        self._patience = SLOWNESS if running.service.name == world.cast.slow and kind != "hotfix" else 1.0
        self._author = world.chance.pick(team.people)
        self._tickets: list[Ticket] = []
        self._shas: list[str] = []
        self._pushed = 0
        self._id = ""

    def run(self) -> Process:
        """The process: story, code, opening, review, and the merge or the end of it."""
        if self._kind in ("linked", "late", "ambiguous"):
            yield from self._plan_story()
        text = self._write()
        change = yield from self._code(text)
        self._open(change, text)
        yield from self._review(change, text)
        if self._kind != "hotfix" and self._world.chance.happens(0.06):
            self._world.tell(ABANDONED, ChangeAbandoned(repo=self._repo.name, change=self._id))
            return
        yield self._wait(REVIEW / 4)
        self._merge(change, text)
        for ticket in reversed(self._tickets):
            ticket.close()
        if self._kind == "late":
            self._world.start(late_epic(self._world, self._team, self._tickets[0], change))

    def _wait(self, mean: float) -> float:
        return self._world.wait(mean * self._pace)

    def _plan_story(self) -> Process:
        story = new_story(self._world, self._team, linked=self._kind != "late")
        self._tickets.append(story)
        yield self._wait(8 * HOUR)
        story.move("In Progress")
        if self._world.chance.happens(0.25):
            self._tickets.append(Ticket(self._world, self._team, "Sub-task", parent=story.key).create())

    def _write(self) -> Text:
        chance, repo = self._world.chance, self._repo.name
        if self._kind == "hotfix":
            return texts.hotfix(chance, repo, self._incident)
        if not self._tickets:
            return texts.unlinked(chance, repo)
        key = self._tickets[-1].key
        if self._rival is not None:
            return texts.ambiguous(chance, repo, key, self._rival.key)
        if self._kind == "late":
            return texts.for_ticket(chance, repo, key)
        initiative = self._world.initiatives[self._team.name]
        return texts.linked(chance, repo, key, initiative.name, initiative.label)

    def _code(self, text: Text) -> forge.Making[Change]:
        """One to five commits on a branch off main, pushed in one go or in two."""
        base, count = self._repo.head, self._world.chance.whole(1, 5)
        authored_us = self._world.now
        for number in range(count):
            yield self._wait(CODING / count)
            written_s = self._commit(text, base)
            if number == 0:
                authored_us = self._world.now - written_s * SECOND_US
            if count > 2 and number == 1:
                self._push(text)
        yield self._wait(20 * MINUTE)
        self._repo.changes += 1
        self._id = f"{self._repo.name}#{self._repo.changes}"
        return Change(
            id=self._id,
            services=tuple(running.service.name for running in self._touched),
            team=self._team.name,
            authored_us=authored_us,
            initiative=self._world.initiatives[self._team.name].name if self._kind in ("linked", "ambiguous") else None,
            ambiguous=self._rival is not None,
            unplanned=self._kind == "hotfix",
        )

    def _commit(self, text: Text, base: str | None) -> int:
        """Commit on top of the branch; returns how many seconds ago it was authored."""
        written_s = self._world.chance.whole(0, 60)
        parent = self._shas[-1] if self._shas else base
        sha = forge.commit(
            self._world,
            self._repo,
            [] if parent is None else [parent],
            text.title,
            self._author,
            refs=text.commit_refs,
            paths=forge.paths(self._touched),
            written_s=written_s,
        )
        self._shas.append(sha)
        return written_s

    def _push(self, text: Text) -> None:
        before = self._shas[self._pushed - 1] if self._pushed else None
        forge.push(self._world, self._repo, text.branch, before, self._shas[self._pushed :])
        self._pushed = len(self._shas)

    def _snapshot(self, text: Text, *, draft: bool = False, closed: bool = False) -> None:
        payload = ChangeUpdated(
            repo=self._repo.name,
            change=self._id,
            title=text.title,
            branch=text.branch,
            base="main",
            head_sha=self._shas[-1],
            labels=text.labels,
            refs=text.refs,
            commits=list(self._shas),
            draft=draft,
            closed=closed,
        )
        self._world.tell(UPDATED, payload)

    def _open(self, change: Change, text: Text) -> None:
        world = self._world
        if self._pushed < len(self._shas):
            self._push(text)
        created_at = from_us(world.now)
        payload = ChangeCreated(repo=self._repo.name, change=self._id, created_at=created_at, author=self._author)
        world.tell(CREATED, payload)
        self._snapshot(text, draft=True)
        rivals = None if self._rival is None else (change.initiative or "", self._rival.initiative)
        world.tally.opened(change, world.now, rivals)
        world.start(forge.pipeline_run(world, self._repo, self._shas[-1], text.branch))

    def _review(self, change: Change, text: Text) -> Process:
        """A machine may comment at once; a colleague comes later, asks for changes or not, and approves."""
        chance = self._world.chance
        reviewer = chance.pick([person for person in self._team.people if person != self._author])
        if chance.happens(0.2):
            yield MINUTE
            self._say("commented", BOT, automated=True)
        yield self._wait(PICKUP)
        self._snapshot(text)
        change.reviewed_us = self._world.now
        if chance.happens(0.35):
            self._say("changes_requested" if chance.happens(0.7) else "commented", reviewer)
            yield self._wait(REVIEW / 2 * self._patience)
            self._commit(text, None)
            yield 2 * MINUTE
            self._push(text)
            self._snapshot(text)
            run = forge.pipeline_run(self._world, self._repo, self._shas[-1], text.branch, in_full=False)
            self._world.start(run)
            yield self._wait(REVIEW / 2 * self._patience)
            self._say("approved", reviewer)
        else:
            self._say("commented" if chance.happens(0.3) else "approved", reviewer)
            yield self._wait(REVIEW * self._patience)

    def _say(self, verdict: Verdict, reviewer: str, *, automated: bool = False) -> None:
        payload = ChangeReviewed(
            repo=self._repo.name, change=self._id, verdict=verdict, reviewer=reviewer, automated=automated
        )
        self._world.tell(REVIEWED, payload)

    def _merge(self, change: Change, text: Text) -> None:
        """Land on main: squashed into one commit, or with a merge commit that keeps the branch's."""
        repo, head = self._repo, self._repo.head
        parents = [] if head is None else [head]
        number = self._id.rpartition("#")[2]
        title, paths = f"{text.title} (#{number})", forge.paths(self._touched)
        if not repo.squashes:
            parents, title, paths = [*parents, self._shas[-1]], f"Merge change {number}", None
        sha = forge.commit(self._world, repo, parents, title, self._author, refs=text.commit_refs, paths=paths)
        forge.land(self._world, repo, sha, [] if repo.squashes else self._shas, change)
        change.merged_us = self._world.now
        self._world.tell(MERGED, ChangeMerged(repo=repo.name, change=self._id, merge_sha=sha))
        self._snapshot(text, closed=True)
        self._world.start(forge.pipeline_run(self._world, repo, sha, "main", in_full=False))
        if self._incident is not None:
            for running in self._touched:
                running.urgent = self._incident


def _rival(world: World, team: Team) -> Story | None:
    """Return another team's latest story, or None while there is none."""
    others = [world.stories[other.project] for other in world.cast.teams if other is not team]
    latest = [stories[-1] for stories in others if stories]
    return world.chance.pick(latest) if latest else None
