"""The poller against a real HTTP server on a loopback socket, which answers as GitHub does."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stamina

from connectors.github import CONNECTOR
from connectors.github.poll import client, poll
from pipeline.events.delivery import Context, Delivery
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError, Retryable
from pipeline.events.types import ChangeUpdated
from tests.connectors.casebook import ROOT

CASES = ROOT / "github" / "cases"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
REPO = "panjf2000/ants"
Answer = tuple[int, dict[str, str], Any]


def recorded(case: str) -> Any:
    return json.loads((CASES / case / "delivery.json").read_text(encoding="utf-8"))["body"]


class Hub(ThreadingHTTPServer):
    """Lists in pages of one item with `Link` headers and ETags; `faults` are answered first, one a request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        company = recorded("polled-pull-commits")
        self.pull: dict[str, Any] = company["pull_request"]
        number = self.pull["number"]
        deployment = {**recorded("deployed/polled")["deployment"], "url": None}
        self.lists: dict[str, Any] = {
            "pulls": [self.pull, recorded("polled-pull-abandoned-fork-gone")[0]],
            f"pulls/{number}/commits": company["commits"],
            f"pulls/{number}/reviews": recorded("review/polled"),
            "issues": recorded("issue-closed/polled"),
            "issues/events": recorded("review-asked/history"),
            "deployments": [deployment],
            f"deployments/{deployment['id']}/statuses": recorded("deployed/polled")["statuses"],
            "releases": recorded("release/polled"),
            "commits": recorded("polled-commits"),
        }
        #: Pages behind this one are refused, as GitHub does with very long lists.
        self.last_page = 400
        self.faults: list[Answer] = []
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, target: str, etag: str | None) -> Answer:
        parts = urlsplit(target)
        path, query = parts.path.removeprefix(f"/repos/{REPO}/"), parse_qs(parts.query)
        if path == "actions/runs":
            return 200, {}, recorded("run/polled")
        items = self.lists.get(path, [])
        page = int(query.get("page", ["1"])[0])
        if page > self.last_page:
            return 422, {}, {"message": "In order to keep the API fast for everyone, pagination is limited"}
        found = f'"{path}-{page}-{len(items)}"'
        if etag == found:
            return 304, {"etag": found}, None
        headers = {"etag": found}
        if page < len(items):
            headers["link"] = f'<{self.url}{parts.path}?per_page=1&page={page + 1}>; rel="next"'
        return 200, headers, items[page - 1 : page]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Hub

    def do_GET(self) -> None:
        hub = self.server
        hub.asked.append(self.path)
        hub.tokens.add(self.headers.get("authorization"))
        fault = hub.faults.pop(0) if hub.faults else None
        status, headers, body = fault or hub.answer(self.path, self.headers.get("if-none-match"))
        raw = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(raw))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of the base class
        """Keep quiet."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def http(hub: Hub) -> Iterator[httpx.Client]:
    with client("a-token", hub.url) as http, stamina.set_testing(testing=True, attempts=4):
        yield http


def events(deliveries: list[Delivery]) -> list[Event]:
    context = Context(actor_key=b"key")
    return [event for delivery in deliveries for event in CONNECTOR.translate(delivery, context).events]


def test_everything_is_read_page_by_page(hub: Hub, http: httpx.Client) -> None:
    deliveries = list(poll(http, REPO, NOW))
    assert Counter(delivery.kind for delivery in deliveries) == {
        "rest.pulls": 2,
        "rest.pull_commits": 2,
        "rest.pull_reviews": 2,
        "rest.pull_comments": 1,
        "rest.issue_comments": 1,
        "rest.issues": 1,
        "rest.issue_events": 1,
        "rest.deployments": 1,
        "rest.deployment_statuses": 1,
        "rest.actions_runs": 1,
        "rest.releases": 1,
        "rest.commits": 1,
    }
    assert hub.tokens == {"Bearer a-token"}
    assert {delivery.received_at for delivery in deliveries} == {NOW}
    assert len({delivery.id for delivery in deliveries}) == len(deliveries)
    types = Counter(type(event.data).__name__ for event in events(deliveries))
    assert types["ChangeMerged"] == 2, "told by the page and with its commits"
    assert types["CommitRecorded"] == 3
    assert types["DeploymentEvent"] == 2
    assert types["PipelineRun"] == 3


def test_a_pull_request_is_told_with_its_commits(hub: Hub, http: httpx.Client) -> None:
    listed = [
        event.data.commits for event in events(list(poll(http, REPO, NOW))) if isinstance(event.data, ChangeUpdated)
    ]
    shas = [commit["sha"] for commit in hub.lists[f"pulls/{hub.pull['number']}/commits"]]
    assert len(shas) == 2
    assert shas in listed


def test_polling_twice_gives_the_same_deliveries(http: httpx.Client) -> None:
    assert list(poll(http, REPO, NOW)) == list(poll(http, REPO, NOW))


def test_what_has_not_changed_is_not_read_again(hub: Hub, http: httpx.Client) -> None:
    memory: dict[str, str] = {}
    first = list(poll(http, REPO, NOW, memory=memory))
    hub.asked.clear()
    again = list(poll(http, REPO, NOW, memory=memory))
    assert {delivery.kind for delivery in again} == {"rest.deployments", "rest.actions_runs"}
    assert {delivery.id for delivery in again} <= {delivery.id for delivery in first}
    assert not [path for path in hub.asked if "/statuses" in path or "/reviews" in path]


def test_a_call_that_was_cut_short_goes_on_where_it_stopped(hub: Hub, http: httpx.Client) -> None:
    memory: dict[str, str] = {}
    whole = {delivery.id for delivery in poll(http, REPO, NOW)}
    cut = poll(http, REPO, NOW, memory=memory)
    taken = [next(cut) for _ in range(6)]
    hub.asked.clear()
    rest = list(poll(http, REPO, NOW, memory=memory))
    assert {delivery.id for delivery in [*taken, *rest]} == whole
    assert not [path for path in hub.asked if f"pulls/{hub.pull['number']}/" in path], "its details were stored"


def test_since_stops_at_what_is_older(hub: Hub, http: httpx.Client) -> None:
    deliveries = list(poll(http, REPO, NOW, since=datetime(2026, 1, 1, 0, 0, 0, 5, tzinfo=UTC)))
    assert Counter(delivery.kind for delivery in deliveries)["rest.pulls"] == 1, "the second page is older still"
    assert not [
        delivery for delivery in deliveries if delivery.kind in {"rest.pull_commits", "rest.deployment_statuses"}
    ]
    asked = {urlsplit(path).path.rsplit("/", 1)[-1]: parse_qs(urlsplit(path).query) for path in hub.asked}
    assert asked["issues"]["since"] == ["2026-01-01T00:00:00Z"]
    assert asked["commits"]["since"] == ["2026-01-01T00:00:00Z"]
    assert asked["runs"]["created"] == [">=2025-12-25T00:00:00Z"]


def test_a_server_that_is_unwell_is_asked_again(hub: Hub, http: httpx.Client) -> None:
    whole = list(poll(http, REPO, NOW))
    hub.faults = [(502, {}, None), (503, {}, None)]
    assert list(poll(http, REPO, NOW)) == whole


def test_a_server_that_stays_unwell_is_retryable(hub: Hub, http: httpx.Client) -> None:
    hub.faults = [(502, {}, None)] * 4
    with pytest.raises(Retryable, match="502") as caught:
        list(poll(http, REPO, NOW))
    assert caught.value.after is None
    assert len(hub.asked) == 4


@pytest.mark.usefixtures("http")
def test_nobody_listening_is_retryable() -> None:
    with client(None, "http://127.0.0.1:1") as nowhere, pytest.raises(Retryable, match="ConnectError"):
        list(poll(nowhere, REPO, NOW))


@pytest.mark.parametrize(
    ("status", "headers", "after"),
    [
        (429, {"retry-after": "17"}, 17.0),
        (403, {"retry-after": "60"}, 60.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 90)}, 90.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) - 5)}, 1.0),
        (429, {}, 60.0),
        (403, {}, 60.0),
    ],
)
def test_a_rate_limit_says_how_long_to_wait(
    hub: Hub, http: httpx.Client, status: int, headers: dict[str, str], after: float
) -> None:
    hub.faults = [(status, headers, {"message": "You have exceeded a secondary rate limit. Please wait."})]
    with pytest.raises(Retryable) as caught:
        list(poll(http, REPO, NOW))
    assert caught.value.after == after
    assert len(hub.asked) == 1, "asking again at once makes it worse"


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_refusal_names_the_address_and_what_to_check(hub: Hub, http: httpx.Client, status: int) -> None:
    hub.faults = [(status, {"x-ratelimit-remaining": "4999"}, {"message": "no"})]
    with pytest.raises(ConfigError, match=rf"repos/{REPO}/pulls.*{status}.*token"):
        list(poll(http, REPO, NOW))


def test_a_list_that_the_repository_does_not_have_is_passed_over(hub: Hub, http: httpx.Client) -> None:
    hub.faults = [(410, {}, {"message": "Issues are disabled for this repo"})]
    assert "rest.pulls" not in {delivery.kind for delivery in poll(http, REPO, NOW)}


def test_the_token_is_not_sent_to_another_host(hub: Hub, http: httpx.Client) -> None:
    hub.faults = [(200, {"link": '<http://elsewhere.example.com/pulls?page=2>; rel="next"'}, [])]
    with pytest.raises(ConfigError, match=r"elsewhere\.example\.com"):
        list(poll(http, REPO, NOW))


def test_an_answer_that_is_no_list_is_retryable(hub: Hub, http: httpx.Client) -> None:
    hub.faults = [(200, {}, {"message": "a proxy's page"})]
    with pytest.raises(Retryable, match="no list"):
        list(poll(http, REPO, NOW))


def test_a_list_that_is_too_long_ends_where_github_ends_it(hub: Hub, http: httpx.Client) -> None:
    entry = hub.lists["issues/events"][0]
    hub.lists["issues/events"] = [{**entry, "id": number} for number in range(3)]
    hub.last_page = 2
    kinds = Counter(delivery.kind for delivery in poll(http, REPO, NOW))
    assert kinds["rest.issue_events"] == 2
    assert kinds["rest.commits"] == 1, "the lists behind it are read"


def test_histories_are_read_back_to_since(hub: Hub, http: httpx.Client) -> None:
    entry = hub.lists["issues/events"][0]
    hub.lists["issues/events"] = [{**entry, "id": number} for number in range(3)]
    later = datetime(2026, 1, 1, tzinfo=UTC)
    kinds = [delivery.kind for delivery in poll(http, REPO, NOW, since=later)]
    assert kinds.count("rest.issue_events") == 1, "what follows is older still"
