"""Sources that ask whether their messages are wanted before they send any."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.settings import ConnectorSettings
from tests.api.running import Running, is_problem, running, settings
from tests.ingest.fakes import sign

MAPPING = """
source: https://deploys.example.com
mappings: [{kind: deployed, type: service.deployed, time: at, fields: {deployment: id, environment: env}}]
"""


def test_the_handshake_of_cloudevents_is_answered(server: Running) -> None:
    granted = server.client.options("/hooks/cdevents", headers={"WebHook-Request-Origin": "broker.example"})
    assert (granted.status_code, granted.headers["webhook-allowed-origin"]) == (204, "broker.example")
    assert "webhook-allowed-origin" not in server.client.options("/hooks/cdevents").headers
    assert is_problem(server.client.options("/hooks/nobody"), 404, "there are")


@pytest.mark.parametrize("origin", ["", "a b", "<script>", "x" * 300, "https://broker.example"])
def test_an_origin_that_is_no_host_is_not_repeated(server: Running, origin: str) -> None:
    answer = server.client.options("/hooks/cdevents", headers={"WebHook-Request-Origin": origin})
    assert (answer.status_code, answer.headers.get("webhook-allowed-origin"), answer.content) == (204, None, b"")


def test_trello_finds_somebody_at_the_address_before_it_creates_a_webhook(tmp_path: Path) -> None:
    secret = ConnectorSettings.model_validate({"secrets": ["s@https://leadline.example/hooks/trello"]})
    with running(settings(tmp_path, trello=secret)) as server:
        asked = server.client.head("/hooks/trello")
        assert (asked.status_code, asked.content, server.stored()) == (200, b"", [])


def test_whoever_does_not_ask_is_told_so(server: Running) -> None:
    others = [server.client.head(f"/hooks/{name}") for name in ("github", "asana", "nobody")]
    assert [each.status_code for each in others] == [405, 405, 404]
    assert others[0].headers["allow"] == "OPTIONS, POST"


def test_asana_gets_back_what_becomes_the_secret_before_there_is_one(server: Running) -> None:
    told = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81"
    answer = server.client.post("/hooks/asana", content=b"{}", headers={"X-Hook-Secret": told})
    assert (answer.status_code, answer.headers["x-hook-secret"], answer.content) == (200, told, b"")
    assert server.stored() == []
    signature = {"X-Hook-Signature": sign(b"{}", told.encode())}
    assert is_problem(server.client.post("/hooks/asana", content=b"{}", headers=signature), 403, "no secret")


@pytest.mark.parametrize("told", ["short", "x" * 129, "with spaces in between", "<script>alert(1)</script>"])
def test_what_asana_would_not_send_is_not_repeated(server: Running, told: str) -> None:
    answer = server.client.post("/hooks/asana", content=b"{}", headers={"X-Hook-Secret": told})
    assert is_problem(answer, 403, "connectors.asana.secrets")
    assert "x-hook-secret" not in answer.headers
    assert told.encode() not in answer.content


def test_a_challenge_is_repeated_to_who_shows_the_token(tmp_path: Path) -> None:
    body = b'{"type": "url_verification", "challenge": "<b>3eZbrw1aB</b>"}'
    token = ConnectorSettings.model_validate({"secrets": ["s"], "settings": {"mapping": MAPPING}})
    with running(settings(tmp_path, mapping=token)) as server:
        answer = server.client.post("/hooks/mapping", content=body, headers={"X-Leadline-Token": "s"})
        assert (answer.status_code, answer.json()) == (200, {"challenge": "<b>3eZbrw1aB</b>"})
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        stranger = server.client.post("/hooks/mapping", content=body, headers={"X-Leadline-Token": "guess"})
        assert is_problem(stranger, 401, "token")
        assert b"3eZbrw1aB" not in stranger.content
        server.caught_up()
        assert server.client.get("/api/v1/quarantine").json()["items"] == []
        assert server.stored() == [body]
