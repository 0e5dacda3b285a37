"""The compose file: what it mounts exists, everything is confined, and nobody outside reaches it."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pipeline.settings import load_settings
from tests.architecture.sources import ROOT
from tests.deploy.test_image import of
from tests.deploy.tools import DEPLOY, package

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PARTS = sorted(SERVICES)


def mounts(service: str) -> list[list[str]]:
    """Return source, target and mode of what is mounted from a volume or from beside the file."""
    return [each.split(":") for each in SERVICES[service].get("volumes", []) if isinstance(each, str)]


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that deploy/secrets.sh makes."""
    folder = tmp_path_factory.mktemp("secrets") / "secrets"
    subprocess.run([DEPLOY / "secrets.sh", folder], check=True, capture_output=True, timeout=30)
    return folder


def test_it_keeps_to_the_specification() -> None:
    schema = json.loads((package("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    jsonschema.Draft7Validator(schema).validate(COMPOSE)


@pytest.mark.parametrize("service", PARTS)
def test_what_is_mounted_exists(service: str) -> None:
    for source, _, *mode in mounts(service):
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
            assert mode == ["ro"]
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("service", PARTS)
def test_a_part_is_confined(service: str) -> None:
    part = SERVICES[service]
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert part["ports"]
    assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in part["ports"])


@pytest.mark.parametrize("service", PARTS)
def test_a_part_is_pinned_and_tells_how_it_is(service: str) -> None:
    part = SERVICES[service]
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+", part["image"])
    told = of("HEALTHCHECK") if "build" in part else part["healthcheck"]["test"]
    port = part["ports"][0].split(":")[1]
    assert any(f"http://127.0.0.1:{port}/" in word for word in told)


def test_what_waits_for_another_waits_for_its_health() -> None:
    for part in SERVICES.values():
        for name, condition in part.get("depends_on", {}).items():
            assert name in SERVICES
            assert condition == {"condition": "service_healthy"}


def test_the_image_is_that_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    leadline = SERVICES["leadline"]
    assert leadline["image"] == f"leadline:{version}"
    build = leadline["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    (data,) = (target for source, target, *_ in mounts("leadline") if source == "leadline")
    assert [data] == of("VOLUME")


def test_every_secret_is_a_file_that_is_made(secrets: Path) -> None:
    wanted = {name for part in SERVICES.values() for name in part.get("secrets", [])}
    assert wanted == set(COMPOSE["secrets"]) == files_in(secrets)
    for name in wanted:
        assert COMPOSE["secrets"][name]["file"] == f"${{LEADLINE_SECRETS:-./secrets}}/{name}"
        assert re.fullmatch(r"[0-9a-f]{48}", (secrets / name).read_text())
        assert (secrets / name).stat().st_mode & 0o777 == 0o444
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert len({(secrets / name).read_text() for name in wanted}) == len(wanted)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


def test_a_secret_that_is_there_is_kept(secrets: Path) -> None:
    before = {name: (secrets / name).read_text() for name in files_in(secrets)}
    done = subprocess.run([DEPLOY / "secrets.sh", secrets], check=True, capture_output=True, text=True, timeout=30)
    assert "made" not in done.stdout
    assert {name: (secrets / name).read_text() for name in files_in(secrets)} == before


def test_what_alertmanager_reads_is_mounted_and_asked_for(secrets: Path) -> None:
    named = set(re.findall(r"/etc/alertmanager/(\S+?)[\"'\s]", (DEPLOY / "alertmanager/alertmanager.yml").read_text()))
    (mounted,) = (each for each in SERVICES["alertmanager"]["volumes"] if isinstance(each, dict))
    assert mounted["target"] == "/etc/alertmanager/secrets"
    assert mounted["source"] == "${LEADLINE_SECRETS:-./secrets}/alertmanager"
    assert (secrets / "alertmanager").is_dir()
    told = subprocess.run([DEPLOY / "secrets.sh", secrets], check=True, capture_output=True, text=True, timeout=30)
    wanted = {name.removeprefix("secrets/") for name in named if name.startswith("secrets/")}
    assert wanted == {line.rpartition("/")[2] for line in told.stdout.splitlines()}


def test_the_settings_in_it_are_settings(tmp_path: Path, secrets: Path) -> None:
    content = COMPOSE["configs"]["leadline"]["content"].replace("/run/secrets", str(secrets))
    (tmp_path / "leadline.yaml").write_text(content)
    settings = load_settings(tmp_path / "leadline.yaml")
    assert settings.connectors
    for name, connector in settings.connectors.items():
        assert [each.get_secret_value() for each in connector.secrets] == [(secrets / name).read_text()]


def test_addresses_between_parts_are_parts() -> None:
    told = (DEPLOY / "prometheus" / "prometheus.yml").read_text() + "".join(
        path.read_text() for path in sorted((DEPLOY / "grafana" / "provisioning").rglob("*.y*ml"))
    )
    addresses = set(re.findall(r"\b([a-z]+):(\d{4})\b", told))
    ports = {(name, part["ports"][0].split(":")[2]) for name, part in SERVICES.items()}
    assert {each for each in addresses if each[0] != "localhost"} <= ports
    assert len(addresses) > 1


def test_dashboards_are_where_grafana_looks_for_them() -> None:
    providers = [
        provider
        for path in (DEPLOY / "grafana" / "provisioning" / "dashboards").glob("*.y*ml")
        for provider in yaml.safe_load(path.read_text())["providers"]
    ]
    wanted = {Path(provider["options"]["path"]) for provider in providers}
    (found,) = (DEPLOY / source for source, target, *_ in mounts("grafana") if wanted & {Path(target)})
    assert list(found.glob("*.json"))
