"""Reads builds with their jobs from the REST API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import httpx

from pipeline.events.asking import Api, Item, Stage, iso, moment, staged
from pipeline.events.errors import ConfigError
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

API = "https://api.buildkite.com/v2"
PER_PAGE = 100
#: A build that runs for longer is found again when it has ended.
LOOKBACK = timedelta(days=1)
#: What is kept of a build, its pipeline and its jobs; the rest is of persons, of agents, and of their environment.
_OF_BUILD = ("id", "number", "state", "blocked", "commit", "branch", "url", "web_url", "created_at", "started_at",
             "finished_at")  # fmt: skip
_OF_PIPELINE = ("id", "slug", "repository", "url")
_OF_JOB = ("id", "type", "name", "label", "step_key", "state", "started_at", "finished_at")


class BuildkitePoller:
    """Reads the builds of an organization or of a pipeline, the newest first."""

    name = "buildkite"
    scope = "ORGANIZATION or ORGANIZATION/PIPELINE, as in Buildkite's addresses"
    default_scope: str | None = None
    needs: Sequence[str] = ("token",)

    def client(self, access: Access) -> httpx.Client:
        headers = {
            "accept": "application/json",
            "authorization": f"Bearer {access.token or ''}",
            "user-agent": "leadline",
        }
        return httpx.Client(base_url=base_url(self.name, access.url or API), headers=headers, timeout=60)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`: builds that were created since, and older ones that finished since.

        The cursor is when the last build was created. Each page is asked for by that time and not by its number, and
        new builds are listed before it: neither they nor deleted ones shift what comes behind.
        """
        organization, slash, pipeline = query.scope.strip().partition("/")
        if not organization or (slash and not pipeline) or "/" in pipeline:
            raise ConfigError(f"buildkite: {query.scope!r} is none; write {self.scope}")
        reading = _Reading(client, query, organization, pipeline)
        stages: dict[str, Stage] = {"created": reading.created}
        if query.since is not None:
            stages["finished"] = partial(reading.finished, query.since)
        yield from staged(stages, checkpoint)
        yield Page()


POLLER: Poller = BuildkitePoller()


class _Reading:
    def __init__(self, client: httpx.Client, query: Query, organization: str, pipeline: str) -> None:
        check = (
            "that the scope is spelled as in Buildkite's addresses, and connectors.buildkite.token: is it valid, does "
            "it have the scope read_builds, and is it one of the organization"
        )
        self._api = Api("buildkite", client, query.now, check)
        self._query = query
        below = f"pipelines/{pipeline}/builds" if pipeline else "builds"
        self._path = f"/organizations/{organization}/{below}"

    def created(self, cursor: str) -> Iterator[Page]:
        since = self._query.since
        params = {} if since is None else {"created_from": iso(since - LOOKBACK)}
        return self._builds(params, cursor)

    def finished(self, since: datetime, cursor: str) -> Iterator[Page]:
        return self._builds({"finished_from": iso(since), "created_to": iso(since - LOOKBACK)}, cursor)

    def _builds(self, params: Mapping[str, str], cursor: str) -> Iterator[Page]:
        """Yield a list page by page, each from the second on in which the last build of the one before was created."""
        end, number, known = moment(cursor), 1, set[str]()
        while True:
            asked: dict[str, str | int] = {**self._until(), **params, "per_page": PER_PAGE, "page": number}
            if end is not None:
                asked["created_to"] = iso(end + timedelta(seconds=1))
            answer = self._api.get(self._path, {**asked, "include_retried_jobs": "true"})
            builds = self._api.items(answer, "id", "created_at", "number", "state")
            last = moment(builds[-1]["created_at"]) if builds else None
            place = "" if last is None else iso(last)
            fresh = {str(build["id"]): build for build in builds if str(build["id"]) not in known}
            deliveries = [self._api.delivery("rest.builds", _kept(build)) for build in fresh.values()]
            yield Page(deliveries=deliveries, cursor=place)
            if last is None or "next" not in answer.links:
                return
            # More builds of one second than a page holds are told apart by the number of the page.
            number = number + 1 if end is not None and iso(end) == place else 1
            end, known = last, {str(build["id"]) for build in builds}

    def _until(self) -> dict[str, str]:
        return {} if self._query.until is None else {"created_to": iso(self._query.until)}


def _kept(build: Item) -> Item:
    found = {name: build[name] for name in _OF_BUILD if name in build}
    found["meta_data"] = _part(build.get("meta_data"), ("environment",))
    found["pipeline"] = _part(build.get("pipeline"), _OF_PIPELINE)
    jobs = build.get("jobs")
    found["jobs"] = [_part(job, _OF_JOB) for job in jobs] if isinstance(jobs, list) else []
    return found


def _part(told: object, names: Sequence[str]) -> Item | None:
    return {name: told[name] for name in names if name in told} if isinstance(told, dict) else None
