"""Reads the past of one repository from the REST API, and what changed since the last time."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import httpx
import msgspec

from connectors.bitbucket_cloud.repository import REPO_HEADER
from pipeline.events.asking import Api, Item, Listed, Params, iso, moment, newest_first, oldest_first, staged
from pipeline.events.errors import ConfigError
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

API = "https://api.bitbucket.org/2.0"
PER_PAGE = 50
STATES = ("OPEN", "MERGED", "DECLINED", "SUPERSEDED")
#: Pipelines are listed by when they were created, and commits by when they were made; both may be news so much later.
LOOKBACK = timedelta(days=7)

#: Pipelines that are switched off, and a fork that is gone with its commits.
_NONE_HERE = frozenset({403, 404})
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_CHECK = (
    "connectors.bitbucket_cloud.poll.scopes (is it spelled WORKSPACE/REPOSITORY?) and "
    "connectors.bitbucket_cloud.token: has it expired, and may it read the repository, its pull requests and pipelines?"
)


class _Values(msgspec.Struct):
    """A page of any list."""

    values: list[Item]
    next: str | None = None
    size: int | None = None


class _Branch(msgspec.Struct):
    name: str


class _Repository(msgspec.Struct):
    uuid: str
    mainbranch: _Branch | None = None


class BitbucketCloudPoller:
    """Reads repositories through the REST API; works without a token where a repository is public."""

    name = "bitbucket_cloud"
    scope = "WORKSPACE/REPOSITORY"
    default_scope: str | None = None
    needs: Sequence[str] = ()

    def client(self, access: Access) -> httpx.Client:
        """Return a client. A token of the form `USER:TOKEN` is a person's, any other one an access token."""
        headers = {"accept": "application/json", "user-agent": "leadline"}
        if access.token:
            shown = base64.b64encode(access.token.encode()).decode()
            headers["authorization"] = f"Basic {shown}" if ":" in access.token else f"Bearer {access.token}"
        return httpx.Client(base_url=base_url(self.name, access.url or API), headers=headers, timeout=60)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. The cursor is a list, and in it a time or the link to the next page."""
        if not _REPOSITORY.fullmatch(query.scope):
            raise ConfigError(f"bitbucket_cloud: {query.scope!r} is no repository; write WORKSPACE/REPOSITORY")
        api = Api(self.name, client, query.now, _CHECK)
        path = f"/repositories/{query.scope}"
        repository = api.read(api.get(path), _Repository)
        reading = _Reading(api, path, repository, query)
        yield from staged(
            {
                "pulls": reading.pull_requests,
                "activity": reading.activity,
                "pipelines": reading.pipelines,
                "deployments": reading.deployments,
                "commits": reading.commits,
            },
            checkpoint,
        )


POLLER: Poller = BitbucketCloudPoller()


class _Reading:
    """One query about one repository."""

    def __init__(self, api: Api, path: str, repository: _Repository, query: Query) -> None:
        self._api, self._path, self._repository = api, path, repository
        self._since, self._until = query.since, query.until
        self._headers = {REPO_HEADER: query.scope}

    def pull_requests(self, cursor: str) -> Iterator[Page]:
        """Pull requests in the order of their updates, each with its commits, which alone have their full names."""
        sizes: list[int | None] = []

        def ask(start: str, page: int) -> Listed[Item]:
            terms = [" OR ".join(f'state = "{state}"' for state in STATES)]
            terms += [f"updated_on >= {start}"] if start else []
            terms += [] if self._until is None else [f"created_on < {iso(self._until)}"]
            wanted = " AND ".join(f"({term})" for term in terms)
            asked: Params = {
                "state": list(STATES),
                "q": wanted,
                "sort": "updated_on",
                "page": page,
                "pagelen": PER_PAGE,
            }
            answer = self._api.get(f"{self._path}/pullrequests", asked)
            found = self._api.read(answer, _Values)
            sizes.append(found.size)
            return Listed(self._api.complete(answer, found.values, "id", "updated_on"), more=found.next is not None)

        begin = cursor or ("" if self._since is None else iso(self._since))
        for item, reached in oldest_first(ask, lambda item: str(item["updated_on"]), "id", begin):
            whole = {"pullrequest": item, "commits": self._pull_commits(item["id"])}
            told = self._api.delivery("rest.pullrequest_commits", whole, self._headers)
            yield Page(deliveries=[told], cursor=reached, expected=sizes[0])

    def _pull_commits(self, number: object) -> list[Item]:
        found: dict[str, Item] = {}
        for commits in self._linked(f"{self._path}/pullrequests/{number}/commits", absent=True):
            found.update((str(commit.get("hash")), commit) for commit in commits)
        return list(found.values())

    def activity(self, cursor: str) -> Iterator[Page]:
        """What was said on all pull requests and what became of them. An approval does not move an update time."""
        reached = moment(cursor)
        for entries in self._linked(f"{self._path}/pullrequests/activity"):
            happened = [(entry, at) for entry in entries if (at := _happened(entry)) is not None]
            told = [entry for entry, at in happened if self._is_within(at) and (reached is None or at <= reached)]
            if told:
                deliveries = self._api.deliveries("rest.pullrequest_activity", told, self._headers)
                yield Page(deliveries=deliveries, cursor=happened[-1][1].isoformat())
            if happened and self._since is not None and happened[-1][1] < self._since:
                return

    def pipelines(self, cursor: str) -> Iterator[Page]:
        """Pipelines, the newest first; none is ever deleted."""

        def ask(page: int) -> Listed[Item]:
            asked: Params = {"sort": "-created_on", "page": page, "pagelen": PER_PAGE}
            answer = self._api.get(f"{self._path}/pipelines/", asked, absent=_NONE_HERE)
            if not answer.is_success:
                return Listed([], more=False)
            found = self._api.read(answer, _Values)
            complete = self._api.complete(answer, found.values, "uuid", "created_on")
            # This list counts its items but does not link to its next page.
            more = found.next is not None or page * PER_PAGE < (found.size or 0)
            return Listed(complete, more=more)

        floor = None if self._since is None else self._since - LOOKBACK
        for item, reached in newest_first(ask, lambda item: moment(item["created_on"]), cursor, floor):
            made, ended = moment(item["created_on"]), moment(item.get("completed_on"))
            if (ended is None or self._since is None or ended >= self._since) and self._is_early(made):
                yield Page(deliveries=[self._api.delivery("rest.pipelines", item, self._headers)], cursor=reached)

    def deployments(self, _cursor: str) -> Iterator[Page]:
        """All deployments: their list knows neither an order nor a time to begin with."""
        path, wanted = f"{self._path}/deployments/", {"fields": "+values.environment.name"}
        for items in self._linked(path, wanted, absent=True):
            changed = [item for item in items if self._is_within(moment(item.get("last_update_time")))]
            if changed:
                yield Page(deliveries=self._api.deliveries("rest.deployments", changed, self._headers))

    def commits(self, cursor: str) -> Iterator[Page]:
        """The commits of the main branch as it was when the reading began: what is pushed then shifts no page."""
        branch = self._repository.mainbranch
        if branch is None:
            return
        head = cursor or self._head(branch.name)
        for items in self._linked(f"{self._path}/commits/{head}", absent=True) if head else ():
            dated = [(item, moment(item.get("date"))) for item in items]
            floor = None if self._since is None else self._since - LOOKBACK
            told = [item for item, at in dated if at and (floor is None or at >= floor) and self._is_early(at)]
            if told:
                deliveries = self._api.deliveries("rest.commits", told, self._headers)
                # Everything behind a commit can be asked for by its name.
                yield Page(deliveries=deliveries, cursor=str(items[-1].get("hash", "")))
            if floor is not None and all(at is not None and at < floor for _, at in dated):
                return

    def _head(self, branch: str) -> str:
        answer = self._api.get(f"{self._path}/commits/{branch}", {"pagelen": 1}, absent=_NONE_HERE)
        if not answer.is_success:
            return ""
        found = self._api.complete(answer, self._api.read(answer, _Values).values, "hash")
        return str(found[0]["hash"]) if found else ""

    def _linked(self, path: str, params: Params | None = None, *, absent: bool = False) -> Iterator[list[Item]]:
        """The pages of a list, each of which links to the next; none where there is no such list."""
        asked: Params = {**(params or {}), "pagelen": PER_PAGE}
        answer = self._api.get(path, asked, absent=_NONE_HERE if absent else ())
        values: list[Item] = []
        while answer.is_success:
            page = self._api.read(answer, _Values)
            values = self._api.unlike(page.values, values)
            yield values
            if page.next is None:
                return
            answer = self._api.follow(answer, page.next)

    def _is_early(self, at: datetime | None) -> bool:
        return self._until is None or at is None or at < self._until

    def _is_within(self, at: datetime | None) -> bool:
        return at is not None and (self._since is None or at >= self._since) and self._is_early(at)


def _happened(entry: Item) -> datetime | None:
    """When an entry of the activity happened; each kind of entry tells it at another place."""
    for field, name in (
        ("update", "date"),
        ("approval", "date"),
        ("changes_requested", "date"),
        ("comment", "created_on"),
    ):
        node = entry.get(field)
        if isinstance(node, dict):
            return moment(node.get(name))
    return None
