"""Reads incidents from the REST API, each with the part of its log that tells when it ended and began again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

import httpx
import msgspec

from pipeline.events.asking import Api, Item, Listed, iso, moment, oldest_first, staged
from pipeline.events.delivery import Delivery
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

API = "https://api.pagerduty.com"
PER_PAGE = 100
#: PagerDuty answers no request whose offset and limit exceed it.
DEEPEST = 10_000
#: PagerDuty searches half a year at a time.
WINDOW = timedelta(days=180)
#: How much of the log is read at a time; halved where more than `DEEPEST` entries are in it.
LOG_WINDOW = timedelta(days=7)
SHORTEST = timedelta(minutes=1)
#: Incidents are asked for up to so much after now, since PagerDuty's clock may be ahead of ours.
MARGIN = timedelta(days=1)
_GONE = frozenset({httpx.codes.NOT_FOUND})
_INCLUDED = [("include[]", "first_trigger_log_entries"), ("include[]", "body"), ("time_zone", "UTC")]
#: Entries that are kept; the others (who was called on which number) tell nothing that counts here.
_TELLING = frozenset({"trigger_log_entry", "resolve_log_entry", "reopen_log_entry"})

Params = list[tuple[str, str]]


class _Incidents(msgspec.Struct):
    incidents: list[Item]
    more: bool = False


class _Incident(msgspec.Struct):
    incident: Item


class _Log(msgspec.Struct):
    log_entries: list[Item]
    more: bool = False


class PagerDutyPoller:
    """Reads the incidents of an account, or of some services."""

    name = "pagerduty"
    scope = "ids of services, separated by commas; empty: all of the account"
    default_scope: str | None = ""
    needs: Sequence[str] = ("token",)

    def client(self, access: Access) -> httpx.Client:
        headers = {
            "accept": "application/vnd.pagerduty+json;version=2",
            "authorization": f"Token token={access.token or ''}",
            "user-agent": "leadline",
        }
        return httpx.Client(base_url=base_url(self.name, access.url or API), headers=headers, timeout=60)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`: incidents by when they were created, then older ones of which the log tells since then.

        Incidents are never deleted, and new ones are last in a list that begins with the oldest. The log begins with
        the newest entry: one that is added can only repeat others, never hide them.
        """
        reading = _Reading(client, query)
        stages = {"created": reading.created}
        if query.since is not None:
            stages["changed"] = reading.changed
        yield from staged(stages, checkpoint)
        yield Page()


POLLER: Poller = PagerDutyPoller()


class _Reading:
    def __init__(self, client: httpx.Client, query: Query) -> None:
        check = (
            "connectors.pagerduty.token: is it a key of the REST API, is it still there, and is it one of the "
            "account? The scope holds ids of services"
        )
        self._api = Api("pagerduty", client, query.now, check)
        self._query = query
        self._services = [part.strip() for part in query.scope.split(",") if part.strip()]
        self._told = set[str]()
        #: Where in a list the last page began, and how many items it had: PagerDuty may give fewer than are asked for.
        self._offset, self._size = 0, 0

    def created(self, cursor: str) -> Iterator[Page]:
        """Yield incidents in the order in which they were created; the cursor is when the last one was."""
        start = moment(cursor) or self._query.since or self._oldest()
        end = self._query.until or self._query.now + MARGIN
        while start is not None and start < end:
            stop = min(start + WINDOW, end)

            def ask(since: str, page: int, stop: datetime = stop) -> Listed[Item]:
                return self._list(since, iso(stop), page)

            for incident, at in oldest_first(ask, _created_at, "id", iso(start)):
                self._told.add(str(incident["id"]))
                yield Page(deliveries=[self._delivery(incident)], cursor=at)
            start = stop

    def _oldest(self) -> datetime | None:
        params = [("date_range", "all"), ("sort_by", "created_at:asc"), ("limit", "1"), *self._of_services()]
        answer = self._api.get(f"/incidents?{urlencode(params)}")
        found = self._api.complete(answer, self._api.read(answer, _Incidents).incidents, "created_at")
        return moment(found[0]["created_at"]) if found else None

    def _list(self, since: str, until: str, page: int) -> Listed[Item]:
        self._offset = 0 if page == 1 else self._offset + self._size
        params = [("since", since), ("until", until), ("sort_by", "created_at:asc"), *_paging(self._offset)]
        answer = self._api.get(f"/incidents?{urlencode([*params, *self._of_services(), *_INCLUDED])}")
        told = self._api.read(answer, _Incidents)
        self._size = len(told.incidents)
        return Listed(self._api.complete(answer, told.incidents, "id", "created_at"), told.more)

    def changed(self, cursor: str) -> Iterator[Page]:
        """Yield older incidents of which the log tells; the cursor is up to when it was read."""
        start = moment(cursor) or self._query.since
        end, span = self._query.until or self._query.now + MARGIN, LOG_WINDOW
        while start is not None and start < end:
            stop = min(start + span, end)
            touched, all_of_them = self._touched(start, stop)
            if not all_of_them and span > SHORTEST:
                span /= 2
                continue
            for identity in sorted(touched - self._told):
                self._told.add(identity)
                yield Page(deliveries=self._one(identity), cursor=iso(start))
            yield Page(cursor=iso(stop))
            start = stop

    def _touched(self, start: datetime, stop: datetime) -> tuple[set[str], bool]:
        """Return the incidents that the log tells of between two instants, and if these are all that it tells of."""
        window = [("since", iso(start)), ("until", iso(stop + timedelta(seconds=1)))]
        found, complete = set[str](), False
        for entries, more in self._log(f"/log_entries?{urlencode(window)}", "incident"):
            found |= {str(entry["incident"].get("id")) for entry in entries if isinstance(entry["incident"], dict)}
            complete = not more
        return found, complete

    def _log(self, path: str, *needed: str) -> Iterator[tuple[list[Item], bool]]:
        """Yield the pages of a log, each with whether there is another one, as far down as PagerDuty answers."""
        offset, more = 0, True
        while more and offset + PER_PAGE <= DEEPEST:
            answer = self._api.get(f"{path}{'&' if '?' in path else '?'}{urlencode(_paging(offset))}")
            log = self._api.read(answer, _Log)
            more, offset = log.more and bool(log.log_entries), offset + len(log.log_entries)
            yield self._api.complete(answer, log.log_entries, *needed), more

    def _one(self, identity: str) -> list[Delivery]:
        answer = self._api.get(f"/incidents/{identity}?{urlencode(_INCLUDED)}", absent=_GONE)
        if not answer.is_success:
            return []
        (incident,) = self._api.complete(answer, [self._api.read(answer, _Incident).incident], "id", "created_at")
        service = incident.get("service")
        wanted = not self._services or (isinstance(service, dict) and service.get("id") in self._services)
        return [self._delivery(incident)] if wanted else []

    def _delivery(self, incident: Item) -> Delivery:
        """Return an incident with its log, which lists the newest entry first."""
        entries: dict[str, Item] = {}
        for page, _ in self._log(f"/incidents/{incident['id']}/log_entries", "id", "type"):
            entries.update((str(entry["id"]), entry) for entry in page if entry["type"] in _TELLING)
        return self._api.delivery("rest.incident", {"incident": {**incident, "log_entries": list(entries.values())}})

    def _of_services(self) -> Params:
        return [("service_ids[]", service) for service in self._services]


def _created_at(incident: Item) -> str:
    at = moment(incident["created_at"])
    return str(incident["created_at"]) if at is None else iso(at)


def _paging(offset: int) -> Params:
    return [("limit", str(PER_PAGE)), ("offset", str(offset))]
