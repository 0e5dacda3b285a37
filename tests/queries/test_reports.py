"""What the reports say about histories worked out by hand, and that their sums come out."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.simulate.organisation import everything
from pipeline.simulate.plan import Plan
from pipeline.snapshots.reading import BadQuery
from tests.queries.asking import HOUR, picked, report
from tests.simulation.story import (
    SHOP,
    committed,
    deployed,
    initiative,
    merged,
    opened,
    reviewed,
    seen,
    service,
    ticket_created,
    ticket_seen,
    trouble,
)
from tests.snapshots.desk import Desk, ask


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.tell(
        service(),
        initiative("speed", tracks={"jira": [{"epic": "GROW-1"}]}),
        initiative("trust", tracks={"jira": [{"epic": "GROW-2"}]}),
        ticket_seen("01 09:00", "GROW-1", title="Faster"),
        committed("a0", "01 10:00", message="Begin"),
        deployed("02 10:00", "d0", "a0", version="v1"),
        committed("a1", "03 10:00", "a0", message="Work"),
        opened("03 12:00", 1),
        seen("03 12:00", 1, title="GROW-1: faster", commits=["a1"]),
        reviewed("03 13:00", 1),
        committed("a2", "03 15:00", "a0", "a1", message="Merge"),
        merged("03 15:00", 1, "a2"),
        committed("a3", "03 20:00", "a2", message="Directly"),
        deployed("04 15:00", "d1", "a3", version="v2", url="https://deploy.example/d1"),
        trouble("04 16:00", "INC-1", deployment="d1", severity="high", title="Down"),
        trouble("04 18:00", "INC-1", "resolved", deployment="d1", severity="high", title="Down"),
        committed("a4", "05 10:00", "a3", message="Waiting"),
        opened("06 12:00", 2),
        seen("06 12:00", 2, title="GROW-1 or GROW-2"),
    )
    desk.snap()
    return desk


def test_slowest_changes_lead_to_their_evidence(desk: Desk) -> None:
    first, second = report(desk, "slowest_changes")

    assert (first["change"], first["first_commit"], first["lead_time"]) == (f"{SHOP}#1", "a1", 29 * HOUR)
    assert (first["longest_part"], first["deploy_time"]) == ("deploy", 24 * HOUR)
    assert (first["deployment"], first["version"], first["url"]) == ("d1", "v2", "https://deploy.example/d1")
    assert (first["initiative"], first["method"]) == ("speed", "ancestry")
    assert (second["change"], second["title"], second["first_commit"]) == (f"{SHOP}@a3", "Directly", "a3")


def test_failed_deployments_name_their_incidents(desk: Desk) -> None:
    (failed,) = report(desk, "failed_deployments")
    assert failed["failures"] == ["incident: Down (explicit)"]
    assert (failed["severity"], failed["recovery_time"], failed["open_for"]) == (["high"], 3 * HOUR, None)


def test_every_commit_is_accounted_for(desk: Desk) -> None:
    rows = report(desk, "accounting")
    assert picked(rows, "what", "fate", "items", "told") == [
        ("commit", "claimed by a change", 2, 5),
        ("commit", "counted", 1, 5),
        ("commit", "not yet deployed", 1, 5),
        ("commit", "seed", 1, 5),
        ("pull request", "counted", 1, 2),
        ("pull request", "not yet deployed", 1, 2),
    ]


def test_open_work_is_listed_by_age(desk: Desk) -> None:
    assert picked(report(desk, "open_work"), "kind", "id", "age") == [("change", f"{SHOP}#2", 0.0)]


def test_ambiguous_changes_name_the_candidates(desk: Desk) -> None:
    (row,) = report(desk, "ambiguous_changes")
    assert (row["change"], row["candidates"]) == (f"{SHOP}#2", ["speed", "trust"])


def test_orphans_are_listed_by_team(desk: Desk) -> None:
    rows = report(desk, "orphan_work")
    assert picked(rows, "team", "kind", "title") == [
        ("growth", "deployment", "v1"),
        ("growth", "change", "Directly"),
        ("growth", "change", "Begin"),
    ]


def test_traceability_adds_up(desk: Desk) -> None:
    assert picked(report(desk, "traceability"), "service", "deployments", "traced", "orphan", "coverage") == [
        ("shop", 2, 1, 1, 0.5)
    ]


def test_a_negative_span_is_shown_with_both_ends(desk: Desk) -> None:
    desk.tell(opened("03 08:00", 3), reviewed("03 07:00", 3))
    desk.snap()
    assert picked(report(desk, "negative_spans"), "id", "what", "seconds") == [(f"{SHOP}#3", "pickup_time", HOUR)]


def test_what_is_new_and_what_was_restated_since_the_last_snapshot(desk: Desk) -> None:
    desk.tell(
        ticket_created("07 10:00", "NEW-1"),
        trouble("08 18:00", "INC-1", "reopened", deployment="d1", severity="high", title="Down"),
    )
    desk.snap()
    rows = report(desk, "changes_since_last_snapshot")
    found = {(row["kind"], row["what"], row["field"]) for row in rows}

    assert ("ticket", "added", None) in found
    assert ("deployment", "changed", "recovery_time") in found
    assert ("failure", "changed", "resolved_at") in found
    restated = next(row for row in rows if row["field"] == "recovery_time")
    assert (restated["old_value"], restated["new_value"]) == (f"{3 * HOUR}", "null")
    assert len(report(desk, "changes_since_last_snapshot", limit="1")) == 1
    everything_added = report(desk, "changes_since_last_snapshot", since="0")
    assert {(row["what"], row["old_value"], row["new_value"]) for row in everything_added} == {("added", None, None)}


def test_the_first_snapshot_has_none_before_it(desk: Desk) -> None:
    with pytest.raises(BadQuery, match=r"^there is no earlier snapshot to compare with; since=0 lists every fact"):
        report(desk, "changes_since_last_snapshot")
    with pytest.raises(BadQuery, match=r"^there is no snapshot 2; the latest is 1$"):
        report(desk, "changes_since_last_snapshot", since="2")


def test_weeks_show_throughput_beside_instability(desk: Desk) -> None:
    rows = report(desk, "weekly")
    assert picked(rows, "deployments", "finished", "change_fail_rate", "changes") == [(1 + 1, 2, 0.5, 2)]
    assert picked(rows, "failures_told") == [(True,)]


def test_a_week_without_word_of_any_failure_has_no_rate_of_failures(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.tell(deployed("02 10:00", "d0"), deployed("03 10:00", "d1"))
    desk.snap()
    assert picked(report(desk, "weekly"), "deployments", "change_fail_rate", "failures_told") == [(2, None, False)]


def test_an_organisation_is_accounted_for(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.tell(*everything(Plan(days=40, teams=2)))
    desk.snap()
    told = {
        "commit": "SELECT count(DISTINCT (payload ->> 'repo', payload ->> 'sha')) AS n FROM events"
        " WHERE type LIKE '%commit.recorded%'",
        "pull request": "SELECT count(DISTINCT payload ->> 'change') AS n FROM events"
        " WHERE type LIKE '%change.created%'",
        "release": "SELECT count(DISTINCT (payload ->> 'repo', payload ->> 'tag')) AS n FROM events"
        " WHERE type LIKE '%artifact.published%'",
    }
    rows = report(desk, "accounting")

    for what, query in told.items():
        assert sum(row["items"] for row in rows if row["what"] == what) == ask(desk.directory, query)[0]["n"] > 0
    facts = ask(desk.directory, "SELECT count(*) AS n FROM changes WHERE kind = 'commit'")[0]["n"]
    kept = [row["items"] for row in rows if row["what"] == "commit" and row["fate"] in ("counted", "seed")]
    assert sum(kept) == facts
    assert report(desk, "deployment_log", days="100") != []
    assert {row["outcome"] for row in report(desk, "releases")} >= {"success"}
