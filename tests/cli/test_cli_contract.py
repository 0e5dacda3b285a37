"""`leadline contract` over a log in memory, and its verbs that need none through the command line itself."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
import typer
import yaml
from typer.testing import CliRunner

from pipeline.cli.contract import (
    app,
    as_document,
    declare,
    listing,
    parse_kind,
    parse_moment,
    print_object,
    read_contract,
    remeasuring,
    summary,
    write_starter,
)
from pipeline.cli.output import Format
from pipeline.contract.declare import changes
from pipeline.contract.load import load
from pipeline.events.codec import encode
from pipeline.events.envelope import Event
from pipeline.events.errors import ConfigError
from pipeline.events.times import to_us
from pipeline.events.types import ArtifactPublished
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import EVENTS, Record

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
STARTER = [
    "initiatives.yaml",
    "leadline.schema.json",
    "metrics.yaml",
    "policy.yaml",
    "services.yaml",
    "statuses.yaml",
    "teams.yaml",
]


def apply_files(log: MemoryLog, directory: Path, now: datetime) -> list[dict[str, object]]:
    contract = read_contract(log)
    events = changes(load([directory]).require(), contract, now, prune=True)
    declare(log, events, now)
    return summary(events, contract)


def test_init_writes_a_contract_that_validates_and_overwrites_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "contract"
    result = CliRunner().invoke(app, ["init", str(directory)])
    assert result.exit_code == 0
    assert result.stdout.split() == [str(directory / name) for name in STARTER]
    schema = json.loads((directory / "leadline.schema.json").read_text())
    for file in directory.glob("*.yaml"):
        assert file.read_text().startswith("# yaml-language-server: $schema=leadline.schema.json\n")
        for document in yaml.safe_load_all(file.read_text()):
            jsonschema.Draft202012Validator(schema).validate(document)
    checked = CliRunner().invoke(app, ["validate", "--strict", str(directory)])
    assert (checked.exit_code, checked.stdout) == (0, "")
    assert "7 valid objects, 0 errors, 0 findings" in checked.stderr
    (directory / "teams.yaml").write_text("mine")
    with pytest.raises(ConfigError, match=r"teams\.yaml: exists; name another directory"):
        write_starter(directory)
    assert (directory / "teams.yaml").read_text() == "mine"
    with pytest.raises(ConfigError, match=r"teams\.yaml.*: cannot be written \(.+\); name another directory"):
        write_starter(directory / "teams.yaml" / "below")


def test_validate_prints_problems_to_stdout_and_exits_by_their_weight(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("apiVersion: leadline/v1\nkind: Team\nmetadata: {name: a}\nspec: {typ: platform}\n")
    wrong = CliRunner().invoke(app, ["validate", str(file)])
    assert (wrong.exit_code, wrong.stdout) == (3, f"{file}:4: spec.typ: unknown key; did you mean 'type'?\n")
    as_json = CliRunner().invoke(app, ["validate", "-o", "json", str(file)])
    assert as_json.exit_code == 3
    assert json.loads(as_json.stdout) == [
        {
            "severity": "error",
            "file": str(file),
            "line": 4,
            "column": 8,
            "path": "spec.typ",
            "message": "unknown key; did you mean 'type'?",
        }
    ]
    file.write_text(
        "apiVersion: leadline/v1\nkind: Team\nmetadata: {name: a}\n---\napiVersion: leadline/v1\nkind: Service\n"
        "metadata: {name: s}\nspec: {owner: a, environments: {staging: [x]}}\n"
    )
    finding = CliRunner().invoke(app, ["validate", str(file)])
    assert finding.exit_code == 0
    assert finding.stdout.endswith("add its name [finding]\n")
    assert CliRunner().invoke(app, ["validate", "--strict", str(file)]).exit_code == 1


def test_a_new_meaning_of_a_metric_is_warned_about(tmp_path: Path) -> None:
    """Samples that exist already are not derived anew by a declaration."""
    log = MemoryLog()
    write_starter(tmp_path / "contract")
    contract = read_contract(log)
    events = changes(load([tmp_path / "contract"]).require(), contract, NOW)
    warning = remeasuring(events)
    assert warning
    assert warning.startswith("activation_rate: ")
    assert "leadline rebuild --retranslate" in warning
    assert not remeasuring([event for event in events if not event.subject.startswith("Metric/")])


def test_schema_prints_json_and_refuses_another_kind() -> None:
    result = CliRunner().invoke(app, ["schema", "team"])
    assert json.loads(result.stdout)["title"] == "Leadline Team"
    assert CliRunner().invoke(app, ["schema", "Tame"]).exit_code == 2


def test_what_is_applied_is_shown_and_a_change_is_summarised(tmp_path: Path) -> None:
    log = MemoryLog()
    directory = tmp_path / "contract"
    write_starter(directory)
    first = apply_files(log, directory, NOW)
    assert {row["action"] for row in first} == {"declare"}
    assert len(first) == 7
    assert apply_files(log, directory, NOW + DAY) == []
    services = directory / "services.yaml"
    services.write_text(services.read_text().replace("owner: growth", "owner: platform"))
    (directory / "policy.yaml").unlink()
    assert apply_files(log, directory, NOW + 2 * DAY) == [
        {"action": "withdraw", "kind": "Policy", "name": "default", "effective": NOW + 2 * DAY, "changed": []},
        {
            "action": "change",
            "kind": "Service",
            "name": "shop",
            "effective": NOW + 2 * DAY,
            "changed": ['spec.owner: "growth" -> "platform"'],
        },
    ]
    contract = read_contract(log)
    assert listing(contract, "Service", None) == [
        {"kind": "Service", "name": "shop", "title": "Shop", "owner": "platform", "since": NOW + 2 * DAY, "versions": 2}
    ]
    before = to_us(NOW + DAY)
    assert [(row["kind"], row["owner"], row["since"]) for row in listing(contract, None, before)][:4] == [
        ("Initiative", "growth", "ever"),
        ("Metric", None, "ever"),
        ("Policy", None, "ever"),
        ("Service", "growth", "ever"),
    ]
    assert "Policy" not in {row["kind"] for row in listing(contract, None, None)}


def test_other_events_of_the_log_are_passed_over() -> None:
    log = MemoryLog()
    release = ArtifactPublished(repo="acme/shop", tag="v1")
    event = Event(
        id="1",
        source="s",
        type=ArtifactPublished.TYPES[0],
        time=NOW,
        subject="x",
        partitionkey="contract",
        data=release,
    )
    log.append(EVENTS, [Record(source="s", id="1", key="contract", time=NOW, value=encode(event))], NOW)
    assert not read_contract(log).has_declarations


def test_a_shown_object_can_be_applied_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = MemoryLog()
    write_starter(tmp_path)
    apply_files(log, tmp_path, NOW)
    contract = read_contract(log)
    written = tmp_path / "shown"
    written.mkdir()
    documents = [as_document(kind, name, version) for (kind, name), version in contract.objects().items()]
    (written / "all.yaml").write_text(yaml.safe_dump_all(documents))
    assert changes(load([written]).require(), contract, NOW + DAY) == []
    print_object(contract, "Team", "platform", None, Format.TABLE)
    assert yaml.safe_load(capsys.readouterr().out)["metadata"] == {"name": "platform", "displayName": "Platform"}
    print_object(contract, "Team", "platform", None, Format.JSON)
    assert json.loads(capsys.readouterr().out)["spec"] == {"type": "platform"}
    with pytest.raises(ConfigError, match=r"no Team 'plat' is declared; `leadline contract show Team` lists what is"):
        print_object(contract, "Team", "plat", None, Format.TABLE)


def test_moments_and_kinds_are_read_or_refused() -> None:
    assert parse_moment("2026-03-01") == datetime(2026, 3, 1, tzinfo=UTC)
    assert parse_moment("2026-03-01T10:00+02:00") == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert parse_kind("statusmap") == "StatusMap"
    with pytest.raises(typer.BadParameter, match="is no ISO 8601 date"):
        parse_moment("yesterday")
    with pytest.raises(typer.BadParameter, match="kinds are Initiative, Team"):
        parse_kind("Teams")
