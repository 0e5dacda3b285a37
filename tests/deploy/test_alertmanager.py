"""Who is told what: routes, groups and inhibition, asked of amtool and of a running Alertmanager."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.binaries import Alertmanager, Program, until
from tests.deploy.test_alerts import ALERTS, DEPLOY, NAMES, Alert, each_alert, fired

FOLDER = DEPLOY / "alertmanager"
CONFIG = FOLDER / "alertmanager.yml"
#: Alerts after which nothing can be said about the work.
BLIND = ("LeadlineDown", "LogDown", "PipelineStale", "PipelineLagging")
Config = dict[str, Any]


@pytest.fixture(scope="module")
def config() -> Config:
    loaded: Config = yaml.safe_load(CONFIG.read_text("utf-8"))
    return loaded


def labels_of(name: str) -> dict[str, str]:
    """Return the labels of an alert, as the rule gives them."""
    labels: dict[str, str] = fired(name)[0]["exp_labels"]
    return {"alertname": name} | labels


def test_amtool_accepts_the_configuration(amtool: Program) -> None:
    checked = amtool("check-config", CONFIG)
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


# --- routes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({"kind": "business", "severity": "warning", "team": "growth"}, "team-growth"),
        ({"kind": "business", "severity": "warning", "team": "checkout"}, "team-checkout"),
        ({"kind": "business", "severity": "warning", "team": "nobody-knows"}, "delivery-leads"),
        ({"kind": "business", "severity": "info", "team": "growth"}, "planning"),
        ({"kind": "business", "severity": "info", "team": "all"}, "planning"),
        ({"kind": "health", "severity": "warning", "team": "leadline"}, "leadline-owners"),
        ({"kind": "health", "severity": "critical", "team": "leadline"}, "on-call"),
        ({"alertname": "SomethingElse"}, "delivery-leads"),
    ],
)
def test_an_alert_reaches_who_has_to_act(labels: dict[str, str], receivers: str, amtool: Program) -> None:
    assert routed(labels, amtool) == ["journal", receivers]


def routed(labels: dict[str, str], amtool: Program) -> list[str]:
    """Return the receivers of an alert."""
    words = [f"{name}={value}" for name, value in labels.items()]
    told = amtool("config", "routes", "test", f"--config.file={CONFIG}", *words)
    assert told.returncode == 0, told.stderr
    return told.stdout.strip().split(",")


@each_alert
def test_every_alert_has_a_receiver_by_its_kind(alert: Alert, amtool: Program) -> None:
    labels = labels_of(alert.name)
    told = routed(labels, amtool)[-1]
    if labels["kind"] == "health":
        assert told == {"critical": "on-call", "warning": "leadline-owners"}[labels["severity"]]
    elif labels["severity"] == "info":
        assert told == "planning"
    else:
        assert told == {"growth": "team-growth"}.get(labels["team"], "delivery-leads")


def test_messages_are_grouped_by_alert_and_by_whom_it_is_about(config: Config) -> None:
    assert config["route"]["group_by"] == ["alertname", "team", "pair", "initiative"]
    health = next(route for route in config["route"]["routes"] if route.get("matchers") == ['kind="health"'])
    assert health["group_by"] == ["alertname", "connector", "instance"]


# --- receivers ------------------------------------------------------------------------------------------------------


def test_there_is_a_sample_of_each_kind_of_receiver_and_each_is_used(config: Config) -> None:
    receivers = {receiver["name"]: receiver for receiver in config["receivers"]}
    kinds = {kind for receiver in receivers.values() for kind in receiver if kind.endswith("_configs")}
    assert kinds == {"slack_configs", "email_configs", "webhook_configs"}
    assert set(_receivers(config["route"])) == receivers.keys()


def _receivers(route: Config) -> list[str]:
    below = [name for child in route.get("routes", []) for name in _receivers(child)]
    return [*([route["receiver"]] if "receiver" in route else []), *below]


def test_secrets_are_in_files(config: Config) -> None:
    secret = {"api_url", "smtp_auth_password", "auth_password", "credentials", "bearer_token", "password", "api_key"}
    assert _keys(config) & secret == set()
    assert {"smtp_auth_password_file", "api_url_file", "credentials_file"} <= _keys(config)


def _keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in _keys(inner)}
    return {key for inner in value for key in _keys(inner)} if isinstance(value, list) else set()


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("title", "[FIRING] growth waits for core longer than agreed (and 1 more)"),
        ("link", "http://localhost:3000/d/leadline-coordination?var-team=growth"),
        ("text", "<https://leadline.example/deploy/runbooks/DependencyOverdue.md|Runbook>"),
        ("html", '<a href="http://localhost:8080/api/v1/metrics?metric=open_dependencies&'),
    ],
)
def test_a_message_says_what_it_means_and_where_to_look(
    template: str, expected: str, tmp_path: Path, amtool: Program
) -> None:
    (alert,) = fired("DependencyOverdue")
    one = {"status": "firing", "labels": alert["exp_labels"], "annotations": alert["exp_annotations"]}
    (tmp_path / "data.json").write_text(json.dumps({"status": "firing", "alerts": [one, one | {"status": "resolved"}]}))
    told = amtool(
        "template",
        "render",
        f"--template.glob={FOLDER / 'templates' / '*.tmpl'}",
        f"--template.data={tmp_path / 'data.json'}",
        f'--template.text={{{{ template "leadline.{template}" . }}}}',
    )
    assert expected in told.stdout, told.stderr
    if template in {"text", "html"}:
        assert "Clears when no wait of the pair is overdue" in told.stdout
        assert "Resolved." in told.stdout


# --- inhibition -----------------------------------------------------------------------------------------------------


def tell(server: Alertmanager, *names: str) -> None:
    """Tell a server that these alerts fire, and wait until it has looked at them."""
    alerts = [{"labels": labels_of(name) | {"instance": "leadline:8080"}} for name in names]
    server.client.post("/api/v2/alerts", json=alerts).raise_for_status()
    until(lambda: {each["labels"]["alertname"] for each in server.alerts()} >= set(names), "the alerts have arrived")
    until(lambda: all(each["status"]["state"] != "unprocessed" for each in server.alerts()), "they are looked at")


def muted(server: Alertmanager) -> set[str]:
    """Return the alerts that a server keeps to itself."""
    return {each["labels"]["alertname"] for each in server.alerts() if each["status"]["inhibitedBy"]}


BUSINESS = [alert.name for alert in ALERTS if alert.group == "leadline.business"]


def test_nothing_is_muted_without_a_cause(alertmanager: Callable[..., Alertmanager]) -> None:
    server = alertmanager(CONFIG)
    tell(server, *(name for name in NAMES if name not in BLIND))
    assert muted(server) == set()


@pytest.mark.parametrize("cause", BLIND)
def test_alerts_about_the_work_are_muted_while_leadline_is_blind(
    cause: str, alertmanager: Callable[..., Alertmanager]
) -> None:
    server = alertmanager(CONFIG)
    tell(server, cause, *BUSINESS)
    until(lambda: muted(server) == set(BUSINESS), f"{cause} mutes the alerts about the work, and only these")


def test_the_cause_is_told_and_its_consequences_are_not(alertmanager: Callable[..., Alertmanager]) -> None:
    server = alertmanager(CONFIG)
    health = {alert.name for alert in ALERTS if alert.group == "leadline.health"}
    tell(server, *health)
    until(lambda: muted(server) == health - {"LeadlineDown", "LogDown"}, "what follows is muted, and only that")
