"""The chart: values that are checked, objects that Kubernetes takes, rules and dashboards as they are shipped."""

from __future__ import annotations

import importlib
import json
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pipeline.settings import Settings, load_settings
from tests.architecture.sources import ROOT
from tests.deploy.tools import DEPLOY, TOOLS, package, program

CHART = DEPLOY / "helm" / "leadline"
VALUES = sorted((CHART / "ci").glob("*.yaml"))
#: The oldest and the latest that objects are checked against.
KUBERNETES = ("1.27", "1.34")
SOURCES = {"rules": DEPLOY / "prometheus" / "rules", "dashboards": DEPLOY / "grafana" / "json"}

Object = dict[str, Any]


def schema() -> Object:
    found: Object = json.loads((CHART / "values.schema.json").read_text())
    return found


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("helm"), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )


def rendered(values: Path, *options: str) -> list[Object]:
    done = helm(
        "template", "rel", CHART, "--namespace", "ns", "--kube-version", f"{KUBERNETES[0]}.0", "-f", values, *options
    )
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def kind(objects: list[Object], name: str) -> Object:
    (found,) = (each for each in objects if each["kind"] == name)
    return found


def pods(objects: list[Object]) -> Iterator[Object]:
    for each in objects:
        if each["kind"] == "StatefulSet":
            yield each["spec"]["template"]["spec"]
        if each["kind"] == "CronJob":
            yield each["spec"]["jobTemplate"]["spec"]["template"]["spec"]


# --- without helm


def test_the_chart_is_of_the_project() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.mark.parametrize("name", SOURCES)
def test_rules_and_dashboards_are_the_shipped_ones(name: str) -> None:
    shipped = {path.name: path.read_bytes() for path in SOURCES[name].iterdir() if path.is_file()}
    assert {path.name: path.read_bytes() for path in (CHART / "files" / name).iterdir() if path.is_file()} == shipped
    assert shipped


@pytest.mark.parametrize("values", [CHART / "values.yaml", *VALUES], ids=lambda path: path.stem)
def test_values_keep_to_the_schema(values: Path) -> None:
    jsonschema.Draft7Validator.check_schema(schema())
    jsonschema.validate(yaml.safe_load(values.read_text()), schema())


def test_every_value_is_known_to_the_schema() -> None:
    def unknown(values: Object, known: Object, path: str) -> Iterator[str]:
        for name, value in values.items():
            if name not in known.get("properties", {}):
                yield f"{path}{name}"
            elif isinstance(value, dict) and "properties" in known["properties"][name]:
                yield from unknown(value, known["properties"][name], f"{path}{name}.")

    assert list(unknown(yaml.safe_load((CHART / "values.yaml").read_text()), schema(), "")) == []
    names = schema()["properties"]["settings"]["propertyNames"]["enum"]
    assert set(names) == set(Settings.model_fields) - {"actor_key"}, "a secret does not belong into a ConfigMap"


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"backup": {"schedul": "0 1 * * *"}}, "schedul"),
        ({"backup": {"schedule": "nightly"}}, "nightly"),
        ({"image": {"digest": "latest"}}, "latest"),
        ({"persistence": {"accessModes": ["ReadWriteMany"]}}, "ReadWriteMany"),
        ({"settings": {"actor_key": "secret"}}, "actor_key"),
        ({"service": {"port": 0}}, "0 is less than"),
    ],
)
def test_a_wrong_value_is_refused(values: Object, where: str) -> None:
    with pytest.raises(jsonschema.ValidationError, match=where):
        jsonschema.validate(values, schema())


# --- with helm


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_helm_finds_nothing_wrong(values: Path) -> None:
    done = helm("lint", "--strict", CHART, "-f", values)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_every_object(values: Path, version: str) -> None:
    package("kubernetes_validate")
    kubernetes_validate = importlib.import_module("kubernetes_validate")
    checked = [each for each in rendered(values) if "monitoring.coreos.com" not in each["apiVersion"]]
    for each in checked:
        kubernetes_validate.validate(each, version, strict=True)
        assert len(each["metadata"]["name"]) <= 63
    assert checked


def test_the_operator_takes_its_objects() -> None:
    found = {each["kind"]: each for each in rendered(CHART / "ci" / "full.yaml") if "coreos" in each["apiVersion"]}
    assert set(found) == {"PodMonitor", "ServiceMonitor", "PrometheusRule"}
    for name, each in found.items():
        crd = yaml.safe_load((TOOLS / "crds" / f"{name.lower()}s.yaml").read_text())["spec"]
        (version,) = (known for known in crd["versions"] if f"{crd['group']}/{known['name']}" == each["apiVersion"])
        strict = closed(version["schema"]["openAPIV3Schema"])
        jsonschema.validate(each, {**strict, "properties": {**strict["properties"], "metadata": {"type": "object"}}})


def closed(told: Any) -> Any:
    """Return a schema that refuses what it does not name, which the server would drop in silence.

    Its patterns are Go's, which Python does not read.
    """
    if isinstance(told, list):
        return [closed(each) for each in told]
    if not isinstance(told, dict):
        return told
    found = {name: closed(each) for name, each in told.items() if name != "pattern" or not isinstance(each, str)}
    if isinstance(told.get("properties"), dict) and "additionalProperties" not in told:
        found["additionalProperties"] = told.get("x-kubernetes-preserve-unknown-fields", False)
    return found


def test_the_rules_are_not_changed_on_the_way() -> None:
    rule = kind(rendered(CHART / "ci" / "full.yaml"), "PrometheusRule")
    shipped = [
        group
        for path in sorted(SOURCES["rules"].glob("*.yml"))
        for group in yaml.safe_load(path.read_text()).get("groups", [])
    ]
    assert rule["spec"]["groups"] == shipped


def test_the_dashboards_are_not_changed_on_the_way() -> None:
    maps = [
        each
        for each in rendered(CHART / "ci" / "full.yaml")
        if each["kind"] == "ConfigMap" and each["metadata"]["labels"].get("grafana_dashboard") == "1"
    ]
    found = {name: json.loads(text) for each in maps for name, text in each["data"].items()}
    assert found == {path.name: json.loads(path.read_text()) for path in SOURCES["dashboards"].glob("*.json")}


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_every_container_is_confined(values: Path) -> None:
    objects = rendered(values)
    for pod in pods(objects):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            volumes = {each["name"] for each in pod["volumes"]}
            assert {each["name"] for each in container["volumeMounts"]} <= volumes
            assert container["resources"]["limits"]["memory"]


def test_the_probes_ask_what_is_served() -> None:
    (container,) = kind(rendered(CHART / "ci" / "minimal.yaml"), "StatefulSet")["spec"]["template"]["spec"][
        "containers"
    ]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: each["path"] for name, each in asked.items()} == {
        "startup": "/healthz",
        "liveness": "/healthz",
        "readiness": "/readyz",
    }
    assert {each["port"] for each in asked.values()} <= set(ports)
    assert [str(ports["http"]), str(ports["metrics"])] == [
        container["args"][container["args"].index(option) + 1] for option in ("--port", "--metrics-port")
    ]


def test_selectors_find_the_server_and_it_alone() -> None:
    objects = rendered(CHART / "ci" / "full.yaml")
    labels = {
        "server": kind(objects, "StatefulSet")["spec"]["template"]["metadata"]["labels"],
        "backup": kind(objects, "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"],
    }
    policy = next(each for each in objects if each["kind"] == "NetworkPolicy")["spec"]["podSelector"]
    for selector in (
        kind(objects, "Service")["spec"]["selector"],
        kind(objects, "PodMonitor")["spec"]["selector"]["matchLabels"],
        policy["matchLabels"],
    ):
        assert selector.items() <= labels["server"].items()
        assert not selector.items() <= labels["backup"].items()


def test_the_settings_in_the_config_map_are_settings(tmp_path: Path) -> None:
    settings = next(each for each in rendered(CHART / "ci" / "full.yaml") if "leadline.yaml" in each.get("data", {}))
    text = settings["data"]["leadline.yaml"].replace("/run/secrets/leadline", str(tmp_path))
    (tmp_path / "github").write_text("secret")
    (tmp_path / "leadline.yaml").write_text(text)
    assert list(load_settings(tmp_path / "leadline.yaml").connectors) == ["github"]
