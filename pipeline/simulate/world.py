"""The world: a clock, a queue of processes that sleep and wake on it, and what they tell when they wake."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from hashlib import sha1
from heapq import heappop, heappush

import msgspec

from pipeline.events.envelope import Event
from pipeline.events.times import SECOND_US
from pipeline.events.types import Payload
from pipeline.simulate.cast import Cast, Initiative, Service, cast_of
from pipeline.simulate.chance import Chance
from pipeline.simulate.deeds import Change, Deployment
from pipeline.simulate.plan import Plan
from pipeline.simulate.tally import Tally
from pipeline.simulate.telling import tell

MINUTE = 60.0
HOUR = 3_600.0
DAY = 86_400.0

#: A process yields how many seconds it sleeps, and is resumed when they have passed.
Process = Generator[float, None, None]


class Story(msgspec.Struct, frozen=True):
    """A ticket in work and the initiative that it serves."""

    key: str
    initiative: str


class Repo(msgspec.Struct):
    """A repository: the head of its main branch and the running numbers of its commits, changes and releases."""

    name: str
    squashes: bool
    head: str | None = None
    commits: int = 0
    changes: int = 0
    landed: int = 0
    releases: int = 0


class Running(msgspec.Struct):
    """A service as it runs: what waits to be deployed and what was deployed last."""

    service: Service
    repo: Repo
    pending: list[Change] = []
    last: Deployment | None = None
    #: Failed deployments since the last success.
    broken: list[Deployment] = []
    #: An incident whose fix is on its way with the next deployment.
    urgent: str | None = None


class World:
    """State of one simulation. `run` drains it once; `tally` then knows what came of it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.cast: Cast = cast_of(plan)
        self.chance = Chance(plan.seed)
        self.tally = Tally(plan, self.cast)
        self.now = plan.start_us
        self.repos: dict[str, Repo] = {}
        self.running: dict[str, Running] = {}
        self.initiatives: dict[str, Initiative] = {each.owner: each for each in self.cast.initiatives}
        self.stories: dict[str, deque[Story]] = {team.project: deque(maxlen=20) for team in self.cast.teams}
        #: The open epic of each team.
        self.epics: dict[str, str] = {}
        self.numbers: dict[str, int] = {}
        self._queue: list[tuple[int, int, Process]] = []
        self._started = 0
        self._told: list[Event] = []
        for service in self.cast.services:
            repo = self.repos.setdefault(service.repo, Repo(service.repo, squashes=len(self.repos) % 2 == 0))
            self.running[service.name] = Running(service, repo)

    def run(self) -> Iterator[Event]:
        """Yield what the processes tell, in event-time order, until the plan's end."""
        told, end = self._told, self.plan.end_us
        while self._queue and self._queue[0][0] < end:
            self.now, number, process = heappop(self._queue)
            seconds = next(process, None)
            if seconds is not None:
                # Sources tell whole seconds.
                heappush(self._queue, (self.now + int(seconds) * SECOND_US, number, process))
            yield from told
            told.clear()

    def start(self, process: Process, seconds: float = 0.0) -> None:
        """Have a process begin in so many seconds."""
        self._started += 1
        heappush(self._queue, (self.now + int(seconds) * SECOND_US, self._started, process))

    def tell(self, event_type: str, data: Payload) -> None:
        """Tell an event of this instant."""
        self._told.append(tell(event_type, self.now, data))

    def number(self, series: str) -> int:
        """Return the next number of a series, from 1."""
        self.numbers[series] = number = self.numbers.get(series, 0) + 1
        return number

    def new_sha(self, repo: Repo) -> str:
        """Return the hash of the next commit of a repository: 40 hexadecimal digits."""
        repo.commits += 1
        return sha1(f"{self.plan.seed}:{repo.name}:{repo.commits}".encode(), usedforsecurity=False).hexdigest()

    def housemates(self, running: Running) -> tuple[Running, ...]:
        """Return the services that live in the repository of one, itself included."""
        return tuple(each for each in self.running.values() if each.repo is running.repo)

    def within(self, start: float, end: float) -> bool:
        """Return whether now lies between two shares (0 to 1) of the simulated span."""
        return self.plan.moment_us(start) <= self.now < self.plan.moment_us(end)

    def wait(self, mean: float) -> float:
        """Return a waiting time in seconds, at least a minute, of the given mean at the plan's pace."""
        return MINUTE + self.chance.waiting(mean * self.plan.pace)
