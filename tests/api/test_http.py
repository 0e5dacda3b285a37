"""What every answer has in common, health, and the description of the API."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI

from pipeline.api.app import create_metrics_app
from pipeline.api.follower import Follower
from pipeline.api.services import Services
from pipeline.events.errors import Corrupt, Retryable
from pipeline.exporter.model import LogFigures, ReadModel
from pipeline.log.memory import MemoryLog
from tests.api.running import Running, is_problem, listening, running, settings

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/docs", 404),
        ("GET", "/hooks/github", 405),
        ("DELETE", "/api/v1/metrics", 405),
        ("GET", "/api/v1/metrics/", 404),
        ("GET", "/api/v1/quarantine?state=lost", 422),
    ],
)
def test_errors_of_the_framework_are_problems_too(server: Running, method: str, path: str, status: int) -> None:
    assert is_problem(server.client.request(method, path), status, "")


class Broken(MemoryLog):
    """A log that fails in a way that nobody thought of, or in one that somebody did."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def figures(self) -> LogFigures:
        raise self.error


def test_an_unexpected_error_is_a_problem_without_internals(tmp_path: Path) -> None:
    def broken(services: Services) -> Services:
        return dataclasses.replace(services, figures=Broken(ZeroDivisionError("the secret is x")).figures)

    with running(settings(tmp_path), change=broken) as server:
        response = server.client.get("/readyz", headers={"X-Request-ID": "mine-1"})
    assert is_problem(response, 500, "request id")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert (response.headers["x-request-id"], "secret" in response.text) == ("mine-1", False)


def test_every_answer_has_the_headers(server: Running) -> None:
    ids = set()
    for path in ("/healthz", "/nothing", "/metrics", "/openapi.json"):
        headers = server.client.get(path).headers
        ids.add(headers["x-request-id"])
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
        assert "server" not in headers
    assert len(ids) == 4


@pytest.mark.parametrize("given", ["bad id", "x" * 65, "a\tb", ""])
def test_a_request_id_that_could_harm_a_log_is_replaced(server: Running, given: str) -> None:
    assert server.client.get("/healthz", headers={"X-Request-ID": given}).headers["x-request-id"] != given


def test_it_is_ready_once_it_has_caught_up(server: Running) -> None:
    server.caught_up()
    assert server.client.get("/healthz").json()["status"] == "ok"
    ready = server.client.get("/readyz")
    assert (ready.status_code, ready.json()["untranslated"], ready.json()["unfolded"]) == (200, 0, 0)


def test_it_is_alive_but_not_ready_when_the_follower_has_ended(server: Running) -> None:
    server.services.follower.stop()
    response = server.client.get("/readyz")
    assert is_problem(response, 503, "the follower has stopped")
    assert "the follower has stopped" in response.json()["reasons"]
    assert server.client.get("/healthz").status_code == 200


@pytest.mark.parametrize("error", [Retryable("/data/x.db: busy"), Corrupt("/data/x.db: damaged")])
def test_it_is_not_ready_when_the_log_cannot_be_read(tmp_path: Path, error: Exception) -> None:
    def broken(services: Services) -> Services:
        return dataclasses.replace(services, figures=Broken(error).figures)

    with running(settings(tmp_path), change=broken) as server:
        server.caught_up()
        response = server.client.get("/readyz")
    assert is_problem(response, 503, "the log cannot be read")
    assert "/data" not in response.text


def test_nothing_is_shown_before_the_log_has_been_read(tmp_path: Path) -> None:
    def unread(services: Services) -> Services:
        return dataclasses.replace(services, follower=Follower(None, lambda _: ReadModel(), lambda: NOON))

    with running(settings(tmp_path), change=unread) as server:
        assert is_problem(server.client.get("/api/v1/metrics"), 503, "being read")
        assert is_problem(server.client.get("/readyz"), 503, "not been followed to its end")


def test_metrics_may_have_a_port_of_their_own(tmp_path: Path) -> None:
    def apart(services: Services) -> Services:
        return dataclasses.replace(services, metrics_here=False)

    with (
        running(settings(tmp_path), change=apart) as server,
        listening(create_metrics_app(server.services)) as (_, second),
    ):
        assert (server.client.get("/metrics").status_code, second.get("/metrics").status_code) == (404, 200)
        assert is_problem(second.post("/hooks/github"), 404, "")


def test_the_description_is_valid_and_every_operation_tells_its_problems(server: Running) -> None:
    document = server.client.get("/openapi.json").json()
    OpenAPI.model_validate(document)
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    identities = [operation["operationId"] for operation in operations]
    assert len(set(identities)) == len(identities) == 11
    for operation in operations:
        assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]
    assert _unresolved(document, document) == []


def _unresolved(node: Any, document: dict[str, Any]) -> list[str]:
    """Return the references of a document that lead nowhere."""
    if isinstance(node, list):
        return [each for item in node for each in _unresolved(item, document)]
    if not isinstance(node, dict):
        return []
    found = [each for item in node.values() for each in _unresolved(item, document)]
    reference = node.get("$ref")
    if isinstance(reference, str):
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target.get(part) if isinstance(target, dict) else None
        found += [] if target else [reference]
    return found
