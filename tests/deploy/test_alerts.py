"""Every alert has a runbook, fires in one test and is silent in another; it leads somewhere and heeds its volume."""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from pipeline.exporter.collector import series_name
from pipeline.metrics.catalogue import BY_NAME, CATALOGUE, SCOPE_KINDS, WINDOWS
from tests.architecture.sources import ROOT
from tests.deploy.binaries import Program

DEPLOY = ROOT / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
RUNBOOKS = DEPLOY / "runbooks"
DASHBOARDS = DEPLOY / "grafana" / "json"
#: Recording rules that no alert reads: dashboards and annotations do.
ONLY_SHOWN = {"leadline:links:info"}
ANNOTATIONS = {"summary", "description", "clears", "runbook_url", "evidence_url", "dashboard_url"}
_RECORDED = re.compile(r"\b[a-z]+:[a-z0-9_]+:[a-z0-9_]+\b")


class Alert(NamedTuple):
    """An alerting rule, and the name of the group it is in."""

    name: str
    group: str
    rule: dict[str, Any]

    @property
    def expr(self) -> str:
        return str(self.rule["expr"])


def _groups(file: str) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = yaml.safe_load((PROMETHEUS / "rules" / file).read_text("utf-8"))["groups"]
    return groups


ALERTS = [Alert(rule["alert"], group["name"], rule) for group in _groups("alerts.yml") for rule in group["rules"]]
NAMES = [alert.name for alert in ALERTS]
RECORDED = {
    rule["record"]: str(rule["expr"])
    for file in ("thresholds.yml", "recording.yml")
    for group in _groups(file)
    for rule in group["rules"]
}
each_alert = pytest.mark.parametrize("alert", ALERTS, ids=NAMES)


@cache
def cases(name: str) -> list[dict[str, Any]]:
    """Return the cases of the promtool test of an alert."""
    found: list[dict[str, Any]] = yaml.safe_load((PROMETHEUS / "tests" / f"{name}.yml").read_text("utf-8"))["tests"]
    return found


def fired(name: str) -> list[dict[str, Any]]:
    """Return the alerts that the test expects, each with `exp_labels` and `exp_annotations`."""
    return [
        alert for case in cases(name) for moment in case["alert_rule_test"] for alert in moment.get("exp_alerts") or []
    ]


def expanded(expression: str) -> str:
    """Return an expression with the names of recorded series replaced by what they are recorded from."""
    while known := [name for name in _RECORDED.findall(expression) if ":" in name and name in RECORDED]:
        for name in known:
            expression = re.sub(rf"\b{re.escape(name)}\b", RECORDED[name].replace("\\", r"\\"), expression)
    return expression


# --- the files ------------------------------------------------------------------------------------------------------


def test_promtool_accepts_the_configuration_and_every_rule(promtool: Program) -> None:
    checked = promtool("check", "config", PROMETHEUS / "prometheus.yml")
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout
    checked = promtool("check", "rules", *sorted((PROMETHEUS / "rules").glob("*.yml")))
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout
    assert f"SUCCESS: {len(ALERTS)} rules found" in checked.stdout


def test_alerts_runbooks_and_tests_are_the_same() -> None:
    assert len(NAMES) == len(set(NAMES))
    assert sorted(path.stem for path in RUNBOOKS.glob("*.md")) == sorted(NAMES)
    assert sorted(path.stem for path in (PROMETHEUS / "tests").iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_fires_when_it_has_to_and_is_silent_otherwise(name: str, promtool: Program) -> None:
    tested = promtool("test", "rules", PROMETHEUS / "tests" / f"{name}.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("name", NAMES)
def test_one_case_fires_and_another_is_silent(name: str) -> None:
    kinds = {"fires": 0, "silent": 0}
    for case in cases(name):
        kind = case["name"].split(":")[0]
        moments = case["alert_rule_test"]
        kinds[kind] += 1
        assert {moment["alertname"] for moment in moments} == {name}
        assert bool(moments[-1]["exp_alerts"]) == (kind == "fires"), case["name"]
    assert min(kinds.values()) >= 1


# --- the rules ------------------------------------------------------------------------------------------------------


def test_recorded_series_are_named_by_level_metric_and_operations_and_all_are_used() -> None:
    assert [name for name in RECORDED if not re.fullmatch(r"(leadline|org|team|pair|connector):\w+:\w+", name)] == []
    read = "\n".join([*(alert.expr for alert in ALERTS), *RECORDED.values()])
    assert set(_RECORDED.findall(read)) == RECORDED.keys() - ONLY_SHOWN


def test_limits_stand_in_one_place() -> None:
    """No alert compares with another number than 0 and 1, which are no matter of taste."""
    compared = {
        (alert.name, number)
        for alert in ALERTS
        for number in re.findall(r"(?:[<>]=?|==|!=)\s*(-?[\d.]+)", alert.expr)
        if number not in {"0", "1"}
    }
    assert compared == set()
    constants = {rule["record"]: rule["expr"] for group in _groups("thresholds.yml") for rule in group["rules"]}
    assert {name: text for name, text in constants.items() if not re.fullmatch(r"vector\([\d. *]+\)", text)} == {}
    told = "\n".join((RUNBOOKS / f"{name}.md").read_text("utf-8") for name in NAMES)
    assert constants.keys() - set(_RECORDED.findall(told)) == ONLY_SHOWN


@each_alert
def test_it_waits_before_it_fires_and_outlasts_a_restart(alert: Alert) -> None:
    assert {"for", "keep_firing_for"} <= alert.rule.keys()


@each_alert
def test_it_says_who_is_told_and_how(alert: Alert) -> None:
    kind = {"leadline.business": "business", "leadline.health": "health"}[alert.group]
    severities = {"business": {"warning", "info"}, "health": {"critical", "warning"}}[kind]
    for each in fired(alert.name):
        labels = each["exp_labels"]
        assert labels["team"], "somebody has to be told"
        assert (labels["kind"], labels["severity"] in severities) == (kind, True)


@each_alert
def test_a_number_over_a_window_is_heeded_only_with_enough_observations(alert: Alert) -> None:
    text = expanded(alert.expr)
    windowed = [metric for metric in CATALOGUE if metric.windowed and metric.name in text]
    for metric in windowed:
        if series_name(metric.name, metric.unit) in text:
            guard = rf"leadline_{metric.name}_sample_size:max\{{window=\"\d+d\"\}} >= on \(\).*:minimum"
            assert re.search(guard, alert.expr), metric.name


def test_the_check_of_volume_sees_the_alerts_that_need_it() -> None:
    guarded = {alert.name for alert in ALERTS if alert.group == "leadline.business" and ":minimum" in alert.expr}
    assert guarded == set(NAMES[NAMES.index("ChangeFailBudgetBurning") : NAMES.index("SourceSilent")])


@pytest.mark.parametrize("minimum", sorted(name for name in RECORDED if name.endswith(":minimum")))
def test_without_a_minimum_a_test_fails(minimum: str, tmp_path: Path, promtool: Program) -> None:
    """A guard that can be taken away unnoticed is none."""
    shutil.copytree(PROMETHEUS, tmp_path / "prometheus")
    path = tmp_path / "prometheus" / "rules" / "thresholds.yml"
    text = path.read_text("utf-8")
    weakened = re.sub(rf"(record: {minimum}\n +expr: )vector\(\d+\)", r"\1vector(0)", text)
    assert weakened != text
    path.write_text(weakened, "utf-8")
    name = next(alert.name for alert in ALERTS if minimum in alert.expr)
    tested = promtool("test", "rules", tmp_path / "prometheus" / "tests" / f"{name}.yml")
    assert (tested.returncode, "exp:[]" in tested.stdout + tested.stderr) == (1, True)


# --- where it leads -------------------------------------------------------------------------------------------------


@each_alert
def test_what_is_told_is_complete_and_leads_somewhere(alert: Alert) -> None:
    for each in fired(alert.name):
        told = each["exp_annotations"]
        assert set(told) == ANNOTATIONS
        assert not [text for text in told.values() if re.search(r"<no value>|<error|\{\{", text)]
        assert told["runbook_url"].endswith(f"/deploy/runbooks/{alert.name}.md")
        _is_evidence(urlsplit(told["evidence_url"]).path, parse_qs(urlsplit(told["evidence_url"]).query))
        _is_a_dashboard(urlsplit(told["dashboard_url"]).path, parse_qs(urlsplit(told["dashboard_url"]).query))


def _is_evidence(path: str, query: dict[str, list[str]]) -> None:
    if path == "/api/v1/metrics":
        assert query["metric"][0] in BY_NAME
        assert query["scope_kind"][0] in SCOPE_KINDS
        assert query["scope"][0]
        assert int(query.get("window", ["28"])[0]) in WINDOWS
    else:
        assert path in {"/api/v1/quarantine", "/readyz", "/graph"}
        assert path != "/graph" or query["g0.expr"][0]


def _is_a_dashboard(path: str, query: dict[str, list[str]]) -> None:
    uid = path.removeprefix("/d/")
    text = (DASHBOARDS / f"{uid}.json").read_text("utf-8")
    assert f'"uid": "{uid}"' in text
    assert [name for name in query if f'"name": "{name.removeprefix("var-")}"' not in text] == []
