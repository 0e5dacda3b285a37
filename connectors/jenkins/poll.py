"""Reads the builds of jobs and of folders of jobs from the JSON API, and what ended since the last time."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

import httpx
import msgspec

from connectors.jenkins.builds import JOB_HEADER
from pipeline.events.asking import Api, Item, moment
from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

PER_PAGE = 50
#: Builds are listed by when they began, and may end this much later.
LOOKBACK = timedelta(days=7)
FIELDS = (
    "_class,number,url,timestamp,duration,fullDisplayName,result,building,"
    "actions[lastBuiltRevision[SHA1,branch[name]],remoteUrls,parameters[name,value]]"
)

#: A job that was deleted while its folder was read; stages where the plugin that tells them is missing.
_GONE = frozenset({404})
_PIPELINE = "WorkflowRun"
_CHECK = (
    "connectors.jenkins.poll.scopes (are the paths of jobs or folders spelled FOLDER/JOB?), connectors.jenkins.url, "
    "and connectors.jenkins.token (USER:API-TOKEN, of an account with Overall/Read and Job/Read)"
)

#: The names of a job and of the folders above it.
Path = tuple[str, ...]


class _Child(msgspec.Struct):
    name: str


class _Job(msgspec.Struct):
    """A job with some of its builds, or a folder (None) with its jobs; multibranch projects are folders."""

    kind: str = msgspec.field(name="_class")
    jobs: list[_Child] = []
    allBuilds: list[Item] | None = None


class JenkinsPoller:
    """Reads jobs, folders with all jobs below them, or everything; without a token what anybody may see."""

    name = "jenkins"
    scope = "path of a job or a folder, as in FOLDER/JOB"
    default_scope: str | None = ""
    needs: Sequence[str] = ("url",)

    def client(self, access: Access) -> httpx.Client:
        headers = {"accept": "application/json", "user-agent": "leadline"}
        if access.token:
            shown = base64.b64encode(access.token.encode()).decode()
            headers["authorization"] = f"Basic {shown}" if ":" in access.token else f"Bearer {access.token}"
        return httpx.Client(base_url=base_url(self.name, access.url or ""), headers=headers, timeout=60)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. The cursor is a job, by its path, and the last build of it."""
        if query.scope != query.scope.strip("/ "):
            raise ConfigError(f"jenkins: {query.scope!r} is no path; write FOLDER/JOB, without slashes around it")
        api = Api(self.name, client, query.now, _CHECK)
        yield from _Reading(api, query, checkpoint.cursor).below(_path(query.scope), top=True)


POLLER: Poller = JenkinsPoller()


class _Reading:
    """One query. It goes on behind the job, and in it the build, that the cursor names."""

    def __init__(self, api: Api, query: Query, cursor: str) -> None:
        self._api, self._since, self._until = api, query.since, query.until
        path, *numbers = cursor.rsplit(" ", 2)
        self._reached = _path(path)
        #: Number of the build, and its place in the list then; 0: all builds of the job were told.
        self._number, self._place = (int(number) for number in numbers) if len(numbers) == 2 else (-1, 0)

    def below(self, path: Path, *, top: bool = False) -> Iterator[Page]:
        """A job, or all jobs of a folder by name, so that what is before the cursor need not be asked for."""
        if path == self._reached and self._number == 0:
            return
        told = bool(self._reached) and self._reached[: len(path)] == path
        for page in self._below(path, top=top):
            told = True
            yield page
        if told and not top:
            yield Page(cursor=f"{_shown(path)} 0 0")

    def _below(self, path: Path, *, top: bool) -> Iterator[Page]:
        place = max(0, self._place - 1) if path == self._reached else 0
        job = self._ask(path, place, top=top)
        if place and job is not None and not any(build["number"] >= self._number for build in job.allBuilds or []):
            # Builds were deleted meanwhile: the place is not what it was.
            place, job = 0, self._ask(path, 0, top=top)
        if job is None:
            return
        if job.allBuilds is not None:
            yield from self._job(path, job.allBuilds, place)
        for name in sorted({child.name for child in job.jobs}):
            child = (*path, name)
            if child >= self._reached[: len(child)]:
                yield from self.below(child)

    def _job(self, path: Path, first: list[Item], place: int) -> Iterator[Page]:
        passed = self._number if path == self._reached and self._number > 0 else None
        for at, build in enumerate(self._builds(path, first, place), start=place):
            begun, number = moment(build["timestamp"]), build["number"]
            if begun is None:
                raise Retryable(f"jenkins: {_shown(path)} #{number} has the timestamp {build['timestamp']!r}")
            if self._since is not None and begun < self._since - LOOKBACK:
                return
            known = passed is not None and number >= passed
            if not (known or self._is_old(build, begun) or (self._until is not None and begun >= self._until)):
                yield Page(deliveries=list(self._told(path, build)), cursor=f"{_shown(path)} {number} {at}")

    def _builds(self, path: Path, first: list[Item], place: int) -> Iterator[Item]:
        """The builds of a job, the newest first. Each page begins with the last build of the one before.

        Where that is missing, builds before it were deleted, and as many behind it slipped past: `Retryable`.
        """
        page, seen, last = first, place, None
        while True:
            numbers = [build["number"] for build in page]
            if last is not None and last not in numbers:
                raise Retryable(f"jenkins: {_shown(path)} #{last} is not where it was; builds were deleted meanwhile")
            new = page if last is None else page[numbers.index(last) + 1 :]
            yield from new
            if not new:
                return
            seen, last = seen + len(new), numbers[-1]
            job = self._ask(path, seen - 1)
            page = [] if job is None else job.allBuilds or []
            if not page:
                return

    def _ask(self, path: Path, start: int, *, top: bool = False) -> _Job | None:
        """Return a folder, or a job with its builds from `start` on; None where it is gone."""
        tree = f"_class,jobs[name],allBuilds[{FIELDS}]{{{start},{start + PER_PAGE}}}"
        answer = self._api.get(f"{_url(path)}/api/json", {"tree": tree}, absent=() if top else _GONE)
        if not answer.is_success:
            return None
        job = self._api.read(answer, _Job)
        builds = self._api.complete(answer, job.allBuilds or [], "number", "timestamp")
        if any(type(build["number"]) is not int for build in builds):
            raise Retryable(f"jenkins: {_shown(path)} has builds whose number is none")
        return job

    def _told(self, path: Path, build: Item) -> Iterator[Delivery]:
        """A build, and the stages of a pipeline, some of which may be deployments."""
        headers = {JOB_HEADER: _shown(path)}
        yield self._api.delivery("rest.builds", {"builds": [build]}, headers)
        if not str(build.get("_class", "")).endswith(_PIPELINE):
            return
        answer = self._api.get(f"{_url(path)}/{build['number']}/wfapi/describe", absent=_GONE)
        stages = self._api.entry(answer, "stages")["stages"] if answer.is_success else []
        if stages:
            yield self._api.delivery("rest.stages", {"build": build, "stages": stages}, headers)

    def _is_old(self, build: Item, begun: datetime) -> bool:
        if self._since is None or build.get("building") or build.get("result") is None:
            return False
        length = build.get("duration")
        return begun + timedelta(milliseconds=length if isinstance(length, int) else 0) < self._since


def _path(text: str) -> Path:
    return tuple(name for name in text.split("/") if name)


def _shown(path: Path) -> str:
    return "/".join(path)


def _url(path: Path) -> str:
    """Return the path of a job in a URL; the name of a branch is encoded in its own name already."""
    return "".join(f"/job/{quote(name, safe='')}" for name in path)
