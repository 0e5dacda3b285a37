"""The programs that the other tests here run: found, ready when they are handed out, stopped afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.deploy import binaries
from tests.deploy.binaries import Alertmanager, Program, Prometheus, find, until


def test_prometheus_and_alertmanager_find_each_other(
    tmp_path: Path, prometheus: Callable[..., Prometheus], alertmanager: Callable[..., Alertmanager]
) -> None:
    (tmp_path / "alertmanager.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    managed = alertmanager(tmp_path / "alertmanager.yml")
    (tmp_path / "rules.yml").write_text("groups: [{name: a, rules: [{alert: Always, expr: vector(1)}]}]\n")
    (tmp_path / "prometheus.yml").write_text(
        "global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n"
        f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{managed.url.removeprefix('http://')}']}}]}}]}}\n"
    )
    watching = prometheus(tmp_path / "prometheus.yml")
    assert [rule["name"] for rule in watching.rules()] == ["Always"]
    (alert,) = until(lambda: managed.alerts("Always"), "the alert arrives")
    assert alert["status"]["state"] == "active"
    assert watching.query("vector(2)")[0]["value"][1] == "2"


def test_it_is_stopped_at_the_end_of_the_block(tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text("{}")
    with binaries.prometheus(config, tmp_path / "data") as running:
        url = running.url
    assert running.process.process.returncode == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_the_tools_tell_what_is_wrong(tmp_path: Path, promtool: Program, amtool: Program) -> None:
    (tmp_path / "wrong.yml").write_text("groups: [{name: a, rules: [{alert: A, expr: 'sum('}]}]\n")
    assert promtool("check", "rules", tmp_path / "wrong.yml").returncode == 1
    assert amtool("check-config", tmp_path / "wrong.yml").returncode == 1


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_a_program_that_is_absent_is_told(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="promtool-of-nobody is not on the PATH"):
        find("promtool-of-nobody")
