"""Reads the past of one repository from the REST API, and what changed since the last time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
import msgspec
import stamina

from connectors.github.repository import NUMBER_HEADER, REPO_HEADER
from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError, Quarantined, Retryable
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url, paged
from pipeline.events.reading import parse_time

API = "https://api.github.com"
PER_PAGE = 100
ATTEMPTS = 4
#: Deployments and runs are listed by when they were created, and may come to an end this much later.
LOOKBACK = timedelta(days=7)
NEWEST_FIRST = {"sort": "updated", "direction": "desc"}

#: Answers to a list that this repository does not have: issues switched off, no commit yet.
_NONE_HERE = {409, 410}
_RATE_LIMITS = {403, 429}
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
#: Deliveries below a pull request and below a deployment.
_PER_PULL, _PER_DEPLOYMENT = 2, 1


_T = TypeVar("_T")


class _Runs(msgspec.Struct):
    """A page of workflow runs."""

    workflow_runs: list[dict[str, Any]]


class _Unwell(Exception):
    """A 5xx answer."""


def client(token: str | None, api: str = API) -> httpx.Client:
    """Return a client of the REST API. `api` of an Enterprise Server is `https://HOST/api/v3`."""
    headers = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28", "user-agent": "leadline"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    return httpx.Client(base_url=api, headers=headers, timeout=30, follow_redirects=True)


class GitHubPoller:
    """Reads repositories through the REST API; works without a token too, at GitHub's rate for strangers."""

    name = "github"
    scope = "OWNER/NAME of a repository"
    default_scope: str | None = None
    needs: Sequence[str] = ()

    def client(self, access: Access) -> httpx.Client:
        return client(access.token, base_url(self.name, access.url or API))

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. It has no cursor: lists are short, and what is below their items is in the memory."""
        if not _REPOSITORY.fullmatch(query.scope):
            raise ConfigError(f"github: {query.scope!r} is no repository; write OWNER/NAME")
        reading: list[_Poll] = []

        def read(memory: MutableMapping[str, str]) -> Iterator[Delivery]:
            reading.append(_Poll(client, query.scope, query.now, query.since, query.until, memory))
            return reading[0].everything()

        return paged(read, checkpoint.memory, lambda: reading[0].expected)


POLLER: Poller = GitHubPoller()


def poll(
    http: httpx.Client,
    repo: str,
    now: datetime,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    memory: MutableMapping[str, str] | None = None,
) -> Iterator[Delivery]:
    """Yield deliveries with what `repo` (`owner/name`) tells, each page as received; `received_at` is `now`.

    `since` leaves out what was not updated after it, `until` what was created later (None: no bound), as far as GitHub
    can tell. `memory` is kept by the caller between calls: it spares what has not changed, and lets a call that was
    cut short go on where it stopped. An entry is made only when the next delivery is asked for, so that the caller has
    stored the one before.

    Raises `Retryable`, with the wait that GitHub asks for, when the rate limit is used up or GitHub does not answer;
    `ConfigError` when the repository or the token does not exist or is not allowed to read.
    """
    yield from _Poll(http, repo, now, since, until, {} if memory is None else memory).everything()


class _Poll:
    def __init__(
        self,
        http: httpx.Client,
        repo: str,
        now: datetime,
        since: datetime | None,
        until: datetime | None,
        memory: MutableMapping[str, str],
    ) -> None:
        self._http = http
        self._repo = repo
        self._now = now
        self._since = since
        self._until = until
        self._memory = memory
        #: How many deliveries there will be, as far as the lists that were begun tell; one for each of the others.
        self.expected = 0

    def everything(self) -> Iterator[Delivery]:
        newer = {} if self._since is None else {"since": _iso(self._since)}
        older = {} if self._until is None else {"until": _iso(self._until)}
        lists = [
            self._pulls(),
            self._list("rest.pull_comments", "pulls/comments", {**NEWEST_FIRST, **newer}),
            self._list("rest.issue_comments", "issues/comments", {**NEWEST_FIRST, **newer}),
            self._list("rest.issues", "issues", {"state": "all", **NEWEST_FIRST, **newer}),
            self._histories(),
            self._deployments(),
            self._runs(),
            self._list("rest.releases", "releases", {}),
            self._list("rest.commits", "commits", {**newer, **older}),
        ]
        self.expected = len(lists)
        for deliveries in lists:
            self.expected -= 1  # It was one as long as it was not begun.
            yield from deliveries

    def _runs(self) -> Iterator[Delivery]:
        for page in self._pages("actions/runs", self._created()):
            _decoded(page, _Runs)
            self._expect(page)
            yield self._delivery("rest.actions_runs", page.content)

    def _created(self) -> dict[str, str]:
        """The filter of a list that knows when its items were created only."""
        start = None if self._since is None else _iso(self._since - LOOKBACK)
        end = None if self._until is None else _iso(self._until)
        if start and end:
            return {"created": f"{start}..{end}"}
        return {"created": f">={start}"} if start else {"created": f"<={end}"} if end else {}

    def _expect(self, page: httpx.Response, items: int = 0, below: int = 0) -> None:
        """Add a list to what is expected when its first page is there; each item has `below` deliveries of its own."""
        if page.url.params.get("page", "1") == "1":
            last = httpx.URL(page.links.get("last", {}).get("url", "")).params.get("page", "")
            self.expected += (int(last) if last.isdigit() else 1) * (1 + items * below)

    def _list(self, kind: str, path: str, params: dict[str, str]) -> Iterator[Delivery]:
        for page in self._unless_known(path, params):
            _objects(page)
            self._expect(page)
            yield self._delivery(kind, page.content)

    def _unless_known(self, path: str, params: dict[str, str]) -> Iterator[httpx.Response]:
        """The pages of a list that begins with what changed last: if the first is the one of last time, so are all.

        Its ETag is kept once all pages were taken, so that a call that was cut short does not hide the rest.
        """
        known, etag = f"{self._repo} etag {path}", None
        lasting = "since" not in params and self._until is None
        for page in self._pages(path, params, self._memory.get(known) if lasting else None):
            etag = etag or page.headers.get("etag")
            yield page
        if etag and lasting:
            self._memory[known] = etag

    def _pulls(self) -> Iterator[Delivery]:
        """Pull requests, the last updated first, and below each one its commits and reviews."""
        for page in self._unless_known("pulls", {"state": "all", **NEWEST_FIRST}):
            pulls = _objects(page, "id", "number")
            self._expect(page, len(pulls), _PER_PULL)
            yield self._delivery("rest.pulls", page.content)
            for pull in pulls:
                yield from self._below("pull", pull, self._pull_details(pull))
            if pulls and self._is_old(pulls[-1].get("updated_at")):
                return

    def _pull_details(self, pull: dict[str, Any]) -> Iterator[Delivery]:
        number = pull["number"]
        path = f"pulls/{number}"
        listed = (commit for page in self._pages(f"{path}/commits", {}) for commit in _objects(page, "sha"))
        # A push between two pages shows a commit twice; the snapshot lists it once.
        commits = list({commit["sha"]: commit for commit in listed}.values())
        # A list of commits does not say whose they are; its pull request goes with it.
        yield self._delivery("rest.pull_commits", msgspec.json.encode({"pull_request": pull, "commits": commits}))
        for page in self._pages(f"{path}/reviews", {}):
            _objects(page)
            yield self._delivery("rest.pull_reviews", page.content, {NUMBER_HEADER: str(number)})

    def _histories(self) -> Iterator[Delivery]:
        """What happened to issues and pull requests, the last first: nothing else tells when a review was asked for."""
        for page in self._unless_known("issues/events", {}):
            entries = _objects(page, "id")
            self._expect(page)
            yield self._delivery("rest.issue_events", page.content)
            if entries and self._is_old(entries[-1].get("created_at")):
                return

    def _deployments(self) -> Iterator[Delivery]:
        """Deployments, the newest first, and below each one its statuses."""
        for page in self._pages("deployments", {}):
            deployments = _objects(page, "id")
            self._expect(page, len(deployments), _PER_DEPLOYMENT)
            yield self._delivery("rest.deployments", page.content)
            for deployment in deployments:
                yield from self._below("deployment", deployment, self._statuses(deployment))
            if deployments and self._is_old(deployments[-1].get("created_at"), LOOKBACK):
                return

    def _statuses(self, deployment: dict[str, Any]) -> Iterator[Delivery]:
        pages = self._pages(f"deployments/{deployment['id']}/statuses", {})
        statuses = [status for page in pages for status in _objects(page)]
        body = msgspec.json.encode({"deployment": deployment, "statuses": statuses})
        yield self._delivery("rest.deployment_statuses", body)

    def _below(self, kind: str, item: dict[str, Any], details: Iterator[Delivery]) -> Iterator[Delivery]:
        """The details of an item, unless they were read when it was last updated at the same time."""
        known, version = f"{self._repo} {kind} {item['id']}", str(item.get("updated_at"))
        if self._memory.get(known) == version or self._is_old(item.get("updated_at")) or self._is_later(item):
            return
        yield from details
        self._memory[known] = version

    def _is_later(self, item: dict[str, Any]) -> bool:
        at = _moment(item.get("created_at"))
        return self._until is not None and at is not None and at >= self._until

    def _is_old(self, moment: object, margin: timedelta = timedelta(0)) -> bool:
        at = _moment(moment)
        return self._since is not None and at is not None and at < self._since - margin

    def _pages(self, path: str, params: dict[str, str], etag: str | None = None) -> Iterator[httpx.Response]:
        """Yield the pages of a list; none at all when the first is the one of `etag`."""
        url = httpx.URL(f"/repos/{self._repo}/{path}", params={**params, "per_page": str(PER_PAGE)})
        headers = {"if-none-match": etag} if etag else {}
        while True:
            answer = self._get(url, headers)
            if _is_over(answer):
                return
            yield answer
            if "next" not in answer.links:
                return
            url, headers = answer.url.join(answer.links["next"]["url"]), {}
            if url.host != answer.url.host:
                raise ConfigError(f"GET {answer.url}: its next page is at {url.host}, where the token must not be sent")

    def _get(self, url: httpx.URL, headers: dict[str, str]) -> httpx.Response:
        retrying = stamina.RetryingCaller(attempts=ATTEMPTS).on((httpx.RequestError, _Unwell))
        try:
            answer = retrying(self._ask, url, headers)
        except (httpx.RequestError, _Unwell) as error:
            raise Retryable(f"GET {url}: {type(error).__name__} {error}") from error
        self._check(answer)
        return answer

    def _ask(self, url: httpx.URL, headers: dict[str, str]) -> httpx.Response:
        answer = self._http.get(url, headers=headers)
        if answer.is_server_error:
            raise _Unwell(f"{answer.status_code} {answer.reason_phrase}")
        return answer

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success or _is_over(answer):
            return
        wait = self._wait(answer) if answer.status_code in _RATE_LIMITS else None
        if wait is not None:
            raise Retryable(f"GET {answer.url}: GitHub's rate limit is used up; try again in {wait:.0f} s", after=wait)
        raise ConfigError(
            f"GET {answer.url}: {answer.status_code} {answer.reason_phrase}. Check that {self._repo} is spelled "
            f"OWNER/NAME, and that connectors.github.token is valid, has not expired and may read it"
        )

    def _wait(self, answer: httpx.Response) -> float | None:
        """Return the seconds to wait if this is a rate limit; None if it is a plain refusal."""
        after, reset = answer.headers.get("retry-after", ""), answer.headers.get("x-ratelimit-reset", "")
        if after.isdecimal():
            return float(after)
        if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
            return max(1.0, float(reset) - self._now.timestamp())
        # A secondary limit may come as 403 with nothing but its words; a minute is what GitHub then asks for.
        limited = answer.status_code == httpx.codes.TOO_MANY_REQUESTS or "secondary rate limit" in answer.text.lower()
        return 60.0 if limited else None

    def _delivery(self, kind: str, body: bytes, headers: dict[str, str] | None = None) -> Delivery:
        digest = hashlib.blake2b(kind.encode() + b"\0" + body, digest_size=16).hexdigest()
        told = {REPO_HEADER: self._repo, **(headers or {})}
        return Delivery(connector="github", id=digest, kind=kind, received_at=self._now, body=body, headers=told)


def _is_over(answer: httpx.Response) -> bool:
    """Return whether there is no such list, nothing new in it, or no further page: GitHub ends very long lists so."""
    beyond = answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY and answer.url.params.get("page", "1") != "1"
    return beyond or answer.status_code == httpx.codes.NOT_MODIFIED or answer.status_code in _NONE_HERE


def _objects(page: httpx.Response, *needed: str) -> list[dict[str, Any]]:
    """Return the items of a page, which all have the fields `needed`."""
    items = _decoded(page, list[dict[str, Any]])
    if all(name in item for item in items for name in needed):
        return items
    raise Retryable(f"GET {page.url}: the answer has items without {' or '.join(needed)}")


def _decoded(page: httpx.Response, shape: type[_T]) -> _T:
    """Decode a page. What a proxy or a broken server answers must not be stored and counted as read."""
    try:
        return msgspec.json.decode(page.content, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Retryable(f"GET {page.url}: the answer is no list of objects: {error}") from error


def _moment(told: object) -> datetime | None:
    try:
        return parse_time(told)
    except Quarantined:
        return None


def _iso(moment: datetime) -> str:
    """Seconds are what GitHub's filters know; the bound is moved down to a whole one."""
    return (moment - timedelta(microseconds=moment.microsecond)).isoformat().replace("+00:00", "Z")
