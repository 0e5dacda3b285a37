"""Reads the past of one project from the REST API, and what changed since the last time."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from urllib.parse import quote

import httpx
import msgspec

from connectors.azure_devops.boards import recycled_at
from pipeline.events.asking import Api, Item, Listed, Params, iso, moment, oldest_first, staged
from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

VERSION = "7.0"
PER_PAGE = 100
#: As many work items as the API gives at a time.
BATCH = 200
#: A build that was queued before the end of what is asked for may finish this much later.
LOOKBACK = timedelta(days=7)

#: What a project has switched off, or the token may not read: classic releases, boards, repositories.
_SWITCHED_OFF = frozenset({403, 404})
_GONE = frozenset({404})
_CLOUD = re.compile(r"https://(?:dev\.azure\.com/(?P<new>[^/]+)|(?P<old>[^/.]+)\.visualstudio\.com)")
_CHECK = (
    "connectors.azure_devops.url (https://dev.azure.com/ORGANIZATION), connectors.azure_devops.poll.scopes (the name "
    "of a project), and connectors.azure_devops.token: has it expired, and may it read code, builds, releases and "
    "work items?"
)


class _Values(msgspec.Struct):
    """A page of any list. A work item that was deleted meanwhile leaves a null."""

    value: list[Item | None]


class _Reference(msgspec.Struct):
    id: int


class _Answered(msgspec.Struct):
    """The answer to a query in WIQL."""

    workItems: list[_Reference]


class AzureDevOpsPoller:
    """Reads the repositories, pipelines, classic releases and work items of projects."""

    name = "azure_devops"
    scope = "name of a project"
    default_scope: str | None = None
    needs: Sequence[str] = ("url", "token")

    def client(self, access: Access) -> httpx.Client:
        """Return a client. A personal access token is the password of a basic authentication without a user."""
        shown = base64.b64encode(f":{access.token or ''}".encode()).decode()
        headers = {"accept": "application/json", "authorization": f"Basic {shown}", "user-agent": "leadline"}
        return httpx.Client(base_url=base_url(self.name, access.url or ""), headers=headers, timeout=60)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. The cursor is a list, and in it a time or the number of the last item."""
        if not query.scope.strip() or "/" in query.scope:
            raise ConfigError(f"azure_devops: {query.scope!r} is no project; write its name")
        api = Api(self.name, client, query.now, _CHECK)
        reading = _Reading(api, client, query)
        # A project that is not there, or a token that has expired, is told before anything may count as switched off.
        api.entry(api.get(f"/_apis/projects/{quote(query.scope)}", {"api-version": VERSION}), "id")
        yield from staged(
            {
                "pulls": reading.pull_requests,
                "open_pulls": reading.open_pull_requests,
                "builds": reading.builds,
                "running_builds": reading.running_builds,
                "releases": reading.releases,
                "items": reading.work_items,
                "bin": reading.recycle_bin,
            },
            checkpoint,
        )


POLLER: Poller = AzureDevOpsPoller()


class _Reading:
    """One query about one project."""

    def __init__(self, api: Api, client: httpx.Client, query: Query) -> None:
        self._api, self._query = api, query
        self._since, self._until = query.since, query.until
        self._path = f"/{quote(query.scope)}/_apis"
        self._releases = _release_host(str(client.base_url)) + self._path

    def pull_requests(self, cursor: str) -> Iterator[Page]:
        """All of them, or those that were closed since."""
        return self._pulls("all", cursor)

    def open_pull_requests(self, cursor: str) -> Iterator[Page]:
        """All that are open now: nothing tells which of them changed. A full reading has told them already."""
        return iter(()) if self._since is None else self._pulls("active", cursor)

    def _pulls(self, which: str, cursor: str) -> Iterator[Page]:
        """Pull requests, the last created first. None is ever deleted: a new one shifts others to later pages only.

        One that is closed leaves the list of the open ones, and another may slip past; the next reading tells it.
        """
        asked: dict[str, str | int] = {"searchCriteria.status": which, "$top": PER_PAGE, "api-version": VERSION}
        if which == "all" and self._since is not None:
            asked |= {"searchCriteria.queryTimeRangeType": "closed", "searchCriteria.minTime": iso(self._since)}
        reached, seen, skip, listed = moment(cursor), set[int](), 0, list[Item]()
        while True:
            page: Params = {**asked, "$skip": skip}
            found = self._values(f"{self._path}/git/pullrequests", page, "pullRequestId", "creationDate")
            listed = self._api.unlike(found, listed)
            skip += len(listed)
            new = {pull["pullRequestId"]: pull for pull in listed if pull["pullRequestId"] not in seen}
            for number, pull in new.items():
                seen.add(number)
                made = moment(pull["creationDate"])
                passed = reached is not None and made is not None and made > reached
                if not (passed or self._is_later(pull, "creationDate") or self._is_old(pull, "closedDate")):
                    yield Page(deliveries=self._pull(pull), cursor=pull["creationDate"])
            if not listed:
                return

    def _pull(self, pull: Item) -> list[Delivery]:
        """A pull request with its commits, work items and threads; the list tells none of them."""
        repository, number = pull.get("repository"), pull["pullRequestId"]
        if not isinstance(repository, dict) or "id" not in repository:
            raise Retryable(f"azure_devops: pull request {number} names no repository")
        path = f"{self._path}/git/repositories/{repository['id']}/pullRequests/{number}"
        wanted: Params = {"includeCommits": "true", "includeWorkItemRefs": "true", "api-version": VERSION}
        answer = self._api.get(path, wanted, absent=_GONE)
        if not answer.is_success:
            return []
        whole = self._api.entry(answer, "pullRequestId", "repository")
        threads = self._values(f"{path}/threads", {"api-version": VERSION}, "id")
        return [self._api.delivery("rest.pullrequest_threads", {"pullRequest": whole, "threads": threads})]

    def builds(self, cursor: str) -> Iterator[Page]:
        """Builds that are over, by when they ended: those that end while pages are read are added behind."""
        tokens: dict[str, str] = {}

        def ask(start: str, page: int) -> Listed[Item]:
            asked: dict[str, str | int] = {
                "statusFilter": "completed",
                "queryOrder": "finishTimeAscending",
                "$top": PER_PAGE,
                "api-version": VERSION,
            }
            asked |= {"minTime": start} if start else {}
            asked |= {} if self._until is None else {"maxTime": iso(self._until + LOOKBACK)}
            asked |= {"continuationToken": tokens[start]} if page > 1 and start in tokens else {}
            answer = self._api.get(f"{self._path}/build/builds", asked, absent=_SWITCHED_OFF)
            found = self._listed(answer, "id", "finishTime") if answer.is_success else []
            tokens[start] = answer.headers.get("x-ms-continuationtoken", "")
            return Listed(found, more=bool(tokens[start]))

        begin = cursor or ("" if self._since is None else iso(self._since))
        for item, reached in oldest_first(ask, _finished, "id", begin):
            if not self._is_later(item, "queueTime"):
                yield Page(deliveries=self._build(item), cursor=reached)

    def running_builds(self, _cursor: str) -> Iterator[Page]:
        """Builds that wait or run now; their end is told by a later reading."""
        asked: Params = {"statusFilter": "inProgress,notStarted", "$top": 1000, "api-version": VERSION}
        found = self._values(f"{self._path}/build/builds", asked, "id")
        told = [item for item in found if not self._is_later(item, "queueTime")]
        if told:
            yield Page(deliveries=self._api.deliveries("rest.builds", told))

    def _build(self, item: Item) -> list[Delivery]:
        """A build with its stages and jobs, some of which may be deployments."""
        told = [self._api.delivery("rest.builds", item)]
        path = f"{self._path}/build/builds/{item['id']}/timeline"
        answer = self._api.get(path, {"api-version": VERSION}, absent=_GONE)
        if answer.is_success and answer.content.strip() not in {b"", b"null"}:
            records = self._api.entry(answer, "records")["records"]
            told += [self._api.delivery("rest.timeline", {"build": item, "records": records})] if records else []
        return told

    def releases(self, cursor: str) -> Iterator[Page]:
        """Deployments of classic releases. The continuation token is the number of the next one."""
        token = cursor
        while True:
            asked: dict[str, str | int] = {"queryOrder": "ascending", "$top": PER_PAGE, "api-version": VERSION}
            asked |= {} if self._since is None else {"minModifiedTime": iso(self._since)}
            asked |= {} if self._until is None else {"maxStartedTime": iso(self._until)}
            asked |= {"continuationToken": token} if token else {}
            answer = self._api.get(f"{self._releases}/release/deployments", asked, absent=_SWITCHED_OFF)
            found = self._listed(answer, "id") if answer.is_success else []
            if not found:
                return
            token = answer.headers.get("x-ms-continuationtoken", "")
            yield Page(deliveries=self._api.deliveries("rest.deployments", found), cursor=token)
            if not token:
                return

    def work_items(self, cursor: str) -> Iterator[Page]:
        """Work items by number: no change of theirs moves one to another page."""
        reached = int(cursor) if cursor.isdigit() else 0
        while True:
            found = self._numbers(reached)
            for item in self._batch(found) if found else []:
                yield Page(deliveries=[self._work_item(item)], cursor=str(item["id"]))
            if not found:
                return
            reached = found[-1]

    def _numbers(self, reached: int) -> list[int]:
        terms = ["SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project", f"[System.Id] > {reached}"]
        terms += [] if self._since is None else [f"[System.ChangedDate] >= '{iso(self._since)}'"]
        terms += [] if self._until is None else [f"[System.CreatedDate] < '{iso(self._until)}'"]
        text = " AND ".join(terms) + " ORDER BY [System.Id] ASC"
        asked: Params = {"timePrecision": "true", "$top": BATCH, "api-version": VERSION}
        answer = self._api.post(f"{self._path}/wit/wiql", {"query": text}, asked)
        return [item.id for item in self._api.read(answer, _Answered).workItems]

    def _batch(self, numbers: list[int]) -> list[Item]:
        body = {"ids": numbers, "$expand": "relations", "errorPolicy": "omit"}
        return self._listed(
            self._api.post(f"{self._path}/wit/workitemsbatch", body, {"api-version": VERSION}), "id", "fields"
        )

    def _work_item(self, item: Item) -> Delivery:
        """A work item with its updates: they tell its moves, and when links were made and removed."""
        updates, found = list[Item](), list[Item]()
        while True:
            asked: Params = {"$top": BATCH, "$skip": len(updates), "api-version": VERSION}
            listed = self._values(f"{self._path}/wit/workItems/{item['id']}/updates", asked, "id")
            found = self._api.unlike(listed, found)
            updates += found
            if not found:
                return self._api.delivery("rest.workitem_history", {"workItem": item, "updates": updates})

    def recycle_bin(self, _cursor: str) -> Iterator[Page]:
        """The work items that were deleted and not yet destroyed."""
        path = f"{self._path}/wit/recyclebin"
        numbers = [str(item["id"]) for item in self._values(path, {"api-version": VERSION}, "id")]
        for begin in range(0, len(numbers), BATCH):
            asked: Params = {"ids": ",".join(numbers[begin : begin + BATCH]), "api-version": VERSION}
            found = self._values(path, asked, "id")
            told = [item for item in found if self._is_within(str(item.get("deletedDate") or ""))]
            if told:
                yield Page(deliveries=self._api.deliveries("rest.recyclebin", told))

    def _is_within(self, told: str) -> bool:
        """Without a date there is nothing to tell: of what the token may not see, the bin tells the number only."""
        at = recycled_at(told) or moment(told)
        early, late = (
            self._since is None or (at and at >= self._since),
            self._until is None or (at and at < self._until),
        )
        return at is not None and bool(early and late)

    def _values(self, path: str, params: Params, *needed: str) -> list[Item]:
        answer = self._api.get(path, params, absent=_SWITCHED_OFF)
        return self._listed(answer, *needed) if answer.is_success else []

    def _listed(self, answer: httpx.Response, *needed: str) -> list[Item]:
        """Decode a page: a list in an object, or, as the recycle bin is documented, a bare one."""
        if answer.content.lstrip().startswith(b"["):
            return self._api.items(answer, *needed)
        found = [item for item in self._api.read(answer, _Values).value if item is not None]
        return self._api.complete(answer, found, *needed)

    def _is_later(self, item: Item, field: str) -> bool:
        at = moment(item.get(field))
        return self._until is not None and at is not None and at >= self._until

    def _is_old(self, item: Item, field: str) -> bool:
        at = moment(item.get(field))
        return self._since is not None and at is not None and at < self._since


def _finished(build: Item) -> str:
    """When a build ended, down to the second: whether the API takes its bound as included is not documented."""
    at = moment(build["finishTime"])
    return "" if at is None else iso(at)


def _release_host(base: str) -> str:
    """Return the address at which classic releases are: in the cloud a host of its own, which is Microsoft's too."""
    found = _CLOUD.match(base)
    if found is None:
        return ""
    new, old = found["new"], found["old"]
    return f"https://vsrm.dev.azure.com/{new}" if new else f"https://{old}.vsrm.visualstudio.com"
