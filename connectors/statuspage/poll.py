"""Reads the incidents of a page from the manage API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count

import httpx

from connectors.statuspage.translate import OPEN
from pipeline.events.asking import UNTOLD_WAIT, Api, Item, etag_of, moment, read_back_to
from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.limits import rest_wanted
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

API = "https://api.statuspage.io/v1"
PER_PAGE = 100
#: Incidents are listed by when they were created: those created so long before are looked at again.
LOOKBACK = timedelta(days=90)
#: Statuspage's own status for a caller that comes too often; it allows one request a second.
_CALM = 420
_GONE = frozenset({httpx.codes.NOT_FOUND})
_ETAG = "etag "


class StatuspagePoller:
    """Reads all incidents of a page, the newest first."""

    name = "statuspage"
    scope = "id of a page"
    default_scope: str | None = None
    needs: Sequence[str] = ("token",)

    def client(self, access: Access) -> httpx.Client:
        headers = {
            "accept": "application/json",
            "authorization": f"OAuth {access.token or ''}",
            "user-agent": "leadline",
        }
        return httpx.Client(base_url=base_url(self.name, access.url or API), headers=headers, timeout=30)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. The cursor is the last page, which is asked for again, and when its last item was made.

        A new incident shifts the others to later pages, where they are told again. One that is deleted lets another
        slip to the page before; the next poll, or the next backfill, finds it. The memory holds the ETags of the pages,
        and incidents that were open, so that their end is not missed however late it is.
        """
        if not query.scope.strip().isalnum():
            raise ConfigError(f"statuspage: {query.scope!r} is no page; write its id, as in kctbh9vrtdwd")
        reading = _Reading(client, query, checkpoint.memory)
        number, _, created_at = checkpoint.cursor.partition(" ")
        yield from reading.newest_first(int(number) if number.isdigit() else 1, moment(created_at))
        yield from reading.open_before()
        yield Page(memory=reading.etags)


POLLER: Poller = StatuspagePoller()


class _Reading:
    def __init__(self, client: httpx.Client, query: Query, memory: Mapping[str, str]) -> None:
        check = (
            f"that {query.scope} is the id of a page, and connectors.statuspage.token: is it an API key of a person "
            f"who manages the page"
        )
        self._api = Api("statuspage", client, query.now, check)
        self._query, self._memory = query, memory
        self._oldest = None if query.since is None else query.since - LOOKBACK
        self._path = f"/pages/{query.scope.strip()}/incidents"
        #: Of the pages that were read to their end; they serve a poll, which begins where the one before did.
        self.etags: dict[str, str] = {}

    def newest_first(self, first: int, reached: datetime | None) -> Iterator[Page]:
        """Yield page after page; one that is as it was last time is passed over."""
        for number in count(first):
            answer = self._get(number)
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                continue
            incidents = self._api.items(answer, "id", "created_at", "status")
            if not incidents:
                return
            wanted = [each for each in incidents if self._is_wanted(each, reached)]
            yield self._told(wanted, f"{number} {incidents[-1]['created_at']}")
            self._note(number, answer)
            last = moment(incidents[-1]["created_at"])
            if self._oldest is not None and last is not None and last < self._oldest:
                return

    def _get(self, number: int) -> httpx.Response:
        known = self._memory.get(f"{_ETAG}{number}", "")
        etag = etag_of(known, self._oldest) if self._query.since and not self._query.until else None
        params: dict[str, str | int] = {"limit": PER_PAGE, "page": number}
        answer = self._api.get(self._path, params, etag=etag, absent={_CALM})
        if answer.status_code == _CALM:
            wait = rest_wanted(answer.headers, self._query.now) or UNTOLD_WAIT
            raise Retryable(f"statuspage: it is asked too often; {wait:.0f} s to wait", after=wait)
        return answer

    def _note(self, number: int, answer: httpx.Response) -> None:
        if "etag" in answer.headers and self._query.until is None:
            self.etags[f"{_ETAG}{number}"] = read_back_to(answer.headers["etag"], self._oldest)

    def _is_wanted(self, incident: Item, reached: datetime | None) -> bool:
        at = moment(incident["created_at"])
        if at is None:
            return True
        too_old = self._oldest is not None and at < self._oldest
        too_new = self._query.until is not None and at >= self._query.until
        return not (too_old or too_new or (reached is not None and at > reached))

    def open_before(self) -> Iterator[Page]:
        """Yield incidents that were open when they were read, and are older than the list was read for."""
        for identity, created in self._memory.items():
            at = moment(created)
            if identity.startswith(_ETAG) or at is None or self._oldest is None or at >= self._oldest:
                continue
            answer = self._api.get(f"{self._path}/{identity}", absent=_GONE)
            if answer.is_success:
                yield self._told(self._api.complete(answer, [self._api.read(answer, Item)], "id", "status"), "")
            else:
                yield Page(memory={identity: ""})

    def _told(self, incidents: Sequence[Item], cursor: str) -> Page:
        memory: dict[str, str] = {}
        for incident in incidents:
            identity = str(incident["id"])
            known = str(incident.get("created_at")) if incident["status"] in OPEN else ""
            if self._memory.get(identity, "") != known:
                memory[identity] = known
        deliveries = [self._api.delivery("rest.incident", incident) for incident in incidents]
        return Page(deliveries=deliveries, cursor=cursor, memory=memory)
