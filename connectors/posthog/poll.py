"""Reads the events of a project from the REST API, oldest first, and then its feature flags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import httpx
import msgspec

from connectors.posthog.flags import DEFAULT_BASE_URL, PROJECT_HEADER
from connectors.posthog.translate import FLAGS, PAGE
from pipeline.events.asking import Api, Item, moment
from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

PAGE_SIZE = 1000
FLAGS_A_PAGE = 100
#: PostHog is younger than this.
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
#: PostHog refuses to be asked for a year of events or more at a time.
SPAN = timedelta(days=180)
#: What an event is asked for and kept with; who the person is now is neither needed nor the same the next time.
_KEPT = ("id", "event", "distinct_id", "timestamp", "properties")
_ONE = timedelta(microseconds=1)
#: A key that may not read flags is answered so, and events alone are read.
_NO_FLAGS = frozenset({httpx.codes.FORBIDDEN})
_PROJECT = re.compile(r"\d+|@current")


class _List(msgspec.Struct):
    """A page of any list."""

    results: list[Item]


class _Place(msgspec.Struct, frozen=True):
    """Where to go on: at the events of an instant and later ones, without the first `skip` of them."""

    at: datetime
    skip: int = 0

    def written(self) -> str:
        return f"{self.at.isoformat()} {self.skip}"


class PostHogPoller:
    """Reads projects with a personal API key."""

    name = "posthog"
    scope = "number of a project, as in the address of its pages"
    default_scope: str | None = None
    needs: Sequence[str] = ("token",)

    def client(self, access: Access) -> httpx.Client:
        headers = {"authorization": f"Bearer {access.token}", "user-agent": "leadline"}
        url = base_url(self.name, access.url or DEFAULT_BASE_URL)
        return httpx.Client(base_url=url, headers=headers, timeout=60)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. The cursor is the instant of the last event that was told.

        Events are asked for in the order of their time, from the cursor on, so that those of that instant are told
        again: what is added behind it cannot shift the others. Events that arrive later than those around them are
        read if they are not older than the overlap of two polls.
        """
        if not _PROJECT.fullmatch(query.scope):
            raise ConfigError(f"posthog: {query.scope!r} is no project; write the number in the address of its pages")
        reading = _Reading(client, query)
        yield from reading.events(_place(checkpoint.cursor) or _Place(_start(query)))
        yield from reading.flags()


POLLER: Poller = PostHogPoller()


class _Reading:
    def __init__(self, client: httpx.Client, query: Query) -> None:
        check = (
            f"that {query.scope} is the number of a project, and connectors.posthog.token: is it a personal API key "
            f"that has not expired and may query the project, and is connectors.posthog.url of its region"
        )
        self._api = Api("posthog", client, query.now, check)
        self._end = query.now if query.until is None else min(query.until, query.now)
        self._path, self._project = f"/api/projects/{query.scope}", query.scope

    def events(self, place: _Place) -> Iterator[Page]:
        while place.at < self._end:
            bound = min(place.at + SPAN, self._end)
            found = self._ask(place, bound)
            place = _after(place, found, bound)
            if found:
                body = {"results": [{name: item.get(name) for name in _KEPT} for item in found]}
                yield Page(deliveries=[self._api.delivery(PAGE, body)], cursor=place.written())

    def _ask(self, place: _Place, bound: datetime) -> list[Item]:
        params: dict[str, str | int] = {
            "after": (place.at - _ONE).isoformat(),
            "before": bound.isoformat(),
            "orderBy": '["timestamp"]',
            "limit": PAGE_SIZE,
        }
        if place.skip:
            params["offset"] = place.skip
        answer = self._api.get(f"{self._path}/events/", params)
        found = self._api.complete(answer, self._api.read(answer, _List).results, *_KEPT)
        if any(moment(item["timestamp"]) is None for item in found):
            raise Retryable(f"posthog: {self._path}/events/ has events without a timestamp")
        return found

    def flags(self) -> Iterator[Page]:
        offset = 0
        while True:
            params = {"limit": FLAGS_A_PAGE, "offset": offset}
            answer = self._api.get(f"{self._path}/feature_flags/", params, absent=_NO_FLAGS)
            if answer.status_code in _NO_FLAGS:
                return
            found = self._api.complete(answer, self._api.read(answer, _List).results, "id", "key")
            if found:
                told = self._api.delivery(FLAGS, {"results": found}, {PROJECT_HEADER: self._project})
                yield Page(deliveries=[told], cursor=_Place(self._end).written())
            if len(found) < FLAGS_A_PAGE:
                return
            offset += len(found)


def _after(place: _Place, found: list[Item], bound: datetime) -> _Place:
    """Return where to go on behind a page."""
    if len(found) < PAGE_SIZE:
        return _Place(bound)
    last = moment(found[-1]["timestamp"]) or bound
    # A page on which all have one instant cannot be passed by an instant.
    return _Place(last) if last > place.at else _Place(place.at, place.skip + len(found))


def _start(query: Query) -> datetime:
    """Return the full hour before `since`: two polls in an hour then begin alike, and read the same pages."""
    return BEGINNING if query.since is None else query.since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _place(cursor: str) -> _Place | None:
    at, _, skip = cursor.partition(" ")
    found = moment(at)
    return None if found is None else _Place(found, int(skip) if skip.isdigit() else 0)
