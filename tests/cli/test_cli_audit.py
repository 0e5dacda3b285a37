from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.cli.audit import show
from pipeline.cli.output import Format
from pipeline.engine.sqlite_store import SqliteStore
from pipeline.events.codec import encode
from pipeline.facts.rows import DeploymentFact
from pipeline.facts.state import State
from pipeline.log.protocol import EVENTS, Record
from pipeline.log.sqlite import SqliteLog
from tests.audit.auditing import EVENTS as TOLD
from tests.audit.auditing import RECORDED, verdict_on
from tests.simulation.story import deployment_id


def test_a_fold_that_is_wrong_is_shown_with_both_values(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = verdict_on(caused_by="INC-1")
    assert not verdict.agrees
    show(verdict, Format.JSON)
    shown = capsys.readouterr()
    told = [
        {"kind": "deployment", "id": deployment_id(name), "field": "caused_by", "fold": "INC-1", "audit": None}
        for name in ("d0", "d1")
    ]
    assert sorted(json.loads(shown.out), key=str) == sorted(told, key=str)
    assert "2 fields differ" in shown.err


def test_agreement_prints_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    show(verdict_on(), Format.TABLE)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "equal" in shown.err


def test_exit_codes_tell_behind_equal_and_different(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "leadline.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEADLINE_DATABASE", str(database))
    runner = CliRunner()
    log = SqliteLog(database)
    log.append(
        EVENTS,
        [Record(source=told.source, id=told.id, key="k", time=told.time, value=encode(told)) for told in TOLD],
        RECORDED,
    )
    log.close()
    assert runner.invoke(app, ["audit"]).exit_code == 1

    assert runner.invoke(app, ["run", "--once"]).exit_code == 0
    assert runner.invoke(app, ["audit"]).exit_code == 0

    store = SqliteStore(database)
    facts = State(store).table("fact_deployment", DeploymentFact)
    fact = facts.get(deployment_id("d1"))
    assert fact is not None
    facts.put(fact.id, msgspec.structs.replace(fact, failed=False))
    store.commit({"fact_deployment": facts.drain()}, {})
    store.close()
    different = runner.invoke(app, ["audit", "--output", "csv"])
    assert different.exit_code == 5
    assert f"deployment,{fact.id},failed,false,true" in different.stdout.splitlines()
