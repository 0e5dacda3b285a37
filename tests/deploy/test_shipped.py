"""The copies that are run differ from what is shipped in what they say, and in nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy import shipped


def test_a_copy_of_the_rules_differs_in_spans_of_time_alone(tmp_path: Path) -> None:
    quick = shipped.durations("leadline.business", **{"for": "1s", "keep_firing_for": "2s"})
    shipped.copy(shipped.ALERTS, tmp_path / "alerts.yml", quick)
    found = shipped.differences(shipped.load(shipped.ALERTS), shipped.load(tmp_path / "alerts.yml"))
    assert {(place[1], place[-1], copied) for place, (_, copied) in found.items()} == {
        ("leadline.business", "for", "1s"),
        ("leadline.business", "keep_firing_for", "2s"),
    }
    assert {place[3] for place in found} >= {"CoordinationDebtGrowing", "DependencyOverdue"}


def test_everything_that_is_said_of_alertmanager_is_said_here(tmp_path: Path) -> None:
    copied = shipped.alertmanager(tmp_path / "alertmanager", "http://127.0.0.1:1", "token")
    source = shipped.ALERTMANAGER / copied.name
    fields = {place[-1] for place in shipped.differences(shipped.load(source), shipped.load(copied))}
    assert fields == {
        *("group_wait", "group_interval", "smtp_smarthost", "smtp_auth_password_file"),
        *("api_url_file", "url", "credentials_file"),
    }


def test_what_is_not_in_the_shipped_file_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="has nothing at"):
        shipped.copy(shipped.ALERTS, tmp_path / "alerts.yml", {("CoordinationDebtShrinking", "for"): "1s"})


def test_differences_see_what_is_changed_added_and_taken_away() -> None:
    ours = {"groups": [{"name": "a", "rules": [{"alert": "A", "expr": "1", "for": "1m"}]}]}
    theirs = {"groups": [{"name": "a", "rules": [{"alert": "A", "expr": "2", "labels": {"team": "x"}}]}]}
    assert shipped.differences(ours, theirs) == {
        ("groups", "a", "rules", "A", "expr"): ("1", "2"),
        ("groups", "a", "rules", "A", "for"): ("1m", None),
        ("groups", "a", "rules", "A", "labels", "team"): (None, "x"),
    }
