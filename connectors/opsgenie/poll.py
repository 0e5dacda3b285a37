"""Reads alerts or incidents from the REST API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
import msgspec

from pipeline.events.asking import Api, Item, Listed, Stage, moment, newest_first, oldest_first, staged
from pipeline.events.errors import ConfigError
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

API = "https://api.opsgenie.com"
PER_PAGE = 100
#: Opsgenie answers no request whose offset and limit exceed it.
DEEPEST = 20_000
#: Incidents cannot be listed by when they were updated: those created so long before are read again.
LOOKBACK = timedelta(days=90)
LISTS: Mapping[str, str] = {"alerts": "/v2/alerts", "incidents": "/v1/incidents"}
_GONE = frozenset({httpx.codes.NOT_FOUND})
_NEVER_BEFORE = "1970-01-01T00:00:00+00:00"


class _Links(msgspec.Struct):
    next: str | None = None


class _Page(msgspec.Struct):
    data: list[Item]
    paging: _Links = msgspec.field(default_factory=_Links)


class _One(msgspec.Struct):
    data: dict[str, Any]


class OpsgeniePoller:
    """Reads alerts, or incidents (which not every plan has)."""

    name = "opsgenie"
    scope = "alerts or incidents, and behind a colon a search query of Opsgenie's"
    default_scope: str | None = "alerts"
    needs: Sequence[str] = ("token",)

    def client(self, access: Access) -> httpx.Client:
        headers = {
            "accept": "application/json",
            "authorization": f"GenieKey {access.token or ''}",
            "user-agent": "leadline",
        }
        return httpx.Client(base_url=base_url(self.name, access.url or API), headers=headers, timeout=30)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`: what was created, the oldest first, then older alerts that were updated, the last first.

        The first list does not move, for nothing changes when something was created; what is deleted behind the cursor
        shifts nothing, as each page begins at an instant. In the second, an update takes an alert to the front, where
        the next poll finds it.
        """
        name, _, search = (part.strip() for part in query.scope.partition(":"))
        if name not in LISTS:
            raise ConfigError(f"opsgenie: {query.scope!r} is no list of Opsgenie; write {' or '.join(LISTS)}")
        reading = _Reading(client, query, name, search)
        stages: dict[str, Stage] = {"created": reading.created}
        if query.since is not None and name == "alerts":
            stages["updated"] = partial(reading.updated, query.since)
        yield from staged(stages, checkpoint)
        yield Page()


POLLER: Poller = OpsgeniePoller()


class _Reading:
    def __init__(self, client: httpx.Client, query: Query, name: str, search: str) -> None:
        check = (
            "connectors.opsgenie.token: is it the key of an API integration that may read, and is the account where "
            "connectors.opsgenie.url says (https://api.eu.opsgenie.com in the EU)? The scope may hold a search query"
        )
        self._api = Api("opsgenie", client, query.now, check)
        self._query, self._name, self._search = query, name, search
        self._since = query.since if query.since is None or name == "alerts" else query.since - LOOKBACK
        #: Where in a list the last page began, and how many items it had.
        self._offset, self._size = 0, 0

    def created(self, cursor: str) -> Iterator[Page]:
        """Yield what was created since; the cursor is when the last one was."""
        start = cursor or ("" if self._since is None else self._since.isoformat())

        def ask(since: str, page: int) -> Listed[Item]:
            terms = [f"createdAt >= {_ms(since or _NEVER_BEFORE)}"]
            if self._query.until is not None:
                terms.append(f"createdAt < {_ms(self._query.until.isoformat())}")
            return self._list(terms, "createdAt", "asc", page)

        for item, at in oldest_first(ask, _created_at, "id", start):
            yield self._told(item, at)

    def updated(self, since: datetime, cursor: str) -> Iterator[Page]:
        """Yield alerts that are older, and were updated; the cursor is when the last one was."""
        older = [f"createdAt < {_ms(since.isoformat())}"]

        def ask(page: int) -> Listed[Item]:
            return self._list(older, "updatedAt", "desc", page)

        for item, at in newest_first(ask, lambda alert: moment(alert.get("updatedAt")), cursor, since):
            yield self._told(item, at)

    def _list(self, terms: list[str], sort: str, order: str, page: int) -> Listed[Item]:
        self._offset = 0 if page == 1 else self._offset + self._size
        if self._offset + PER_PAGE > DEEPEST:
            raise ConfigError(
                f"opsgenie: more than {DEEPEST:,} alerts from before {self._query.since} were updated since, which is "
                f"more than Opsgenie lists; name an earlier `since`, so that they are read by when they were created"
            )
        search = " AND ".join([*terms, *([f"({self._search})"] if self._search else [])])
        params: dict[str, str | int] = {
            "query": search,
            "sort": sort,
            "order": order,
            "offset": self._offset,
            "limit": PER_PAGE,
        }
        answer = self._api.get(LISTS[self._name], params)
        found = self._api.read(answer, _Page)
        self._size = len(found.data)
        return Listed(self._api.complete(answer, found.data, "id", "createdAt"), found.paging.next is not None)

    def _told(self, item: Item, cursor: str) -> Page:
        """Return an alert with its details, which no list has; nothing if it was deleted meanwhile."""
        if self._name == "incidents":
            return Page(deliveries=[self._api.delivery("rest", {"data": item})], cursor=cursor)
        answer = self._api.get(f"{LISTS[self._name]}/{item['id']}", {"identifierType": "id"}, absent=_GONE)
        if not answer.is_success:
            return Page(cursor=cursor)
        (alert,) = self._api.complete(answer, [self._api.read(answer, _One).data], "id", "createdAt")
        return Page(deliveries=[self._api.delivery("rest", {"data": alert})], cursor=cursor)


def _created_at(item: Item) -> str:
    at = moment(item["createdAt"])
    return str(item["createdAt"]) if at is None else at.isoformat()


def _ms(instant: str) -> int:
    at = moment(instant)
    return 0 if at is None else int(at.timestamp() * 1000)
