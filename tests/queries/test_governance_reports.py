"""What the reports on claims, gates, assistants and orphans say about small histories, worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.events.envelope import Event
from tests.queries.asking import HOUR, picked, report
from tests.queries.between_teams import delivered
from tests.simulation.story import (
    SHOP,
    committed,
    declared,
    deployed,
    initiative,
    opened,
    seen,
    service,
    ticket_created,
    ticket_deleted,
    ticket_moved,
    ticket_seen,
)
from tests.simulation.story_teamwork import (
    decision,
    handed_over,
    policy,
    review_asked,
    sampled,
    team,
    transferred,
    words,
)
from tests.snapshots.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_s3_a_claim_stands_beside_its_evidence(desk: Desk) -> None:
    demanded = {"done": ["deployment"], "in_review": ["change", "review"], "in_progress": ["outcome"]}
    desk.tell(
        service(),
        team("growth", aliases=["GROW"]),
        words(evidence=demanded, evidenceWithin="5d"),
        initiative("speed", outcomes=[{"metric": "speed_index"}], tracks={"jira": [{"epic": "GROW-5"}]}),
        committed("c0", "01 09:00"),
        deployed("01 10:00", "d0", "c0"),
        # What was deployed for the ticket below it is evidence of the one above, up to five days before the claim.
        ticket_seen("01 09:00", "GROW-11", "GROW-1", title="Below"),
        ticket_seen("10 09:00", "GROW-1", title="Above", status="Done"),
        *delivered(1, "GROW-11: below", "04 09:00", "05 09:00"),
        # Deployed five days and a second before it was done: that was something else.
        ticket_seen("10 09:00:01", "GROW-2", title="Long before", status="Done"),
        *delivered(2, "GROW-2: before", "04 09:00", "05 09:00"),
        ticket_moved("06 09:00", "GROW-3", "In Review"),
        ticket_moved("18 09:00", "GROW-4", "In Review"),
        ticket_seen("17 09:00", "GROW-5", status="In Progress"),
        sampled("16 09:00", "speed_index", "15 00:00", "16 00:00", 10, 4),
        ticket_moved("18 09:00", "GROW-6", "To Do"),
        ticket_moved("18 09:00", "GROW-7", "Done"),
        ticket_deleted("18 10:00", "GROW-7"),
        ticket_created("20 12:00", "GROW-8"),
    )
    desk.snap()
    rows = report(desk, "claims")

    assert picked(rows, "ticket", "state", "demanded", "lacking") == [
        ("GROW-3", "claimed, not evidenced", ["change", "review"], ["change", "review"]),
        ("GROW-2", "claimed, not evidenced", ["deployment"], ["deployment"]),
        ("GROW-4", "pending", ["change", "review"], ["change", "review"]),
        ("GROW-1", "evidenced", ["deployment"], []),
        ("GROW-5", "evidenced", ["outcome"], []),
    ]
    assert [f"{row['until']:%d %H:%M:%S}" for row in rows[:3]] == ["11 09:00:00", "15 09:00:01", "23 09:00:00"]
    assert f"{rows[3]['last_deployment_at']:%d %H:%M}" == "05 09:00"
    assert picked(report(desk, "claims", state="pending"), "ticket") == [("GROW-4",)]


def reviews(desk: Desk, *days: str) -> None:
    """Take a snapshot as of each of some days."""
    for day in days:
        desk.tell(ticket_seen(f"{day} 12:00", f"OTHER-{day}", status="To Do"))
        desk.snap()


def test_s4_a_claim_that_stalls_for_three_reviews_names_them(desk: Desk) -> None:
    desk.tell(words(), service())
    for name, prefix in (("stuck", "GROW"), ("moving", "CORE"), ("early", "DATA")):
        desk.tell(initiative(name, tracks={"jira": [{"epic": f"{prefix}-1"}]}))
        desk.tell(ticket_seen("01 09:00", f"{prefix}-1", title="Epic", status="In Progress"))
        for number in range(2, 7):
            status = "In Progress" if number == 6 or (number > 3 and name == "early") else "Done"
            desk.tell(ticket_seen("01 09:00", f"{prefix}-{number}", f"{prefix}-1", status=status))
    reviews(desk, "02", "05", "09")
    assert report(desk, "stalled_claims") == []

    desk.tell(opened("12 09:00", 1), seen("12 09:00", 1, title="CORE-6: at last"))
    reviews(desk, "15")
    assert picked(
        report(desk, "stalled_claims"), "initiative", "snapshots", "progress", "done", "tickets", "remaining"
    ) == [("stuck", [1, 3, 4], [0.8, 0.8, 0.8], 4, 5, ["GROW-6"])]
    assert [f"{at:%d}" for at in report(desk, "stalled_claims")[0]["seen_at"]] == ["02", "09", "15"]
    assert report(desk, "stalled_claims", least="81") == []
    assert report(desk, "stalled_claims", days="7") == []


def test_s6_g3_gates_and_horizons_that_are_due_say_what_is_missing(desk: Desk) -> None:
    complete: dict[str, Any] = {
        "outcomes": [{"metric": "sold", "target": 2, "direction": "up"}],
        "horizon": "2026-12-31",
    }
    desk.tell(
        team("growth"),
        policy(decisions={"bet": {"approvers": ["product", "legal"], "latencyTarget": "5d"}}),
        initiative("bare", commitBy="2026-03-25"),
        initiative("nobodys", owner="ghosts", commitBy="2026-03-19", decision="ADR-1", **complete),
        initiative("ready", commitBy="2026-04-03", decision="ADR-2", **complete),
        initiative("later", commitBy="2026-04-04"),
        initiative("excused", stage="commit", exemption={"until": "2026-03-20", "reason": "Merger"}, **complete),
        initiative("read", stage="commit", decision="ADR-2", **{**complete, "horizon": "14d"}),
        initiative("over", stage="done", commitBy="2026-03-25"),
        decision("10 09:00", "ADR-1", "decided", category="bet", approvers=["product"]),
        decision("11 09:00", "ADR-2", "decided", category="bet", approvers=["Product", "legal"]),
        ticket_created("20 12:00", "GROW-1"),
    )
    desk.snap()
    rows = report(desk, "gates")

    assert picked(rows, "what", "initiative", "days_left", "missing", "passes") == [
        ("gate", "excused", None, ["decision"], True),
        ("gate", "nobodys", -1, ["owner", "decision"], False),
        ("exemption", "excused", 0, ["decision"], True),
        ("gate", "bare", 5, ["outcomes", "horizon", "decision"], False),
        ("horizon", "read", 5, ["sold"], None),
        ("gate", "ready", 14, [], True),
    ]
    assert picked(rows[1:3], "decision_status", "lacking", "reason") == [
        ("accepted", ["legal"], None),
        (None, [], "Merger"),
    ]
    assert "later" in {row["initiative"] for row in report(desk, "gates", days="15")}

    desk.tell(sampled("20 13:00", "sold", "19 00:00", "20 00:00", 10, 4), ticket_created("21 00:00", "GROW-2"))
    desk.snap()
    again = report(desk, "gates")
    assert "read" not in {row["initiative"] for row in again}
    assert picked([row for row in again if row["initiative"] == "excused"], "what", "days_left", "passes") == [
        ("gate", None, False),
        ("exemption", -1, False),
    ]


def test_c2_a_change_after_the_commitment_needs_a_decision(desk: Desk) -> None:
    spec = {
        "owner": "growth",
        "stage": "commit",
        "horizon": "90d",
        "decision": "ADR-1",
        "outcomes": [{"metric": "a", "target": 1}],
    }

    def said(day: str, **told: object) -> Event:
        return declared("Initiative", "speed", {**spec, **told}, f"{day} 09:00", f"{day} 09:00")

    reordered = [{"target": 1, "metric": "a"}]
    events = [
        declared("Initiative", "speed", {**spec, "stage": "bet", "horizon": "30d"}),
        said("02"),
        said("03", outcomes=reordered, aliases=["Fast"], assumptions=[]),
        said("04", horizon="120d"),
        said("06", horizon="120d", owner="core"),
        said("08", horizon="60d", owner="core", decision="ADR-3"),
    ]
    desk.tell(*events, decision("05 09:00", "ADR-2", "decided", initiative="speed"))
    desk.tell(ticket_created("20 12:00", "GROW-1"))
    desk.snap()

    (row,) = report(desk, "uncontrolled_changes")
    assert (row["initiative"], row["fields"], row["before"], row["after"]) == ("speed", ["horizon"], ["90d"], ["120d"])
    assert (f"{row['changed_at']:%d}", row["declaration"]) == ("04", events[3].id)
    everything = report(desk, "uncontrolled_changes", controlled="true")
    assert picked(everything, "fields", "controlled", "decision") == [
        (["horizon"], True, "ADR-3"),
        (["owner"], True, "ADR-2"),
        (["horizon"], False, None),
    ]


def test_f2_the_rate_of_orphans_leads_to_their_list(desk: Desk) -> None:
    desk.tell(
        service(),
        team("growth", aliases=["GROW"]),
        words(),
        initiative("speed", tracks={"jira": [{"epic": "GROW-1"}]}),
        ticket_seen("01 09:00", "GROW-1", status="In Progress"),
        ticket_seen("01 09:00", "GROW-2", "GROW-9", title="Tidy", status="To Do"),
        ticket_seen("01 09:00", "GROW-3", status="Dropped"),
        ticket_seen("01 09:00", "MISC-1", title="Lost", status="Done"),
        committed("c0", "01 09:00"),
        deployed("01 10:00", "d0", "c0"),
        *delivered(1, "GROW-1: faster", "02 09:00", "03 09:00"),
        *delivered(2, "GROW-2: tidier", "04 09:00", "05 09:00"),
    )
    desk.snap()

    assert picked(report(desk, "orphans"), "team", "kind", "items", "orphans", "rate", "latest") == [
        (None, "ticket", 1, 1, 1.0, ["MISC-1"]),
        ("growth", "deployment", 3, 2, pytest.approx(2 / 3), [row["id"] for row in report(desk, "orphan_work")[1:3]]),
        ("growth", "change", 3, 2, pytest.approx(2 / 3), [f"{SHOP}#2", f"{SHOP}@c0"]),
        ("growth", "ticket", 2, 1, 0.5, ["GROW-2"]),
    ]
    assert picked(report(desk, "orphan_work", team="growth"), "kind", "title", "mentions") == [
        ("deployment", "d2", []),
        ("deployment", "d0", []),
        ("change", "GROW-2: tidier", ["GROW-2"]),
        ("change", "", []),
        ("ticket", "Tidy", ["GROW-9"]),
    ]


def test_s1_words_that_no_map_knows_are_listed(desk: Desk) -> None:
    desk.tell(
        words(),
        ticket_seen("01 09:00", "GROW-1", status="to do", kind="story"),
        ticket_seen("02 09:00", "GROW-2", status="Parked", kind="Story"),
        ticket_seen("03 09:00", "CORE-1", status="Parked"),
        ticket_seen("04 09:00", "CORE-2", status="Lost"),
        ticket_deleted("05 09:00", "CORE-2"),
    )
    desk.snap()
    rows = report(desk, "unmapped")
    assert picked(rows, "what", "word", "tickets", "share", "projects", "examples") == [
        ("status", "Parked", 2, pytest.approx(2 / 3), ["CORE", "GROW"], ["CORE-1", "GROW-2"]),
        ("type", "", 1, pytest.approx(1 / 3), ["CORE"], ["CORE-1"]),
    ]


def test_words_for_teams_that_mean_none_are_listed_with_what_hangs_on_them(desk: Desk) -> None:
    desk.tell(
        team("growth", aliases=["GROW", "Squad"]),
        team("core", aliases=["CORE", "squad"]),
        ticket_seen("02 09:00", "GROW-1", team="Nobody"),
        ticket_seen("02 09:00", "GROW-2", team="grow"),
        ticket_seen("02 09:00", "GROW-3"),
        transferred("03 09:00", "GROW-2", "Nobody", "CORE"),
        review_asked("03 09:00", 1, "squad"),
        handed_over("04 09:00", "H-1", from_team="growth", to_team="Core"),
    )
    desk.snap()
    rows = report(desk, "unknown_teams")
    assert picked(rows, "word", "teams", "kinds", "items", "examples") == [
        ("Nobody", [], ["ticket"], 2, ["GROW-1", "GROW-2"]),
        ("squad", ["core", "growth"], ["review"], 1, [f"{SHOP}#1"]),
    ]
    assert [row["word"] for row in report(desk, "unknown_teams", days="2")] == ["Nobody", "squad"]
    assert report(desk, "unknown_teams", source="nobody") == []


def test_f4_a_move_shows_its_reason_or_its_decision(desk: Desk) -> None:
    desk.tell(
        ticket_moved("02 09:00", "GROW-1", "In Progress", before="To Do"),
        decision("03 08:00", "ADR-1", "decided", ticket="GROW-1"),
        ticket_moved("03 09:00", "GROW-1", "Blocked"),
        ticket_moved("04 09:00", "GROW-1", "In Progress"),
        ticket_moved("05 09:00", "GROW-1", "Done", reason="Released"),
    )
    desk.snap()
    rows = report(desk, "transitions")
    assert picked(rows, "from_status", "to_status", "reason", "decision", "explained") == [
        ("In Progress", "Done", "Released", None, True),
        ("Blocked", "In Progress", None, None, False),
        ("In Progress", "Blocked", None, "ADR-1", True),
        ("To Do", "In Progress", None, None, False),
    ]
    assert len(report(desk, "transitions", explained="false")) == 2
    assert len(report(desk, "transitions", days="2")) == 2


def test_work_under_way_is_listed_by_age_tickets_included(desk: Desk) -> None:
    desk.tell(
        words(),
        team("growth", aliases=["GROW"]),
        ticket_seen("01 09:00", "GROW-1"),
        ticket_moved("02 09:00", "GROW-1", "In Progress"),
        ticket_moved("04 09:00", "GROW-1", "Blocked"),
        ticket_moved("02 09:00", "GROW-2", "In Progress"),
        ticket_moved("03 09:00", "GROW-2", "Done"),
        opened("04 09:00", 1),
        ticket_moved("05 09:00", "GROW-3", "To Do"),
    )
    desk.snap()
    assert picked(report(desk, "open_work"), "kind", "id", "team", "state", "age") == [
        ("ticket", "GROW-1", "growth", "blocked", 72 * HOUR),
        ("change", f"{SHOP}#1", None, "open", 24 * HOUR),
    ]


def test_a_decision_made_before_it_was_asked_for_is_named(desk: Desk) -> None:
    desk.tell(decision("05 09:00", "ADR-1"), decision("05 08:00", "ADR-1", "decided"))
    desk.snap()
    assert picked(report(desk, "negative_spans"), "kind", "id", "what", "seconds") == [
        ("decision", "ADR-1", "latency", HOUR),
    ]
