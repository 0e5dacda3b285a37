"""Polling against a real HTTP server on this machine that replays recorded issues."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from connectors.jira import CONNECTOR
from connectors.jira.poll import FIELDS, poll
from pipeline.events.delivery import Context, Delivery
from pipeline.events.errors import ConfigError, Retryable
from tests.connectors.casebook import ROOT

SINCE = datetime(2026, 11, 23, 10, 0, 30, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Answer = tuple[int, dict[str, str], Any]
Route = Callable[[dict[str, str]], Answer]


def recorded(case: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((ROOT / "jira/cases" / case / "delivery.json").read_text(encoding="utf-8"))[
        "body"
    ]
    return body


ISSUES = [
    recorded(case)
    for case in ("linked/blocked", "linked/blocker", "links-replaced", "closed-then-moved", "sub-task-closed")
]


@dataclass
class Site:
    """A Jira: its routes, and what was asked of it."""

    url: str
    routes: dict[str, Route]
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def poll(self, **more: Any) -> list[Delivery]:
        with httpx.Client(base_url=self.url, trust_env=False) as client:
            return list(poll(client, SINCE, NOW, **more))

    def queries(self, path: str) -> list[dict[str, str]]:
        return [query for asked, query in self.asked if asked == path]


def ok(value: Any) -> Answer:
    return 200, {}, value


@pytest.fixture
def site() -> Iterator[Site]:
    found = Site("", {})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            found.asked.append((parts.path, query))
            route = found.routes.get(parts.path)
            status, headers, value = route(query) if route else (404, {}, {"errorMessages": ["no such page"]})
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            for name, text in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def data_center(site: Site, page_size: int = 2, zone: str = "Asia/Shanghai") -> None:
    def search(query: dict[str, str]) -> Answer:
        start = int(query["startAt"])
        return ok({"startAt": start, "total": len(ISSUES), "issues": ISSUES[start : start + page_size]})

    site.routes["/rest/api/2/serverInfo"] = lambda _: ok({"deploymentType": "Server", "version": "9.12.0"})
    site.routes["/rest/api/2/myself"] = lambda _: ok({"name": "leadline", "timeZone": zone})
    site.routes["/rest/api/2/search"] = search


def cloud(site: Site, issues: list[Any]) -> None:
    def search(query: dict[str, str]) -> Answer:
        start = int(query.get("nextPageToken", "0"))
        more = {"nextPageToken": str(start + 2)} if start + 2 < len(issues) else {"isLast": True}
        return ok({"issues": issues[start : start + 2], **more})

    site.routes["/rest/api/2/serverInfo"] = lambda _: ok({"deploymentType": "Cloud"})
    site.routes["/rest/api/2/myself"] = lambda _: ok({"accountId": "5b10", "timeZone": "Europe/Berlin"})
    site.routes["/rest/api/3/search/jql"] = search


def test_data_center_is_paged_by_offset(site: Site) -> None:
    data_center(site)
    found = site.poll()
    assert [json.loads(delivery.body) for delivery in found] == ISSUES
    assert {(delivery.connector, delivery.kind, delivery.received_at) for delivery in found} == {
        ("jira", "rest.issue", NOW)
    }
    asked = [query["startAt"] for query in site.queries("/rest/api/2/search")]
    assert asked == ["0", "1", "2", "3"], "each page begins with the last issue of the one before"


def test_cloud_is_paged_by_token(site: Site) -> None:
    cloud(site, ISSUES)
    assert [json.loads(delivery.body)["key"] for delivery in site.poll()] == [issue["key"] for issue in ISSUES]
    asked = site.queries("/rest/api/3/search/jql")
    assert [query.get("nextPageToken") for query in asked] == [None, "2", "4"]
    assert {(query["fields"], query["expand"]) for query in asked} == {(FIELDS, "changelog")}


def test_what_was_polled_is_what_the_connector_translates(site: Site) -> None:
    data_center(site)
    context = Context(actor_key=b"key")
    types = {event.type for delivery in site.poll() for event in CONNECTOR.translate(delivery, context).events}
    assert {"dev.cdevents.ticket.updated.0.2.0", "dev.cdevents.ticket.closed.0.2.0"} <= types
    assert {"dev.cdeventsx.leadline-dependency.added.1.0.0", "dev.cdeventsx.leadline-ticket.moved.1.0.0"} <= types


def test_an_unchanged_issue_is_a_redelivery(site: Site) -> None:
    data_center(site, page_size=2)
    first = site.poll()
    data_center(site, page_size=3)
    assert [delivery.id for delivery in site.poll()] == [delivery.id for delivery in first]
    assert len({delivery.id for delivery in first}) == len(ISSUES)


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Asia/Shanghai", "2026-11-23 17:00"),
        ("America/New_York", "2026-11-23 04:00"),
        ("UTC", "2026-11-23 09:00"),
        ("Nowhere/Atall", "2026-11-22 21:00"),
        ("", "2026-11-22 21:00"),
    ],
)
def test_the_query_is_in_the_time_of_the_account_and_overlaps(site: Site, zone: str, start: str) -> None:
    data_center(site, zone=zone)
    site.poll()
    expected = f'updated >= "{start}" ORDER BY created ASC, key ASC'
    assert {query["jql"] for query in site.queries("/rest/api/2/search")} == {expected}


def test_the_query_can_be_narrowed(site: Site) -> None:
    data_center(site, page_size=10)
    site.poll(jql="project in (GROW, CORE) OR labels = growth")
    (query,) = site.queries("/rest/api/2/search")
    assert query["jql"].startswith('(project in (GROW, CORE) OR labels = growth) AND updated >= "')


def test_an_order_in_the_jql_is_refused_before_anything_is_asked(site: Site) -> None:
    with pytest.raises(ConfigError, match="ORDER BY"):
        site.poll(jql="project = GROW Order  By rank")
    assert site.asked == []


def long_history(total: int) -> tuple[dict[str, Any], list[Any]]:
    """A recorded issue of which the search tells the newest change only."""
    issue = json.loads(json.dumps(recorded("closed-then-moved")))
    histories = issue["changelog"]["histories"]
    issue["changelog"].update(histories=histories[:1], total=total)
    return issue, histories[::-1]


def test_a_long_history_of_cloud_is_read_to_its_end(site: Site) -> None:
    issue, histories = long_history(total=8)
    cloud(site, [issue])

    def pages(query: dict[str, str]) -> Answer:
        start = int(query["startAt"])
        return ok({"startAt": start, "total": len(histories), "values": histories[start : start + 3]})

    site.routes[f"/rest/api/3/issue/{issue['key']}/changelog"] = pages
    first, *more = site.poll()
    assert first.kind == "rest.issue"
    assert {(page.kind, page.headers["x-leadline-issue"]) for page in more} == {("rest.changelog", issue["key"])}
    assert [history for page in more for history in json.loads(page.body)["values"]] == histories
    whole = CONNECTOR.translate(_delivery(recorded("closed-then-moved")), Context(actor_key=b"key"))
    paged = [event for page in more for event in CONNECTOR.translate(page, Context(actor_key=b"key")).events]
    assert {event.id: event for event in paged} == {
        event.id: event for event in whole.events if "ticket.moved" in event.type
    }


def _delivery(body: Any) -> Delivery:
    return Delivery(connector="jira", id="d", kind="rest.issue", received_at=NOW, body=json.dumps(body).encode())


def test_an_issue_deleted_while_polling_is_passed_over(site: Site) -> None:
    issue, _ = long_history(total=8)
    cloud(site, [issue])
    assert [delivery.kind for delivery in site.poll()] == ["rest.issue"]


@pytest.mark.parametrize(
    ("status", "headers", "after"),
    [
        (429, {"Retry-After": "17"}, 17.0),
        (503, {"Retry-After": "Mon, 23 Nov 2026 12:01:30 GMT"}, 90.0),
        (503, {"Retry-After": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0.0),
        (429, {"Retry-After": "soon"}, None),
        (502, {}, None),
    ],
)
def test_a_busy_jira_is_asked_again_when_it_says(
    site: Site, status: int, headers: dict[str, str], after: float | None
) -> None:
    data_center(site)
    site.routes["/rest/api/2/search"] = lambda _: (status, headers, {})
    with pytest.raises(Retryable, match=str(status)) as refusal:
        site.poll()
    assert refusal.value.after == after


def test_what_was_read_before_a_failure_is_kept(site: Site) -> None:
    data_center(site)
    search = site.routes["/rest/api/2/search"]
    site.routes["/rest/api/2/search"] = lambda query: search(query) if query["startAt"] == "0" else (500, {}, {})
    with httpx.Client(base_url=site.url, trust_env=False) as client:
        found = poll(client, SINCE, NOW)
        assert [json.loads(next(found).body)["key"] for _ in range(2)] == [issue["key"] for issue in ISSUES[:2]]
        with pytest.raises(Retryable):
            next(found)


@pytest.mark.parametrize("body", [b"<html>Log in</html>", b"[]", b'{"issues": {}}', b'{"issues": [', b"\xff"])
def test_an_answer_that_is_not_of_jira_is_tried_again(site: Site, body: bytes) -> None:
    data_center(site)
    site.routes["/rest/api/2/search"] = lambda _: ok(body)
    with pytest.raises(Retryable, match="did not answer as Jira"):
        site.poll()


def test_a_search_that_turns_in_circles_is_left(site: Site) -> None:
    cloud(site, ISSUES)
    site.routes["/rest/api/3/search/jql"] = lambda _: ok({"issues": ISSUES[:1], "nextPageToken": "2"})
    with pytest.raises(Retryable, match="repeats a page"):
        site.poll()


@pytest.mark.parametrize(("status", "advice"), [(401, "token"), (403, "token"), (400, "jql"), (302, "address")])
def test_a_refusal_is_for_a_person_to_mend(site: Site, status: int, advice: str) -> None:
    data_center(site)
    site.routes["/rest/api/2/search"] = lambda _: (status, {"Location": "/login"}, {"errorMessages": ["no"]})
    with pytest.raises(ConfigError, match=advice):
        site.poll()


def test_an_unreachable_jira_is_tried_again() -> None:
    with (
        httpx.Client(base_url="http://127.0.0.1:9", trust_env=False) as client,
        pytest.raises(Retryable, match="cannot be reached"),
    ):
        list(poll(client, SINCE, NOW))
