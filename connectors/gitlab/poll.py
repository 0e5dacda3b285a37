"""Reads the past of one project from the REST API, and what changed since the last time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from urllib.parse import quote

import httpx
import msgspec

from connectors.gitlab.polled import APPROVALS, ISSUE_HISTORY
from connectors.gitlab.project import NUMBER_HEADER, REPO_HEADER
from pipeline.events.asking import (
    Api,
    Item,
    Listed,
    Params,
    etag_of,
    iso,
    moment,
    oldest_first,
    read_back_to,
    staged,
)
from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

HOST = "https://gitlab.com"
PER_PAGE = 100
#: Commits are listed by when they were made, and may be pushed this much later.
LOOKBACK = timedelta(days=7)

#: What a project has switched off is forbidden or not found; the project itself was found before.
_SWITCHED_OFF = frozenset({403, 404})
#: What vanished while its list was read.
_GONE = frozenset({404})
_PATH = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+")
_CHECK = (
    "connectors.gitlab.poll.scopes (is it spelled GROUP/PROJECT?), connectors.gitlab.url, and connectors.gitlab.token: "
    "has it expired, and does it have the scope read_api?"
)


class _Project(msgspec.Struct):
    web_url: str
    default_branch: str | None = None


class GitLabPoller:
    """Reads projects through the REST API; works without a token where a project is public."""

    name = "gitlab"
    scope = "GROUP/PROJECT"
    default_scope: str | None = None
    needs: Sequence[str] = ()

    def client(self, access: Access) -> httpx.Client:
        headers = {"accept": "application/json", "user-agent": "leadline"}
        if access.token:
            headers["authorization"] = f"Bearer {access.token}"
        base = base_url(self.name, access.url or HOST).removesuffix("/api/v4")
        # A project that was renamed or moved is redirected to; httpx shows the token to no other host.
        return httpx.Client(base_url=f"{base}/api/v4", headers=headers, timeout=60, follow_redirects=True)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. The cursor is a list and the update time of its last item."""
        if not _PATH.fullmatch(query.scope):
            raise ConfigError(f"gitlab: {query.scope!r} is no project; write GROUP/PROJECT")
        api = Api(self.name, client, query.now, _CHECK)
        path = f"/projects/{quote(query.scope, safe='')}"
        project = api.read(api.get(path), _Project)
        reading = _Reading(api, path, project, query, checkpoint.memory)
        yield from staged(
            {
                "merge_requests": reading.merge_requests,
                "issues": reading.issues,
                "pipelines": reading.pipelines,
                "deployments": reading.deployments,
                "releases": reading.releases,
                "commits": reading.commits,
            },
            checkpoint,
        )


POLLER: Poller = GitLabPoller()


class _Reading:
    """One query about one project."""

    def __init__(self, api: Api, path: str, project: _Project, query: Query, memory: Mapping[str, str]) -> None:
        self._api, self._path, self._project = api, path, project
        self._since, self._until, self._memory = query.since, query.until, memory
        self._headers = {REPO_HEADER: project.web_url}

    def merge_requests(self, cursor: str) -> Iterator[Page]:
        return self._updated("merge_requests", {"scope": "all", "state": "all"}, cursor, "iid", self._merge_request)

    def issues(self, cursor: str) -> Iterator[Page]:
        return self._updated("issues", {"scope": "all", "state": "all"}, cursor, "iid", self._issue)

    def pipelines(self, cursor: str) -> Iterator[Page]:
        return self._updated("pipelines", {}, cursor, "id", self._pipeline)

    def deployments(self, cursor: str) -> Iterator[Page]:
        return self._updated("deployments", {}, cursor, "id", self._deployment)

    def _updated(
        self, name: str, params: Mapping[str, str], cursor: str, key: str, told: Callable[[Item], list[Delivery]]
    ) -> Iterator[Page]:
        """The items of a list, in the order of their updates, each with what is below it.

        GitLab's keyset pages exist for few lists. An update time as a lower bound does the same for all of these.
        """
        total: list[int | None] = []

        def ask(start: str, page: int) -> Listed[Item]:
            bounds = {"updated_after": start} if start else {}
            if self._until is not None:
                bounds["created_before"] = iso(self._until)
            asked: Params = {
                **params,
                **bounds,
                "order_by": "updated_at",
                "sort": "asc",
                "page": page,
                "per_page": PER_PAGE,
            }
            answer = self._api.get(f"{self._path}/{name}", asked, absent=_SWITCHED_OFF)
            if not answer.is_success:
                return Listed([], more=False)
            total.append(_total(answer))
            return Listed(self._api.items(answer, key, "updated_at"), more="next" in answer.links)

        begin = cursor or ("" if self._since is None else iso(self._since))
        done = 0
        listed = oldest_first(ask, lambda item: item["updated_at"] or "", key, begin)
        for count, (item, reached) in enumerate(listed, start=1):
            if self._is_later(item):
                continue
            deliveries = told(item)
            done += len(deliveries)
            # What the first items had below them is what the others are expected to have.
            expected = None if total[0] is None else max(done, round(total[0] * done / count))
            yield Page(deliveries=deliveries, cursor=reached, expected=expected)

    def _merge_request(self, item: Item) -> list[Delivery]:
        """A merge request with its commits, and what was said about it."""
        path = f"{self._path}/merge_requests/{item['iid']}"
        commits = self._all(f"{path}/commits", "id")
        told = [self._told("rest.merge_request_commits", {"merge_request": item, "commits": commits})]
        numbered = {NUMBER_HEADER: str(item["iid"])}
        if notes := self._all(f"{path}/notes", "id", sort="asc", order_by="created_at"):
            told.append(self._told("rest.merge_request_notes", notes, numbered))
        approvals = self._api.get(f"{path}/approvals", absent=_SWITCHED_OFF)
        if approvals.is_success and self._api.entry(approvals, "approved_by")["approved_by"]:
            told.append(self._told(APPROVALS, approvals.content, numbered))
        return told

    def _issue(self, item: Item) -> list[Delivery]:
        """An issue with its history and its links. A new link does not move its update time, but is told with it."""
        path = f"{self._path}/issues/{item['iid']}"
        whole = {
            "issue": item,
            "state_events": self._all(f"{path}/resource_state_events", "id"),
            "label_events": self._all(f"{path}/resource_label_events", "id"),
            "links": self._all(f"{path}/links", "iid"),
        }
        return [self._told(ISSUE_HISTORY, whole)]

    def _pipeline(self, item: Item) -> list[Delivery]:
        """A pipeline with its details: the list does not tell when it began and ended."""
        return self._detailed("pipelines", item)

    def _deployment(self, item: Item) -> list[Delivery]:
        """A deployment with its details: the list does not tell who had to approve it."""
        return self._detailed("deployments", item)

    def _detailed(self, name: str, item: Item) -> list[Delivery]:
        answer = self._api.get(f"{self._path}/{name}/{item['id']}", absent=_GONE)
        if not answer.is_success:
            return []
        self._api.entry(answer, "id", "status")
        return [self._told(f"rest.{name}", answer.content)]

    def releases(self, _cursor: str) -> Iterator[Page]:
        """Releases cannot be asked for by time; the first page is the one of last time as long as nothing changed.

        They are few, and ordered by when they were released: one that is added shifts others to later pages.
        """
        known = f"{self._path} releases"
        asked: Params = {"order_by": "released_at", "sort": "desc", "per_page": PER_PAGE}
        etag, page, listed = None, 1, list[Item]()
        while True:
            answer = self._api.get(
                f"{self._path}/releases",
                {**asked, "page": page},
                etag=etag_of(self._memory.get(known, ""), self._since) if page == 1 and self._until is None else None,
                absent=_SWITCHED_OFF,
            )
            if not answer.is_success:
                return
            etag = answer.headers.get("etag") if page == 1 else etag
            listed = self._api.unlike(self._api.items(answer, "tag_name"), listed)
            found = [item for item in listed if not self._is_later(item) and not self._is_old(item, "released_at")]
            more = "next" in answer.links
            memory = {known: read_back_to(etag, self._since)} if etag and not more and self._until is None else {}
            yield Page(deliveries=self._api.deliveries("rest.releases", found, self._headers), memory=memory)
            if not more:
                return
            page += 1

    def commits(self, cursor: str) -> Iterator[Page]:
        """The commits of the default branch, as it was when the reading began: what is pushed then shifts no page."""
        head, _, number = cursor.partition(" ")
        head = head or self._head()
        if not head:
            return
        bounds = {} if self._since is None else {"since": iso(self._since - LOOKBACK)}
        if self._until is not None:
            bounds["until"] = iso(self._until)
        page, listed = int(number) if number.isdigit() else 1, list[Item]()
        while True:
            asked: Params = {"ref_name": head, "page": page, "per_page": PER_PAGE, **bounds}
            answer = self._api.get(f"{self._path}/repository/commits", asked, absent=_SWITCHED_OFF)
            found = self._api.items(answer, "id") if answer.is_success else []
            listed = self._api.unlike(found, listed)
            if not listed:
                return
            page += 1
            yield Page(deliveries=self._api.deliveries("rest.commits", listed, self._headers), cursor=f"{head} {page}")
            if "next" not in answer.links:
                return

    def _head(self) -> str:
        branch = self._project.default_branch
        if not branch:
            return ""
        asked: Params = {"ref_name": branch, "per_page": 1}
        answer = self._api.get(f"{self._path}/repository/commits", asked, absent=_SWITCHED_OFF)
        listed = self._api.items(answer, "id") if answer.is_success else []
        return str(listed[0]["id"]) if listed else ""

    def _all(self, path: str, key: str, **params: str) -> list[Item]:
        """Return a whole list below an item, each item once; empty where the project does not have such a thing."""
        found: dict[str, Item] = {}
        page, listed = 1, list[Item]()
        while True:
            answer = self._api.get(path, {**params, "page": page, "per_page": PER_PAGE}, absent=_SWITCHED_OFF)
            if not answer.is_success:
                return []
            listed = self._api.unlike(self._api.items(answer, key), listed)
            found.update((str(item.get("issue_link_id", item[key])), item) for item in listed)
            if "next" not in answer.links:
                return list(found.values())
            page += 1

    def _told(self, kind: str, what: object, headers: Mapping[str, str] | None = None) -> Delivery:
        return self._api.delivery(kind, what, {**self._headers, **(headers or {})})

    def _is_later(self, item: Item) -> bool:
        at = moment(item.get("created_at"))
        return self._until is not None and at is not None and at >= self._until

    def _is_old(self, item: Item, field: str) -> bool:
        at = moment(item.get(field))
        return self._since is not None and at is not None and at < self._since


def _total(answer: httpx.Response) -> int | None:
    told = answer.headers.get("x-total", "")
    return int(told) if told.isdigit() else None
