"""The door: 202 when it is durable, and nothing stored otherwise."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import json
import socket
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from pipeline.api.hooks import Door, hooks
from pipeline.api.problems import handle_errors
from pipeline.api.services import Services
from pipeline.ingest.committer import Committer
from pipeline.ingest.deliveries import from_stored
from pipeline.ingest.intake import Intake
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import DELIVERIES, Appended, Record
from pipeline.log.sqlite import SqliteLog
from pipeline.settings import ConnectorSettings
from tests.api.running import (
    MAX_BODY,
    SECRET,
    TIMEOUT,
    Running,
    is_problem,
    listening,
    raw,
    running,
    settings,
    signed,
)
from tests.ingest.fakes import Forge, sign

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
PUSH = json.dumps(
    {
        "ref": "refs/heads/main",
        "before": "a" * 40,
        "after": "b" * 40,
        "repository": {"full_name": "acme/shop", "default_branch": "main", "html_url": "https://github.com/acme/shop"},
        "commits": [],
    }
).encode()


def test_a_signed_push_is_stored_as_it_came_before_it_is_acknowledged(server: Running) -> None:
    response = server.client.post("/hooks/github", content=PUSH, headers=signed(PUSH))
    (stored,) = server.wiring.log().read(DELIVERIES)
    delivery = from_stored(stored)
    assert (response.status_code, response.json()) == (202, {"delivery": "d1"})
    assert (delivery.body, delivery.id, delivery.kind) == (PUSH, "d1", "push")
    assert delivery.headers == {"content-type": "application/json"}


def test_a_delivery_is_translated_and_folded_without_being_asked(server: Running) -> None:
    server.client.post("/hooks/github", content=b"{}", headers=signed(b"{}", "p1", "ping"))
    server.client.post("/hooks/github", content=b"[]", headers=signed(b"[]", "bad"))
    server.caught_up()
    (entry,) = server.client.get("/api/v1/quarantine").json()["items"]
    assert (entry["delivery"], entry["connector"], entry["kind"]) == (2, "github", "push")


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({**signed(PUSH), "X-Hub-Signature-256": "sha256=" + "0" * 64}, "does not match"),
        ({"X-GitHub-Event": "push"}, "absent"),
        (signed(PUSH, secret=b"another"), "does not match"),
        (signed(PUSH + b" "), "does not match"),
    ],
)
def test_what_is_not_signed_by_our_secret_is_not_stored(server: Running, headers: dict[str, str], words: str) -> None:
    response = server.client.post("/hooks/github", content=PUSH, headers=headers)
    assert is_problem(response, 401, words)
    assert "www-authenticate" in response.headers
    assert SECRET.decode() not in response.text
    assert server.stored() == []


def test_unknown_connectors_are_told_the_known_ones(server: Running) -> None:
    response = server.client.post("/hooks/githib", content=PUSH, headers=signed(PUSH))
    assert is_problem(response, 404, "github")


def test_a_connector_without_a_secret_is_shut(server: Running) -> None:
    response = server.client.post("/hooks/jira", content=b"{}", headers={"X-Hub-Signature": "sha256=00"})
    assert is_problem(response, 403, "connectors.jira.secrets")
    assert server.stored() == []


def test_a_connector_may_be_opened_to_the_unsigned(tmp_path: Path) -> None:
    free = ConnectorSettings(allow_unsigned=True)
    with running(settings(tmp_path, jira=free, git=free)) as server:
        assert server.client.post("/hooks/jira", content=b"{}").status_code == 202
        # It is never pushed to, signed or not.
        assert is_problem(server.client.post("/hooks/git", content=b"{}"), 404, "leadline ingest git")
        assert server.stored() == [b"{}"]


def test_an_open_connector_with_a_secret_is_not_open(tmp_path: Path) -> None:
    both = ConnectorSettings.model_validate({"secrets": ["s"], "allow_unsigned": True})
    with running(settings(tmp_path, cdevents=both)) as server:
        assert is_problem(server.client.post("/hooks/cdevents", content=b"{}"), 401, "no token")


def test_bodies_of_the_limit_pass_and_larger_ones_do_not(server: Running) -> None:
    fitting, larger = b" " * MAX_BODY, b" " * (MAX_BODY + 1)
    assert server.client.post("/hooks/github", content=fitting, headers=signed(fitting)).status_code == 202
    response = server.client.post("/hooks/github", content=larger, headers=signed(larger, "d2"))
    assert is_problem(response, 413, f"limit is {MAX_BODY}")
    assert [len(body) for body in server.stored()] == [MAX_BODY]


def test_a_body_without_a_length_is_refused_before_it_ends(server: Running) -> None:
    head = b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(server.address, timeout=TIMEOUT) as connection:
        connection.sendall(head + b"%x\r\n%s\r\n" % (MAX_BODY + 1, b"x" * (MAX_BODY + 1)))
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")
    assert server.stored() == []


def test_json_that_nests_too_deep_is_refused(server: Running) -> None:
    body = b"[" * 65 + b"]" * 65
    response = server.client.post("/hooks/github", content=body, headers=signed(body))
    assert is_problem(response, 422, "64 levels")
    assert server.stored() == []


def test_compressed_bodies_are_refused(server: Running) -> None:
    body = gzip.compress(PUSH)
    response = server.client.post("/hooks/github", content=body, headers={**signed(body), "Content-Encoding": "gzip"})
    assert is_problem(response, 415, "gzip")
    assert (response.headers["accept-encoding"], server.stored()) == ("identity", [])


def test_a_redelivery_is_acknowledged_and_stored_once(server: Running) -> None:
    answers = [server.client.post("/hooks/github", content=PUSH, headers=signed(PUSH)) for _ in range(3)]
    assert [(each.status_code, each.json()) for each in answers] == [(202, {"delivery": "d1"})] * 3
    assert server.stored() == [PUSH]


def test_a_body_that_ends_too_early_is_not_stored(server: Running) -> None:
    head = "POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    raw(server.address, head.encode() + b"only this")
    assert server.client.get("/healthz").status_code == 200
    assert server.stored() == []


def test_a_body_that_dawdles_is_given_up(tmp_path: Path) -> None:
    with running(
        settings(tmp_path), change=lambda services: dataclasses.replace(services, body_seconds=0.05)
    ) as server:
        head = b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
        with socket.create_connection(server.address, timeout=TIMEOUT) as connection:
            connection.sendall(head)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 408 ")


def test_a_full_queue_says_when_to_come_back(tmp_path: Path) -> None:
    log = MemoryLog()
    with Committer(log, DELIVERIES, lambda: NOON, max_pending=0) as committer:
        intake = Intake(committer, {"forge": Forge()}, lambda _: [b"s"], lambda: NOON)

        def full(services: Services) -> Services:
            return dataclasses.replace(services, intake=intake, connectors={"forge"})

        with running(settings(tmp_path), change=full) as server:
            response = server.client.post("/hooks/forge", content=b"[]", headers={"X-Signature": sign(b"[]", b"s")})
    assert is_problem(response, 503, "send it again")
    assert (response.headers["retry-after"], log.end(DELIVERIES)) == ("1", 0)


class Counting(SqliteLog):
    """A log that remembers how many records each append brought."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.sizes: list[int] = []

    def append(self, stream: str, records: Sequence[Record], recorded: datetime | Sequence[datetime]) -> Appended:
        self.sizes.append(len(records))
        return super().append(stream, records, recorded)


def test_two_hundred_at_once_share_commits(tmp_path: Path) -> None:
    log = Counting(tmp_path / "counted.db")
    bodies = [b"[%d]" % number for number in range(200)]
    with Committer(log, DELIVERIES, lambda: NOON) as committer:
        intake = Intake(committer, {"forge": Forge()}, lambda _: [b"s"], lambda: NOON)

        def counted(services: Services) -> Services:
            return dataclasses.replace(services, intake=intake, connectors={"forge"})

        with running(settings(tmp_path), change=counted) as server:
            answers = asyncio.run(_post_all(str(server.client.base_url), bodies))
    assert [each.status_code for each in answers] == [202] * 200
    assert {from_stored(each).body for each in log.read(DELIVERIES)} == set(bodies)
    assert sum(log.sizes) == 200
    assert len(log.sizes) < 200
    log.close()


async def _post_all(url: str, bodies: Sequence[bytes]) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT, limits=limits, trust_env=False) as client:
        return await asyncio.gather(
            *(
                client.post("/hooks/forge", content=body, headers={"X-Signature": sign(body, b"s"), "X-Kind": "k"})
                for body in bodies
            )
        )


@pytest.mark.parametrize(
    ("clock", "status"), [("in time", 202), ("a minute late", 401), ("a minute early", 401), ("not signed", 401)]
)
def test_a_message_that_was_recorded_cannot_be_sent_again(tmp_path: Path, clock: str, status: int) -> None:
    secret = ConnectorSettings.model_validate({"secrets": ["s"]})
    with running(settings(tmp_path, linear=secret)) as server:
        seconds = {"a minute late": -61, "a minute early": 65}.get(clock, 0)
        sent = server.services.clock() + timedelta(seconds=seconds)
        body = b'{"action":"update","type":"Issue","webhookTimestamp":%d}' % (sent.timestamp() * 1_000)
        signature = "0" * 64 if clock == "not signed" else sign(body, b"s")
        answer = server.client.post("/hooks/linear", content=body, headers={"Linear-Signature": signature})
        assert (answer.status_code, len(server.stored())) == (status, int(status == 202))
    assert clock in ("in time", "not signed") or is_problem(answer, 401, "connectors.linear.replay_window")


def test_a_delivery_finds_its_way_by_the_route_too(server: Running) -> None:
    """The middleware takes the short way; the route that describes it does the same."""
    app = FastAPI()
    handle_errors(app)
    app.include_router(hooks(server.services, Door(server.services)))
    with listening(app) as (_, client):
        assert client.post("/hooks/github", content=PUSH, headers=signed(PUSH)).json() == {"delivery": "d1"}
        assert client.post("/hooks/github", content=PUSH).status_code == 401
        described = client.get("/openapi.json").json()["paths"]["/hooks/{connector}"]
    assert set(described) == {"post", "head", "options"}
    assert described["post"]["responses"]["202"]["content"]["application/json"]["schema"]["$ref"].endswith("Receipt")


@pytest.mark.parametrize("path", ["/hooks/", "/hooks", "/hooks/github/", "/hooks/github/x"])
def test_what_is_no_door_is_not_taken_for_one(server: Running, path: str) -> None:
    assert is_problem(server.client.post(path, content=PUSH, headers=signed(PUSH)), 404, "Not Found")


def test_of_a_header_that_is_repeated_the_first_counts(server: Running) -> None:
    headers = [*signed(PUSH).items(), ("X-GitHub-Delivery", "d2")]
    answer = server.client.post("/hooks/github", content=PUSH, headers=headers)
    assert (answer.status_code, answer.json()) == (202, {"delivery": "d1"})


def test_answers_are_counted_and_strangers_make_no_series(server: Running) -> None:
    server.client.post("/hooks/github", content=PUSH, headers=signed(PUSH))
    server.client.post("/hooks/github", content=PUSH)
    for name in ("a", "b"):
        server.client.post(f"/hooks/{name}", content=PUSH)
    registry = server.services.registry

    def count(connector: str, status: int) -> float | None:
        return registry.get_sample_value("leadline_deliveries_total", {"connector": connector, "status": str(status)})

    assert (count("github", 202), count("github", 401), count("unknown", 404), count("a", 404)) == (1, 1, 2, None)
    assert registry.get_sample_value("leadline_delivery_last_success_timestamp_seconds", {"connector": "github"})
