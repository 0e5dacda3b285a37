"""Polling: the issues that changed since an instant, with their changelogs, as deliveries."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
import msgspec

from connectors.jira.translate import ISSUE_HEADER
from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError, Quarantined, Retryable
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url
from pipeline.events.reading import parse_time

#: Not asked for: nothing of it is translated, and it is the most personal part of an issue.
FIELDS = "*all,-comment,-worklog,-attachment,-description"
#: An issue is found again for this long, since Jira's search index lags behind, its query language knows only minutes,
#: and once a year an hour of local time happens twice.
OVERLAP = timedelta(hours=1)
PAGE_SIZE = 100
#: What a search without a lower bound begins with, since Jira Cloud refuses one that has none; Jira is younger.
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
#: The greatest distance of a local time from UTC to the west: a query in UTC is then early enough anywhere.
_WESTERNMOST = timedelta(hours=-12)
#: And to the east: the same for a query's end.
_EASTERNMOST = timedelta(hours=14)
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


class _Found(msgspec.Struct):
    """The new issues of a page, how many the search finds in all (None: not told), and if these are the last."""

    issues: list[msgspec.Raw]
    total: int | None
    last: bool


class _Extent(msgspec.Struct):
    histories: list[msgspec.Raw] = []
    total: int = 0


class _Dates(msgspec.Struct):
    created: str | None = None


class _Head(msgspec.Struct):
    key: str
    changelog: _Extent | None = None
    fields: _Dates = msgspec.field(default_factory=_Dates)


class _ChangelogPage(msgspec.Struct):
    values: list[msgspec.Raw]
    total: int = 0


class JiraPoller:
    """Reads the issues that a JQL finds, with their changelogs."""

    name = "jira"
    scope = "JQL without ORDER BY"
    default_scope: str | None = ""
    needs: Sequence[str] = ("url", "token")

    def client(self, access: Access) -> httpx.Client:
        """Return a client. A token of the form `ADDRESS:TOKEN` is Jira Cloud's, any other one of Data Center's."""
        token = access.token or ""
        shown = f"Basic {base64.b64encode(token.encode()).decode()}" if ":" in token else f"Bearer {token}"
        headers = {"accept": "application/json", "authorization": shown, "user-agent": "leadline"}
        return httpx.Client(base_url=base_url(self.name, access.url or ""), headers=headers, timeout=60)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. The cursor is when the last issue was created, which is the order of the search."""
        if _has_order(query.scope):
            raise ConfigError(
                f"jira: jql {query.scope!r} has an ORDER BY; leave it out, the order is needed for paging"
            )
        jira = _Jira(client, query.now)
        cloud = jira.get("/rest/api/2/serverInfo", _Server).deploymentType == "Cloud"
        zone = jira.get("/rest/api/2/myself", _Myself).timeZone
        search = _search(query, zone, checkpoint.cursor)
        cursor, told = checkpoint.cursor, 0
        for found in jira.cloud_search(search) if cloud else jira.search(search):
            heads = [jira.decode(bytes(issue), _Head) for issue in found.issues]
            deliveries = [
                delivery
                for issue, head in zip(found.issues, heads, strict=True)
                for delivery in _told(jira, bytes(issue), head, query.now, cloud=cloud)
            ]
            told += len(deliveries)
            cursor = next((head.fields.created for head in reversed(heads) if head.fields.created), cursor)
            yield Page(
                deliveries=deliveries,
                cursor="" if found.last else cursor,
                expected=None if found.total is None else max(found.total, told),
            )


POLLER: Poller = JiraPoller()


def poll(client: httpx.Client, since: datetime, now: datetime, jql: str = "") -> Iterator[Delivery]:
    """Yield a `rest.issue` delivery for each issue updated since `since`, and `rest.changelog` ones for long histories.

    `client` has Jira's address as its `base_url` and brings the credentials; `jql` narrows the search (a project list);
    `now` stamps the deliveries. When all were taken, the next call's `since` is this call's `now`. An issue that is
    found again unchanged has the same delivery id.

    Raises `Retryable` when Jira is unreachable, busy or broken (with the wait that it asks for), `ConfigError` when it
    refuses the credentials or the query.
    """
    for page in POLLER.pages(client, Query(scope=jql, since=since, now=now), Checkpoint()):
        yield from page.deliveries


def _told(jira: _Jira, issue: bytes, head: _Head, now: datetime, *, cloud: bool) -> Iterator[Delivery]:
    """Yield the deliveries of one issue."""
    yield _delivery("rest.issue", issue, now)
    # Data Center always tells the whole history; Cloud only its newest part, and the rest on pages of its own.
    if cloud and head.changelog is not None and head.changelog.total > len(head.changelog.histories):
        for page in jira.changelog(head.key):
            yield _delivery("rest.changelog", page, now, {ISSUE_HEADER: head.key})


def _search(query: Query, zone: str, cursor: str) -> str:
    """Return the search. Jira reads its times in the zone of the account that asks.

    Ordered by creation, not by update: an issue that is updated while pages are read would jump to the end of the
    latter, and the first of the next page would slip unseen into the page before.
    """
    terms = [f"({query.scope})"] if query.scope.strip() else []
    terms.append(f'updated >= "{_local((query.since or BEGINNING) - OVERLAP, zone)}"')
    if query.until is not None:
        terms.append(f'created < "{_local(query.until + OVERLAP, zone, _EASTERNMOST)}"')
    if cursor and (reached := _moment(cursor)) is not None:
        terms.append(f'created >= "{_local(reached - OVERLAP, zone)}"')
    return f"{' AND '.join(terms)} ORDER BY created ASC, key ASC"


def _local(moment: datetime, zone: str, otherwise: timedelta = _WESTERNMOST) -> str:
    """Return an instant as the account's clock shows it, or, if its zone is not known, so far off that none is lost."""
    try:
        shown = moment.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        shown = moment.astimezone(UTC) + otherwise
    return f"{shown:%Y-%m-%d %H:%M}"


def _moment(text: str) -> datetime | None:
    try:
        return parse_time(text)
    except Quarantined:
        return None


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

    def search(self, query: str) -> Iterator[_Found]:
        """Page by offset, as Data Center does. Each page begins with the last issue of the one before.

        Where it is missing, issues before it were deleted, and as many behind it slipped past: `Retryable`.
        """
        seen, last, overlap = 0, "", 0
        while True:
            page = self.get(
                "/rest/api/2/search",
                _Page,
                jql=query,
                fields=FIELDS,
                expand="changelog",
                startAt=seen - overlap,
                maxResults=PAGE_SIZE,
            )
            issues = self._behind(last, page.issues) if overlap else page.issues
            seen += len(issues)
            done = not issues or seen >= page.total
            yield _Found(issues=issues, total=page.total, last=done)
            if done:
                return
            # A page of one could hold nothing new.
            overlap = 1 if len(page.issues) > 1 else 0
            last = self.decode(bytes(issues[-1]), _Head).key

    def _behind(self, last: str, issues: list[msgspec.Raw]) -> list[msgspec.Raw]:
        keys = [self.decode(bytes(issue), _Head).key for issue in issues]
        if last not in keys:
            raise Retryable(f"jira: {last} is not where it was; issues were deleted while their pages were read")
        return issues[keys.index(last) + 1 :]

    def cloud_search(self, query: str) -> Iterator[_Found]:
        """Page by token, as Cloud does."""
        token: str | None = None
        while True:
            params = {"jql": query, "fields": FIELDS, "expand": "changelog", "maxResults": PAGE_SIZE}
            page = self.get("/rest/api/3/search/jql", _Page, **params, **({"nextPageToken": token} if token else {}))
            yield _Found(issues=page.issues, total=None, last=page.nextPageToken is None)
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
        except httpx.RequestError as error:
            raise Retryable(f"jira: {self._client.base_url} cannot be reached: {error}") from error
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Retryable(f"jira: {path} answered {status}", after=self._wait(response.headers.get("retry-after")))
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise ConfigError(
                f"jira: {path} answered {status}; check connectors.jira.token: has it expired, and "
                f"may its account browse what is asked for?"
            )
        if response.is_success or (gone_is_fine and status == httpx.codes.NOT_FOUND):
            return response
        raise ConfigError(
            f"jira: {path} answered {status}: {response.text[:200]!r}; check connectors.jira.url (the address) "
            f"and the jql"
        )

    def _wait(self, told: str | None) -> float | None:
        """Return the seconds that `Retry-After` asks for: a number, or a date."""
        if told is None:
            return None
        if told.strip().isdecimal():
            return float(told)
        try:
            return max(0.0, (parsedate_to_datetime(told) - self._now).total_seconds())
        except (ValueError, TypeError):
            return None
