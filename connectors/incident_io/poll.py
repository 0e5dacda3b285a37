"""Reads incidents with their updates from the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import httpx
import msgspec

from pipeline.events.asking import Api, Item, by_token, moment
from pipeline.events.delivery import Delivery
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

API = "https://api.incident.io"
PER_PAGE = 100
#: What is not kept of an incident: it is of persons, and of other tools.
_LEFT_OUT = frozenset(
    {"creator", "incident_role_assignments", "call_url", "slack_channel_id", "slack_channel_name", "slack_team_id"}
)


class _Paging(msgspec.Struct):
    after: str | None = None
    total_record_count: int | None = None


class _Incidents(msgspec.Struct):
    incidents: list[Item]
    pagination_meta: _Paging = msgspec.field(default_factory=_Paging)


class _Updates(msgspec.Struct):
    incident_updates: list[Item]
    pagination_meta: _Paging = msgspec.field(default_factory=_Paging)


class IncidentIoPoller:
    """Reads all incidents that the key may see."""

    name = "incident_io"
    scope = "nothing: all incidents of the organisation are read"
    default_scope: str | None = ""
    needs: Sequence[str] = ("token",)

    def client(self, access: Access) -> httpx.Client:
        headers = {
            "accept": "application/json",
            "authorization": f"Bearer {access.token or ''}",
            "user-agent": "leadline",
        }
        return httpx.Client(base_url=base_url(self.name, access.url or API), headers=headers, timeout=30)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. The cursor is incident.io's own (the last incident of a page), and the last one told.

        The list begins with the oldest incident, and nothing moves in it: when an incident was created never changes.
        """
        reading = _Reading(client, query)
        yield from reading.everything(checkpoint.cursor)
        yield Page()


POLLER: Poller = IncidentIoPoller()


class _Reading:
    def __init__(self, client: httpx.Client, query: Query) -> None:
        check = (
            "connectors.incident_io.token: is it an API key that was not revoked, and may it view incidents; and "
            "connectors.incident_io.url"
        )
        self._api = Api("incident_io", client, query.now, check)
        self._query = query
        self._expected: int | None = None

    def everything(self, cursor: str) -> Iterator[Page]:
        since, until = self._query.since, self._query.until
        for incident, place in by_token(self._incidents, "id", cursor):
            created_at, updated_at = moment(incident["created_at"]), moment(incident["updated_at"])
            if since is not None and updated_at is not None and updated_at < since:
                continue
            if until is None or created_at is None or created_at < until:
                yield Page(deliveries=[self._told(incident)], cursor=place, expected=self._expected)

    def _told(self, incident: Item) -> Delivery:
        kept = {name: value for name, value in incident.items() if name not in _LEFT_OUT}
        updates = {str(update["id"]): update for update, _ in by_token(self._updates_of(incident), "id", "")}
        told = [
            {name: update.get(name) for name in ("id", "created_at", "new_incident_status")}
            for update in updates.values()
        ]
        return self._api.delivery("rest.incident", {"incident": kept, "incident_updates": told})

    def _incidents(self, token: str) -> tuple[list[Item], str | None]:
        params: dict[str, str | int] = {"page_size": PER_PAGE, "sort_by": "created_at_oldest_first"}
        if self._query.since is not None:
            # The filter knows whole days only.
            params["updated_at[gte]"] = f"{self._query.since:%Y-%m-%d}"
        if self._query.until is not None:
            params["created_at[lte]"] = f"{self._query.until:%Y-%m-%d}"
        answer = self._api.get("/v2/incidents", {**params, **({"after": token} if token else {})})
        page = self._api.read(answer, _Incidents)
        self._expected = page.pagination_meta.total_record_count
        items = self._api.complete(answer, page.incidents, "id", "created_at", "updated_at")
        return items, page.pagination_meta.after if items else None

    def _updates_of(self, incident: Item) -> Callable[[str], tuple[list[Item], str | None]]:
        def ask(token: str) -> tuple[list[Item], str | None]:
            params: dict[str, str | int] = {"incident_id": str(incident["id"]), "page_size": PER_PAGE}
            answer = self._api.get("/v2/incident_updates", {**params, **({"after": token} if token else {})})
            page = self._api.read(answer, _Updates)
            items = self._api.complete(answer, page.incident_updates, "id", "created_at")
            return items, page.pagination_meta.after if items else None

        return ask
