"""Sources that ask whether their messages are wanted before they send any."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.settings import ConnectorSettings
from tests.api.running import Running, is_problem, running, settings

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
        others = [server.client.head(f"/hooks/{name}") for name in ("github", "nobody")]
    assert [each.status_code for each in others] == [405, 404]
    assert others[0].headers["allow"] == "OPTIONS, POST"


def test_nobody_is_at_an_address_that_has_no_secret(server: Running) -> None:
    assert server.client.head("/hooks/trello").status_code == 403


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
