"""What the reports on assistants and agents say about small histories, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.queries.asking import HOUR, picked, report
from tests.queries.between_teams import delivered
from tests.simulation.story import (
    SHOP,
    committed,
    deployed,
    initiative,
    opened,
    service,
    trouble,
)
from tests.simulation.story_teamwork import acted, linked, policy, proposed
from tests.snapshots.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_assisted_changes_stand_beside_the_others(desk: Desk) -> None:
    desk.tell(
        service(),
        initiative("speed"),
        committed("c0", "01 09:00"),
        deployed("01 10:00", "d0", "c0"),
        *delivered(1, "One", "02 09:00", "02 19:00", assistant="claude"),
        *delivered(2, "Two", "03 09:00", "03 13:00", assistant="copilot"),
        *delivered(3, "Three", "04 09:00", "04 11:00"),
        *delivered(4, "Four", "05 09:00", "05 11:00", branch="hotfix/four"),
        opened("06 09:00", 5),
        trouble("03 14:00", "INC-1", deployment="d2"),
        proposed("03 09:00", "spec-1", "speed"),
        proposed("03 09:00", "spec-2"),
    )
    desk.snap()
    rows = report(desk, "assisted")
    assert picked(rows, "changes_by", "assistants", "changes", "share", "lead_time_p50", "open_changes") == [
        ("assisted", ["claude", "copilot"], 2, 0.5, 7 * HOUR, 0),
        ("others", [], 2, 0.5, 2 * HOUR, 1),
    ]
    assert picked(rows, "deployments", "change_fail_rate", "deployment_rework_rate", "context_integrity") == [
        (2, 0.5, 0.0, 0.5),
        (2, 0.0, 0.5, None),
    ]
    assert (
        picked(report(desk, "assisted", team="core"), "changes", "change_fail_rate", "proposals")
        == [(0, None, None)] * 2
    )


def test_c1_what_names_no_initiative_is_in_quarantine_until_it_is_linked(desk: Desk) -> None:
    desk.tell(
        initiative("speed", aliases=["Faster"]),
        initiative("old", stage="stopped"),
        proposed("02 09:00", "spec-1", "faster", context="prompt-7", kind="specification", title="Sign-up"),
        proposed("03 09:00", "spec-2"),
        proposed("04 09:00", "spec-3", "sped"),
        proposed("05 09:00", "spec-4", "old"),
    )
    desk.snap()
    rows = report(desk, "artifacts")
    assert picked(rows, "artifact", "status", "quarantined", "initiative", "integrity") == [
        ("spec-4", "closed", True, None, 0.25),
        ("spec-3", "unknown", True, None, 0.25),
        ("spec-2", "missing", True, None, 0.25),
        ("spec-1", "linked", False, "speed", 0.25),
    ]

    link = linked("06 09:00", "artifact", "spec-3", "speed", "a typo")
    desk.tell(link)
    desk.snap()
    (again,) = [row for row in report(desk, "artifacts", quarantined="false") if row["artifact"] == "spec-3"]
    assert (again["status"], again["initiative"], again["stage"], again["integrity"]) == ("linked", "speed", "bet", 0.5)
    assert (again["proposed_as"], again["named"], again["relinked_because"]) == ("sped", "speed", "a typo")
    assert (again["link"], f"{again['relinked_at']:%d}") == (link.id, "06")


def test_c2_an_artifact_leads_from_its_context_to_the_initiative(desk: Desk) -> None:
    desk.tell(
        initiative("speed", aliases=["Faster"]),
        proposed("02 09:00", "spec-1", "Faster", context="prompt-7", change="c-9"),
    )
    desk.snap()
    (row,) = report(desk, "artifacts")
    assert (row["context"], row["proposed_as"], row["initiative"], row["change"]) == (
        "prompt-7",
        "Faster",
        "speed",
        "c-9",
    )


def test_c3_c4_acts_beyond_their_boundary_are_violations(desk: Desk) -> None:
    desk.tell(
        policy(agents={"automated": ["comment"], "human": ["merge"], "crossFunctional": ["publish"]}),
        acted("02 09:00", "act-1", "comment"),
        acted("03 09:00", "act-2", "Merge", on=f"{SHOP}#1"),
        acted("04 09:00", "act-3", "merge", "engineering"),
        acted("05 09:00", "act-4", "publish", "legal", "legal"),
        acted("06 09:00", "act-5", "delete", "legal", "product", agent="bot"),
    )
    desk.snap()
    assert picked(report(desk, "violations"), "act", "agent", "rule", "needed", "approvals", "on") == [
        ("act-5", "bot", "undeclared", None, ["legal", "product"], None),
        ("act-4", "claude", "crossFunctional", 2, ["legal"], None),
        ("act-2", "claude", "human", 1, [], f"{SHOP}#1"),
    ]
    assert picked(report(desk, "violations", all="true", agent="claude"), "act", "violation") == [
        ("act-4", True),
        ("act-3", False),
        ("act-2", True),
        ("act-1", False),
    ]
