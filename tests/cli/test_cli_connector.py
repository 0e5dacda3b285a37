"""`leadline connector` over the connectors of the product, and the harness over a connector that it wrote."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli.connector import app, write_connector
from pipeline.events.codec import decode
from pipeline.events.errors import ConfigError
from pipeline.events.types import DeploymentEvent
from pipeline.wiring import CONNECTORS

ROOT = Path(__file__).parents[2]
PING = ROOT / "connectors/github/cases/ping/delivery.json"
MERGED = ROOT / "connectors/github/cases/merged/webhook/delivery.json"
MAPPING = """\
source: https://deploys.example.com
mappings:
  - kind: done
    type: service.deployed
    time: at
    fields: {deployment: id, environment: env}
"""


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LEADLINE_CONFIG", raising=False)
    return tmp_path


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False, input=stdin)


def body_of(case: Path, target: Path) -> str:
    target.write_text(json.dumps(json.loads(case.read_text(encoding="utf-8"))["body"]), encoding="utf-8")
    return str(target)


def configured(workplace: Path, **connectors: Any) -> None:
    (workplace / "leadline.yaml").write_text(json.dumps({"connectors": connectors}), encoding="utf-8")


def test_list_names_every_connector_and_how_its_door_stands(workplace: Path) -> None:
    configured(
        workplace,
        github={"secrets": ["s"]},
        jira={"allow_unsigned": True, "settings": {"tracker": "desk"}},
    )
    result = run("list", "-o", "json")
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert sorted(rows) == sorted(CONNECTORS)
    assert all(row["reads"] for row in rows.values())
    assert [rows[name]["door"] for name in ("github", "jira", "cdevents")] == ["signed", "unsigned", "closed"]
    assert rows["jira"]["settings"] == ["tracker"]


def test_show_tells_settings_their_origin_and_no_secret(workplace: Path) -> None:
    configured(workplace, jira={"secrets": ["hush"], "settings": {"tracker": "desk", "api_token": "hush", "odd": "1"}})
    result = run("show", "jira", "-o", "json")
    rows = {row["setting"]: row for row in json.loads(result.stdout)}
    assert rows["tracker"] == {"setting": "tracker", "value": "desk", "origin": "configured", "known": True}
    assert rows["incident_labels"]["origin"] == "default"
    assert (rows["odd"]["known"], rows["api_token"]["value"]) == (False, "***")
    assert "POST /hooks/jira; secrets: 1;" in result.stderr
    assert "hush" not in result.output


def test_show_prints_the_readme() -> None:
    assert run("show", "jira", "--readme").stdout == (ROOT / "connectors/jira/README.md").read_text(encoding="utf-8")


def test_an_unknown_connector_is_a_usage_error_with_the_nearest_name() -> None:
    result = run("show", "gitub")
    assert result.exit_code == 2
    assert "did you mean 'github'?" in " ".join(result.stderr.replace("│", " ").split())


def test_try_prints_the_events_of_a_body_and_stores_nothing(workplace: Path) -> None:
    file = body_of(MERGED, workplace / "body.json")
    result = run("try", "github", file, "--header", "X-GitHub-Event=pull_request", "-o", "ndjson")
    events = [decode(line.encode()) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert "dev.cdevents.change.merged.0.3.0" in {event.type for event in events}
    assert result.stderr == f"pull_request: {len(events)} events\n"
    again = json.loads(run("try", "github", file, "--kind", "pull_request", "-o", "json").stdout)
    assert [event["id"] for event in again] == [event.id for event in events]
    assert [path.name for path in workplace.iterdir()] == ["body.json"]


def test_try_prints_a_table_for_people(workplace: Path) -> None:
    file = body_of(MERGED, workplace / "body.json")
    table = run("try", "github", file, "--kind", "pull_request")
    assert table.stdout.split()[:5] == ["type", "time", "subject", "key", "data"]
    assert "change.merged" in table.stdout


def test_try_names_what_is_left_out_and_exits_0(workplace: Path) -> None:
    result = run("try", "github", body_of(PING, workplace / "body.json"), "--kind", "ping")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "ping: left out on purpose as 'ping'\n"


def test_try_exits_1_with_the_reason_of_a_quarantine() -> None:
    result = run("try", "github", "-", "--kind", "push", stdin="{oops")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("push: quarantined, bad_json: ")
    assert run("try", "github", "-", "--kind", "psh", stdin="{}").exit_code == 1


def test_try_needs_a_file_and_pairs(workplace: Path) -> None:
    assert run("try", "github", "absent.json").exit_code == 2
    file = body_of(PING, workplace / "body.json")
    result = run("try", "github", file, "--header", "X-GitHub-Event")
    assert (result.exit_code, "NAME=VALUE" in result.stderr) == (2, True)


def test_try_takes_settings_from_the_configuration_and_from_the_command(workplace: Path) -> None:
    (workplace / "m.yaml").write_text(MAPPING, encoding="utf-8")
    (workplace / "bad.yaml").write_text(MAPPING.replace("env}", "env, sah: x}"), encoding="utf-8")
    body = '{"id": 7, "env": "prod", "at": "2026-11-20T10:00:00Z"}'
    result = run("try", "mapping", "-", "--set", "mapping=@m.yaml", "-o", "ndjson", stdin=body)
    event = decode(result.stdout.encode())
    assert event.data == DeploymentEvent(deployment="7", environment="prod")
    configured(workplace, mapping={"settings": {"mapping": MAPPING}})
    assert run("try", "mapping", "-", "-o", "ndjson", stdin=body).stdout == result.stdout
    with pytest.raises(ConfigError, match=r"bad\.yaml:6: mappings\[0\]\.fields\.sah: .*did you mean 'sha'\?"):
        run("try", "mapping", "-", "--set", "mapping=@bad.yaml", stdin=body)
    with pytest.raises(ConfigError, match=r"--set mapping: absent\.yaml: cannot be read"):
        run("try", "mapping", "-", "--set", "mapping=@absent.yaml", stdin=body)


@pytest.mark.parametrize("name", ["Acme", "1st", "a-b", "", "class", "a" * 41])
def test_new_takes_names_of_packages_only(name: str, workplace: Path) -> None:
    (workplace / "__init__.py").touch()
    with pytest.raises(ConfigError, match="is no name for a connector"):
        write_connector(name, workplace)


def test_new_overwrites_nothing_and_knows_its_place(workplace: Path) -> None:
    with pytest.raises(ConfigError, match="holds no connectors"):
        write_connector("acme_ci", workplace)
    (workplace / "__init__.py").touch()
    written = write_connector("acme_ci", workplace)
    assert workplace / "acme_ci/cases/deployed/same.json" in written
    before = [path.read_bytes() for path in written]
    for name in ("acme_ci", "github"):
        with pytest.raises(ConfigError, match="there is a connector of this name"):
            write_connector(name, workplace)
    assert [path.read_bytes() for path in written] == before


def test_a_new_connector_passes_the_tests_that_every_connector_passes(workplace: Path) -> None:
    """In a checkout of its own that holds nothing but the product, the harness, and the new folder."""
    for name in ("pipeline", "pyproject.toml"):
        (workplace / name).symlink_to(ROOT / name)
    (workplace / "connectors").mkdir()
    shutil.copy(ROOT / "connectors/__init__.py", workplace / "connectors")
    (workplace / "tests/connectors").mkdir(parents=True)
    for name in ("conftest.py", *(f"connectors/{part}.py" for part in ("casebook", "mutations", "test_cases"))):
        shutil.copy(ROOT / "tests" / name, workplace / "tests" / name)
    result = run("new", "none")
    assert result.exit_code == 0
    assert "pytest tests/connectors -k none" in result.stderr.replace("\n", " ")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/connectors/test_cases.py"]
    done = subprocess.run(command, cwd=workplace, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
    linted = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "connectors"],
        cwd=workplace,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout
