"""Polling: the issues that changed since an instant, with their changelogs, as deliveries."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
import msgspec

from connectors.jira.translate import ISSUE_HEADER
from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url
from pipeline.events.reading import parse_time

#: Not asked for: nothing of it is translated, and it is the most personal part of an issue.
FIELDS = "*all,-comment,-worklog,-attachment,-description"
#: An issue is found again for this long, since Jira's search index lags behind, its query language knows only minutes,
#: and once a year an hour of local time happens twice.
OVERLAP = timedelta(hours=1)
PAGE_SIZE = 100
#: The greatest distance of a local time from UTC to the west: a query in UTC is then early enough anywhere.
_WESTERNMOST = timedelta(hours=12)
_has_order = re.compile(r"\border\s+by\b", re.IGNORECASE).search
_T = TypeVar("_T")


class _Server(msgspec.Struct):
    deploymentType: str = "Server"


class _Myself(msgspec.Struct):
    timeZone: str = ""


class _Page(msgspec.Struct):
    """A page of either search; each issue stays as received."""

    issues: list[msgspec.Raw]
    startAt: int = 0
    total: int = 0
    nextPageToken: str | None = None


class _Extent(msgspec.Struct):
    histories: list[msgspec.Raw] = []
    total: int = 0


class _Head(msgspec.Struct):
    key: str
    changelog: _Extent | None = None


class _ChangelogPage(msgspec.Struct):
    values: list[msgspec.Raw]
    total: int = 0


def poll(client: httpx.Client, since: datetime, now: datetime, jql: str = "") -> Iterator[Delivery]:
    """Yield a `rest.issue` delivery for each issue updated since `since`, and `rest.changelog` ones for long histories.

    `client` has Jira's address as its `base_url` and brings the credentials; `jql` narrows the search (a project list);
    `now` stamps the deliveries. When all were taken, the next call's `since` is this call's `now`. An issue that is
    found again unchanged has the same delivery id.

    Raises `Retryable` when Jira is unreachable, busy or broken (with the wait that it asks for), `ConfigError` when it
    refuses the credentials or the query.
    """
    if _has_order(jql):
        raise ConfigError(f"jira: jql {jql!r} has an ORDER BY; leave it out, the order is needed for paging")
    jira = _Jira(client, now)
    cloud = jira.get("/rest/api/2/serverInfo", _Server).deploymentType == "Cloud"
    zone = jira.get("/rest/api/2/myself", _Myself).timeZone
    query = _query(since, zone, jql)
    for issue in jira.cloud_search(query) if cloud else jira.search(query):
        yield _delivery("rest.issue", bytes(issue), now)
        head = jira.decode(bytes(issue), _Head)
        # Data Center always tells the whole history; Cloud only its newest part, and the rest on pages of its own.
        if cloud and head.changelog is not None and head.changelog.total > len(head.changelog.histories):
            for page in jira.changelog(head.key):
                yield _delivery("rest.changelog", page, now, {ISSUE_HEADER: head.key})


def _query(since: datetime, zone: str, jql: str) -> str:
    """Return the search. Jira reads its times in the zone of the account that asks.

    Ordered by creation, not by update: an issue that is updated while pages are read would jump to the end of the
    latter, and the first of the next page would slip unseen into the page before.
    """
    try:
        start = (since - OVERLAP).astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        start = since - OVERLAP - _WESTERNMOST
    narrowed = f"({jql}) AND " if jql.strip() else ""
    return f'{narrowed}updated >= "{start:%Y-%m-%d %H:%M}" ORDER BY created ASC, key ASC'


def _delivery(kind: str, body: bytes, now: datetime, headers: dict[str, str] | None = None) -> Delivery:
    return Delivery(
        connector="jira",
        id=hashlib.sha256(body).hexdigest(),
        kind=kind,
        received_at=now,
        body=body,
        headers=headers or {},
    )


class _Jira:
    """The requests, and what each refusal means."""

    def __init__(self, client: httpx.Client, now: datetime) -> None:
        self._client = client
        self._now = now

    def get(self, path: str, shape: type[_T], **params: Any) -> _T:
        return self.decode(self._fetch(path, params).content, shape)

    def search(self, query: str) -> Iterator[msgspec.Raw]:
        """Page by offset, as Data Center does."""
        seen = 0
        while True:
            page = self.get(
                "/rest/api/2/search",
                _Page,
                jql=query,
                fields=FIELDS,
                expand="changelog",
                startAt=seen,
                maxResults=PAGE_SIZE,
            )
            yield from page.issues
            seen += len(page.issues)
            if not page.issues or seen >= page.total:
                return

    def cloud_search(self, query: str) -> Iterator[msgspec.Raw]:
        """Page by token, as Cloud does."""
        token: str | None = None
        while True:
            params = {"jql": query, "fields": FIELDS, "expand": "changelog", "maxResults": PAGE_SIZE}
            page = self.get("/rest/api/3/search/jql", _Page, **params, **({"nextPageToken": token} if token else {}))
            yield from page.issues
            if page.nextPageToken is not None and page.nextPageToken == token:
                raise Retryable("jira: the search repeats a page; polling will start over")
            token = page.nextPageToken
            if token is None:
                return

    def changelog(self, key: str) -> Iterator[bytes]:
        """Yield the pages of a changelog as received; none when the issue was deleted meanwhile."""
        path, seen = f"/rest/api/3/issue/{key}/changelog", 0
        while True:
            response = self._fetch(path, {"startAt": seen, "maxResults": PAGE_SIZE}, gone_is_fine=True)
            if response.status_code == httpx.codes.NOT_FOUND:
                return
            page = self.decode(response.content, _ChangelogPage)
            yield response.content
            seen += len(page.values)
            if not page.values or seen >= page.total:
                return

    def decode(self, body: bytes, shape: type[_T]) -> _T:
        try:
            return msgspec.json.decode(body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Retryable(f"jira: {self._client.base_url} did not answer as Jira's REST API does: {error}") from error

    def _fetch(self, path: str, params: dict[str, Any], *, gone_is_fine: bool = False) -> httpx.Response:
        try:
            response = self._client.get(path, params=params)
        except httpx.TransportError as error:
            raise Retryable(f"jira: {self._client.base_url} cannot be reached: {error}") from error
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Retryable(f"jira: {path} answered {status}", after=self._wait(response.headers.get("retry-after")))
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise ConfigError(f"jira: {path} answered {status}; check the token and what its account may browse")
        if response.is_success or (gone_is_fine and status == httpx.codes.NOT_FOUND):
            return response
        raise ConfigError(
            f"jira: {path} answered {status}: {response.text[:200]!r}; check the address and the jql of the connector"
        )

    def _wait(self, told: str | None) -> float | None:
        """Return the seconds that `Retry-After` asks for: a number, or a date."""
        if told is None:
            return None
        if told.strip().isdigit():
            return float(told)
        try:
            return max(0.0, (parsedate_to_datetime(told) - self._now).total_seconds())
        except (ValueError, TypeError):
            return None
