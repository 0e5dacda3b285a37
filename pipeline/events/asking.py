"""Asking an API, as pollers do: requests whose failures say what to do, and lists that change while they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import httpx
import msgspec

from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError, Quarantined, Retryable
from pipeline.events.limits import rest_wanted
from pipeline.events.polling import Checkpoint, Page
from pipeline.events.reading import parse_time

#: Seconds to wait where a source limits the rate and does not say for how long.
UNTOLD_WAIT = 60.0

_T = TypeVar("_T")
#: An item of a list, decoded no further than its own poller needs.
Item = dict[str, Any]
Params = Mapping[str, str | int | list[str]]


class Api:
    """The requests to one source, for one query.

    `name` is the connector's and `now` the query's. `check` tells a person what else to look at when the source
    refuses: it names the settings. Every method raises `Retryable`, with the wait that the source asks for, or
    `ConfigError`, and nothing else.
    """

    def __init__(self, name: str, client: httpx.Client, now: datetime, check: str) -> None:
        self.name, self._client, self._now, self._check = name, client, now, check
        #: The rest that the source wants before it is asked again, in seconds.
        self._rest: float | None = None

    def get(
        self,
        path: str,
        params: Params | None = None,
        *,
        etag: str | None = None,
        absent: Collection[int] = (),
    ) -> httpx.Response:
        """Return the answer. `etag`: 304 is one too. `absent`: statuses that mean that there is nothing there."""
        headers = {"if-none-match": etag} if etag else {}
        request = self._client.build_request("GET", path, params=params or None, headers=headers)
        return self._send(request, {*absent, httpx.codes.NOT_MODIFIED} if etag else absent)

    def post(
        self, path: str, body: object, params: Params | None = None, *, fine: Collection[int] = ()
    ) -> httpx.Response:
        """Return the answer to a question that is put as JSON. `fine`: other statuses that come with an answer."""
        return self._send(self._client.build_request("POST", path, params=params or None, json=body), fine)

    def rest(self, seconds: float) -> None:
        """Let the next request fail, since the source wants to be left alone for so long."""
        self._rest = seconds

    def read(self, answer: httpx.Response, shape: type[_T]) -> _T:
        """Decode an answer; what a proxy or a broken server says instead is `Retryable`."""
        try:
            return msgspec.json.decode(answer.content, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Retryable(f"{self.name}: {_shown(answer.request)} did not answer as its API does: {error}") from error

    def items(self, answer: httpx.Response, *needed: str) -> list[Item]:
        """Decode a list of objects, which all have the fields `needed`."""
        return self.complete(answer, self.read(answer, list[Item]), *needed)

    def entry(self, answer: httpx.Response, *needed: str) -> Item:
        """Decode an object, which has the fields `needed`."""
        return self.complete(answer, [self.read(answer, Item)], *needed)[0]

    def complete(self, answer: httpx.Response, items: list[Item], *needed: str) -> list[Item]:
        """Return items that all have the fields `needed`."""
        if all(name in item for item in items for name in needed):
            return items
        raise Retryable(f"{self.name}: {_shown(answer.request)} has items without {' or '.join(needed)}")

    def delivery(self, kind: str, told: object, headers: Mapping[str, str] | None = None) -> Delivery:
        """Return what was told (an object, or bytes as received) as a delivery, whose id is a hash of all of it."""
        body = told if isinstance(told, bytes) else msgspec.json.encode(told)
        said = dict(headers or {})
        digest = hashlib.blake2b(msgspec.json.encode([kind, sorted(said.items())]) + body, digest_size=16).hexdigest()
        return Delivery(connector=self.name, id=digest, kind=kind, received_at=self._now, body=body, headers=said)

    def deliveries(
        self, kind: str, items: Iterable[object], headers: Mapping[str, str] | None = None
    ) -> list[Delivery]:
        """Return a delivery for each item of a list.

        A page as a whole would be another one as soon as an item leaves the time that is asked for.
        """
        return [self.delivery(kind, item, headers) for item in items]

    def unlike(self, items: list[Item], before: list[Item]) -> list[Item]:
        """Return a page; one that is like the page before it is `Retryable`, since it would go on without an end."""
        if items and items == before:
            raise Retryable(f"{self.name}: a list repeats a page")
        return items

    def follow(self, answer: httpx.Response, link: str) -> httpx.Response:
        """Return what is behind a link in an answer; never at another host, where the token must not be shown."""
        url = answer.url.join(link)
        if (url.scheme, url.host, url.port) != (answer.url.scheme, answer.url.host, answer.url.port):
            raise ConfigError(f"{self.name}: {_shown(answer.request)} links to {url.host}; check {self._check}")
        return self._send(self._client.build_request("GET", url), ())

    def _send(self, request: httpx.Request, fine: Collection[int]) -> httpx.Response:
        if self._rest is not None:
            raise Retryable(f"{self.name}: the rate limit is used up; {self._rest:.0f} s to wait", after=self._rest)
        try:
            answer = self._client.send(request)
        except httpx.HTTPError as error:
            raise Retryable(f"{self.name}: {_shown(request)}: {type(error).__name__} {error}") from error
        wait = rest_wanted(answer.headers, self._now)
        if answer.is_success and answer.status_code != httpx.codes.NON_AUTHORITATIVE_INFORMATION:
            self._rest = wait
            return answer
        if answer.status_code in fine and wait is None:
            return answer
        raise self._refused(answer, wait)

    def _refused(self, answer: httpx.Response, wait: float | None) -> Exception:
        status = answer.status_code
        told = f"{self.name}: {_shown(answer.request)} answered {status} {answer.reason_phrase}"
        if status == httpx.codes.TOO_MANY_REQUESTS:
            wait = UNTOLD_WAIT if wait is None else wait
            return Retryable(f"{told}: the rate limit is used up; {wait:.0f} s to wait", after=wait)
        # A refusal that comes with a wait is a limit under another name (403 of some hosts, 400 of GraphQL).
        if answer.is_server_error or wait is not None:
            return Retryable(told, after=wait)
        if status == httpx.codes.REQUEST_TIMEOUT:
            return Retryable(told)
        return ConfigError(f"{told}; check {self._check}")


def _shown(request: httpx.Request) -> str:
    """What was asked, without the query: it may hold what is nobody's business."""
    return f"{request.method} {request.url.copy_with(query=None, userinfo=b'')}"


def moment(told: object) -> datetime | None:
    """Return the instant that a field tells; None where it tells none."""
    try:
        return parse_time(told, zoneless_utc=True)
    except Quarantined:
        return None


def iso(at: datetime) -> str:
    """Return an instant as APIs read it, moved down to a whole second."""
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def read_back_to(etag: str, since: datetime | None) -> str:
    """Return what to remember of a list that was read back to an instant (None: to its beginning)."""
    return f"{etag} {'' if since is None else iso(since)}"


def etag_of(remembered: str, since: datetime | None) -> str | None:
    """Return the ETag of a list that was read at least as far back as `since`; None: it has to be read."""
    etag, _, reached = remembered.rpartition(" ")
    return (etag or None) if not reached or (since is not None and reached <= iso(since)) else None


class Listed(msgspec.Struct, Generic[_T], frozen=True):
    """A page of a list, and if there is another one behind it."""

    items: Sequence[_T]
    more: bool


def oldest_first(
    ask: Callable[[str, int], Listed[Item]], at: Callable[[Item], str], key: str, cursor: str
) -> Iterator[tuple[Item, str]]:
    """Yield the items of a list that is sorted by a time and can be asked from an instant on, each with its cursor.

    `ask(start, page)` returns a page, from 1 on, of what has the time `start` or a later one; "": of everything. `at`
    reads that time, `key` names the identifying field. Items that are updated while pages are read move to the end,
    where they are told again; none can slip past, since each page begins at the time of the last item seen.
    """
    start, page, news = cursor, 1, False
    seen: set[tuple[str, str]] = set()
    before: Sequence[Item] = ()
    while True:
        listed = ask(start, page)
        if page > 1 and listed.items and listed.items == before:
            raise Retryable("a list repeats a page")
        before = listed.items
        found = [(item, at(item)) for item in listed.items]
        for item, when in found:
            if (str(item[key]), when) not in seen:
                seen.add((str(item[key]), when))
                news = True
                yield item, when or start
        last = found[-1][1] if found else ""
        if listed.more and last in {start, ""}:
            # More of them have one time, or none, than a page holds.
            page += 1
        elif page > 1 and news:
            # Counted pages may have shifted meanwhile: they are read until nothing new is on them.
            page, news = 1, False
        elif not listed.more or not found:
            return
        else:
            start, page, news = last, 1, False
            seen = {(str(item[key]), when) for item, when in found}


def newest_first(
    ask: Callable[[int], Listed[Item]], at: Callable[[Item], datetime | None], cursor: str, floor: datetime | None
) -> Iterator[tuple[Item, str]]:
    """Yield the items of a list that begins with what was made last, each with its cursor, down to the time `floor`.

    `ask(page)` returns a page, from 1 on. What is added while pages are read shifts the others to later pages, so that
    some are told twice and none slips past. On the way to a cursor, what was told is passed over.
    """
    reached, page = moment(cursor), 1
    before: Sequence[Item] = ()
    while True:
        listed = ask(page)
        if listed.items and listed.items == before:
            raise Retryable("a list repeats a page")
        before = listed.items
        for item in listed.items:
            when = at(item)
            if floor is not None and when is not None and when < floor:
                return
            if reached is None or when is None or when <= reached:
                yield item, cursor if when is None else when.isoformat()
        if not listed.more or not listed.items:
            return
        page += 1


def by_token(
    ask: Callable[[str], tuple[Sequence[Item], str | None] | None], key: str, cursor: str
) -> Iterator[tuple[Item, str]]:
    """Yield the items of a list whose pages have tokens of the source's own, each with its cursor.

    `ask(token)` returns a page ("": the first) and the token of the next one, or None where the source does not know
    the token any more: then the list begins again. `key` names the identifying field. The cursor is the token of a page
    and the last item of it that was told. Raises `Retryable` when the source leads in a circle.
    """
    token, _, told = cursor.partition(" ")
    answered = ask(token)
    if answered is None:
        token, told = "", ""
        answered = ask(token)
    while answered is not None:
        items, following = answered
        known = [index for index, item in enumerate(items) if str(item[key]) == told]
        for item in items[known[-1] + 1 if known else 0 :]:
            yield item, f"{token} {item[key]}"
        if not following:
            return
        if following == token:
            break
        token, told = following, ""
        answered = ask(token)
    raise Retryable("the source does not lead to the next page of a list; it will be read again")


#: One of the lists of a source: given its own cursor ("" at first) it yields pages with further ones.
Stage = Callable[[str], Iterator[Page]]


def staged(stages: Mapping[str, Stage], checkpoint: Checkpoint) -> Iterator[Page]:
    """Read lists one after another; the cursor is the name of the list and its own cursor.

    What a page expects is of its own list; what the lists before it told is added.
    """
    names = list(stages)
    current, _, inner = checkpoint.cursor.partition(" ")
    first = names.index(current) if current in stages else 0
    told, expected = 0, None
    for name in names[first:]:
        before = told
        for page in stages[name](inner if name == current else ""):
            told += len(page.deliveries)
            if page.expected is not None:
                expected = before + page.expected
            # A list that does not tell its length must not stop the count of what is there.
            expected = None if expected is None else max(expected, told)
            yield msgspec.structs.replace(page, cursor=f"{name} {page.cursor}", expected=expected)
    yield Page(expected=expected)
