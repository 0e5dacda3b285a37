"""Reads the incidents of Incident Management from the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import httpx
import msgspec

from connectors.datadog.translate import OVER
from pipeline.events.asking import Api, Item, moment, staged
from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

API = "https://api.datadoghq.com"
PER_PAGE = 100
#: A search must ask for something; these are all states.
ANY = "state:(active OR stable OR resolved OR completed)"
#: How far back a poll looks at incidents that were over.
LOOKBACK = timedelta(days=30)
_GONE = frozenset({httpx.codes.NOT_FOUND})
#: What is not kept of an incident: it is of persons.
_LEFT_OUT = frozenset({"notification_handles", "non_datadog_creator", "creation_idempotency_key"})


class _Incidents(msgspec.Struct):
    data: list[Item]


class _Hit(msgspec.Struct):
    data: Item


class _Hits(msgspec.Struct):
    incidents: list[_Hit]


class _Search(msgspec.Struct):
    attributes: _Hits


class _Searched(msgspec.Struct):
    data: _Search


class _One(msgspec.Struct):
    data: Item


class _Attributes(msgspec.Struct):
    created: str
    modified: str | None = None
    state: str | None = None


class DatadogPoller:
    """Reads all incidents of the organization that the keys are of."""

    name = "datadog"
    scope = "nothing: all incidents of the organization are read"
    default_scope: str | None = ""
    needs: Sequence[str] = ("token",)

    def client(self, access: Access) -> httpx.Client:
        """Return a client. The token is `API_KEY:APPLICATION_KEY`."""
        api_key, colon, application_key = (access.token or "").partition(":")
        if not colon:
            raise ConfigError("connectors.datadog.token: write API_KEY:APPLICATION_KEY, which Datadog wants both")
        headers = {
            "accept": "application/json",
            "dd-api-key": api_key,
            "dd-application-key": application_key,
            "user-agent": "leadline",
        }
        return httpx.Client(base_url=base_url(self.name, access.url or API), headers=headers, timeout=60)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`: a backfill reads all incidents, a poll the new ones and those that were open.

        Datadog lists by number, in an order that it does not document. So each page begins with the last incident of
        the one before: if that is not there, incidents were deleted or moved, and the list is read from its beginning.
        A search begins with the newest incident, so that one that is added can only repeat others. The memory holds
        incidents that were open, so that their end is not missed however late it is.
        """
        reading = _Reading(client, query, checkpoint.memory)
        if query.since is None:
            yield from reading.everything(checkpoint.cursor)
        else:
            yield from staged({"new": reading.newest, "open": reading.open_before}, checkpoint)
        yield Page()


POLLER: Poller = DatadogPoller()


class _Reading:
    def __init__(self, client: httpx.Client, query: Query, memory: Mapping[str, str]) -> None:
        check = (
            "connectors.datadog.token: are both keys valid, is the application key allowed to read incidents "
            "(incident_read), and connectors.datadog.url: is it the API of your site (https://api.datadoghq.eu ...)"
        )
        self._api = Api("datadog", client, query.now, check)
        self._query, self._memory = query, memory
        self._oldest = None if query.since is None else query.since - LOOKBACK

    def everything(self, cursor: str) -> Iterator[Page]:
        """Yield the list; the cursor is how many incidents were listed, and the last of them."""
        told, _, last = cursor.partition(" ")
        seen, restarted = int(told) if told.isdigit() else 0, False
        while True:
            offset = max(0, seen - 1)
            listed = self._list(offset)
            fresh = _behind(last, listed) if last else listed
            if fresh is None:
                if restarted:
                    raise Retryable(f"datadog: incident {last} is not where it was; the list will be read again")
                seen, last, restarted = 0, "", True
                continue
            if len(listed) <= (1 if last else 0):
                return
            seen, last = offset + len(listed), str(listed[-1]["id"])
            yield self._told(fresh, f"{seen} {last}")

    def _list(self, offset: int) -> list[Item]:
        answer = self._api.get("/api/v2/incidents", {"page[size]": PER_PAGE, "page[offset]": offset})
        return self._api.complete(answer, self._api.read(answer, _Incidents).data, "id", "attributes")

    def newest(self, cursor: str) -> Iterator[Page]:
        """Yield what a search finds, down to what is too old; the cursor is how many it found."""
        seen = int(cursor) if cursor.isdigit() else 0
        while True:
            params: dict[str, str | int] = {"query": ANY, "sort": "-created", "page[size]": PER_PAGE}
            answer = self._api.get("/api/v2/incidents/search", {**params, "page[offset]": seen})
            hits = [hit.data for hit in self._api.read(answer, _Searched).data.attributes.incidents]
            if not hits:
                return
            found = self._api.complete(answer, hits, "id", "attributes")
            seen += len(found)
            yield self._told(found, str(seen))
            last = moment(self._head(found[-1]).created)
            if self._oldest is not None and last is not None and last < self._oldest:
                return

    def open_before(self, cursor: str) -> Iterator[Page]:
        """Yield incidents that were open when they were read, and are older than was searched; the cursor is one."""
        for identity, created in sorted(self._memory.items()):
            at = moment(created)
            if at is None or self._oldest is None or at >= self._oldest or identity <= cursor:
                continue
            answer = self._api.get(f"/api/v2/incidents/{identity}", absent=_GONE)
            if answer.is_success:
                found = [self._api.read(answer, _One).data]
                yield self._told(self._api.complete(answer, found, "id", "attributes"), identity)
            else:
                yield Page(cursor=identity, memory={identity: ""})

    def _told(self, incidents: Sequence[Item], cursor: str) -> Page:
        memory: dict[str, str] = {}
        for incident in incidents:
            identity, head = str(incident["id"]), self._head(incident)
            known = "" if (head.state or "").casefold() in OVER else head.created
            if self._memory.get(identity, "") != known:
                memory[identity] = known
        wanted = {str(each["id"]): each for each in incidents if self._is_wanted(each)}
        return Page(deliveries=[self._delivery(each) for each in wanted.values()], cursor=cursor, memory=memory)

    def _is_wanted(self, incident: Item) -> bool:
        head = self._head(incident)
        created, modified = moment(head.created), moment(head.modified)
        since, until = self._query.since, self._query.until
        too_old = since is not None and modified is not None and modified < since
        return not too_old and (until is None or created is None or created < until)

    def _head(self, incident: Item) -> _Attributes:
        try:
            return msgspec.convert(incident["attributes"], _Attributes)
        except msgspec.ValidationError as error:
            raise Retryable(f"datadog: incident {incident['id']} is not as this API tells them: {error}") from error

    def _delivery(self, incident: Item) -> Delivery:
        attributes = {name: value for name, value in incident["attributes"].items() if name not in _LEFT_OUT}
        told = {"id": incident["id"], "type": "incidents", "attributes": attributes}
        return self._api.delivery("incident", {"data": told})


def _behind(last: str, listed: list[Item]) -> list[Item] | None:
    """Return the incidents behind the last one that was told; None if it is not among them."""
    known = [index for index, incident in enumerate(listed) if str(incident["id"]) == last]
    return listed[known[-1] + 1 :] if known else None
