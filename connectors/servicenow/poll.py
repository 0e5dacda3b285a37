"""Reads incidents or change requests from the Table API."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import httpx
import msgspec

from pipeline.events.asking import Api, Item
from pipeline.events.delivery import Delivery
from pipeline.events.errors import ConfigError
from pipeline.events.polling import Access, Checkpoint, Page, Poller, Query, base_url

TABLES = ("incident", "change_request")
PER_PAGE = 100
#: Nothing of it is translated, and most of it is of persons.
_NAMES = """
    description comments comments_and_work_notes work_notes work_notes_list close_notes watch_list caller_id opened_by
    closed_by resolved_by reopened_by assigned_to additional_assignee_list user_input sys_created_by sys_updated_by
    requested_by justification implementation_plan backout_plan test_plan risk_impact_analysis cab_recommendation
"""
_LEFT_OUT = frozenset(_NAMES.split())
_CLOCK = re.compile(r"(\d\d:\d\d:\d\d)$")


class _Found(msgspec.Struct):
    result: list[Item]


class ServiceNowPoller:
    """Reads the records of a table in the order in which they were updated."""

    name = "servicenow"
    scope = "incident or change_request, and behind a colon an encoded query"
    default_scope: str | None = "incident"
    needs: Sequence[str] = ("url", "token")

    def client(self, access: Access) -> httpx.Client:
        """Return a client. A token of the form `USER:PASSWORD` is shown as such, any other one is one of OAuth."""
        token = access.token or ""
        shown = f"Basic {base64.b64encode(token.encode()).decode()}" if ":" in token else f"Bearer {token}"
        headers = {"accept": "application/json", "authorization": shown, "user-agent": "leadline"}
        return httpx.Client(base_url=base_url(self.name, access.url or ""), headers=headers, timeout=60)

    def pages(self, client: httpx.Client, query: Query, checkpoint: Checkpoint) -> Iterator[Page]:
        """See `Poller.pages`. The cursor is when the last record was updated.

        A record that is updated while pages are read moves to the end, where it is told again; as each page begins at
        the time of the last record, nothing slips past, whatever is updated or deleted before it.
        """
        table, _, search = (part.strip() for part in query.scope.partition(":"))
        if table not in TABLES:
            raise ConfigError(f"servicenow: {query.scope!r} is no table that is read; write {' or '.join(TABLES)}")
        yield from _Reading(client, query, table, search).everything(checkpoint.cursor)
        yield Page()


POLLER: Poller = ServiceNowPoller()


class _Reading:
    def __init__(self, client: httpx.Client, query: Query, table: str, search: str) -> None:
        check = (
            "connectors.servicenow.url: the address of the instance, and connectors.servicenow.token: is its account "
            "active, and may it read the table"
        )
        self._api = Api("servicenow", client, query.now, check)
        self._query, self._table, self._search = query, table, search

    def everything(self, cursor: str) -> Iterator[Page]:
        since = self._query.since
        start, offset, known = cursor or ("" if since is None else _stored(since)), 0, set[str]()
        while True:
            answer = self._ask(start, offset)
            more = "next" in answer.links
            records = self._api.complete(answer, self._api.read(answer, _Found).result, "sys_id", "sys_updated_on")
            fresh = {sys_id: record for record in records if (sys_id := _value(record["sys_id"])) not in known}
            last = _value(records[-1]["sys_updated_on"]) if records else start
            yield Page(deliveries=[self._delivery(record) for record in fresh.values()], cursor=last)
            if not more:
                return
            # Records may be hidden from the account, so that a page has fewer than it counts, or none.
            start, offset = (last, 0) if last != start else (start, offset + (len(records) or PER_PAGE))
            known = {_value(record["sys_id"]) for record in records}

    def _ask(self, start: str, offset: int) -> httpx.Response:
        terms = [self._search] if self._search else []
        terms += [f"sys_updated_on>={start}"] if start else []
        terms += [f"sys_created_on<{_stored(self._query.until)}"] if self._query.until is not None else []
        params: dict[str, str | int] = {
            "sysparm_query": "^".join([*terms, "ORDERBYsys_updated_on", "ORDERBYsys_id"]),
            "sysparm_display_value": "all",
            "sysparm_limit": PER_PAGE,
            "sysparm_offset": offset,
        }
        return self._api.get(f"/api/now/table/{self._table}", params)

    def _delivery(self, record: Item) -> Delivery:
        updated = record["sys_updated_on"]
        if isinstance(updated, dict) and _differ(updated.get("value"), updated.get("display_value")):
            raise ConfigError(
                "servicenow: the account of connectors.servicenow.token has a time zone, in which ServiceNow reads the "
                "times of a query; set the time zone of the account to GMT"
            )
        told = {name: value for name, value in record.items() if name not in _LEFT_OUT}
        return self._api.delivery(f"rest.{self._table}", {"result": {"sys_class_name": self._table, **told}})


def _value(field: object) -> str:
    return str(field.get("value") if isinstance(field, dict) else field)


def _differ(stored: object, displayed: object) -> bool:
    """Tell whether two clocks differ; one that is displayed in another form than that of a day is left alone."""
    found = [_CLOCK.search(told) if isinstance(told, str) else None for told in (stored, displayed)]
    return all(found) and len({each[1] for each in found if each}) > 1


def _stored(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
