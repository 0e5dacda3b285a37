from __future__ import annotations

import json

import pytest

from pipeline.cli.audit import show
from pipeline.cli.output import Format
from tests.audit.auditing import verdict_on
from tests.simulation.story import deployment_id


def test_a_fold_that_is_wrong_is_shown_with_both_values(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = verdict_on(caused_by="INC-1")
    assert not verdict.agrees
    show(verdict, Format.JSON)
    shown = capsys.readouterr()
    assert json.loads(shown.out) == [
        {"kind": "deployment", "id": deployment_id(name), "field": "caused_by", "fold": "INC-1", "audit": None}
        for name in ("d0", "d1")
    ]
    assert "2 fields differ" in shown.err


def test_agreement_prints_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    show(verdict_on(), Format.TABLE)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "equal" in shown.err
