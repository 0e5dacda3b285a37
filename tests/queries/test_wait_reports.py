"""What the reports on waits between teams say about one history, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.queries.asking import DAY, HOUR, picked, report
from tests.queries.between_teams import history
from tests.simulation.story import opened, service, ticket_seen
from tests.simulation.story_teamwork import decision, dependency_added, handed_over, review_asked, team, transferred
from tests.snapshots.desk import Desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("waits"))
    desk.tell(*history())
    desk.snap()
    return desk


def test_f5_f6_dependencies_say_which_team_blocks_which_and_how_long(desk: Desk) -> None:
    rows = report(desk, "dependencies")
    assert picked(
        rows, "consumer", "provider", "mode", "ticket", "blocker", "age", "overdue", "latency", "discovery_lag"
    ) == [
        ("growth", "core", "x-as-a-service", "GROW-12", "CORE-2", 10 * DAY + 3 * HOUR, 7 * DAY + 3 * HOUR, None, None),
        ("growth", "data", "implicit", "GROW-21", "DATA-1", 8 * DAY + 3 * HOUR, 3 * DAY + 3 * HOUR, None, -3 * DAY),
        ("core", "growth", "x-as-a-service", "CORE-2", "GROW-12", 2 * DAY + 3 * HOUR, None, None, None),
        ("growth", "core", "x-as-a-service", "GROW-11", "CORE-1", None, None, 2 * DAY, DAY),
    ]
    assert [row["title"] for row in rows] == ["Sign-in", "Limits", "Tokens", "Sign-up"]
    assert [row["end"] for row in rows] == [None, None, None, "completed"]
    assert picked(report(desk, "dependencies", team="data"), "ticket") == [("GROW-21",)]
    assert picked(report(desk, "dependencies", days="14"), "ticket") == [("GROW-12",), ("GROW-21",), ("CORE-2",)]


def test_a_circle_of_dependencies_is_named_by_each_of_its_edges(desk: Desk, tmp_path: Path) -> None:
    circle = "CORE-2 > GROW-12 > CORE-2"
    assert [row["cycle"] for row in report(desk, "dependencies")] == [circle, None, circle, None]

    knot = Desk(tmp_path)
    edges = ["A-3 B-1", "B-1 C-2", "C-2 A-3", "C-2 B-1", "C-2 D-1", "D-1 E-1"]
    names = {key[0].lower(): key[0] for edge in edges for key in edge.split()}
    knot.tell(*(team(name, aliases=[alias]) for name, alias in names.items()))
    knot.tell(*(ticket_seen("01 09:00", key) for key in {key for edge in edges for key in edge.split()}))
    knot.tell(*(dependency_added("02 09:00", *edge.split()) for edge in edges))
    knot.snap()
    assert {f"{row['ticket']} {row['blocker']}": row["cycle"] for row in report(knot, "dependencies")} == {
        "A-3 B-1": "A-3 > B-1 > C-2 > A-3",
        "B-1 C-2": "B-1 > C-2 > B-1",
        "C-2 A-3": "A-3 > B-1 > C-2 > A-3",
        "C-2 B-1": "B-1 > C-2 > B-1",
        "C-2 D-1": None,
        "D-1 E-1": None,
    }


def test_f7_providers_are_ranked_by_all_that_others_waited(desk: Desk) -> None:
    rows = report(desk, "providers")
    assert picked(rows, "rank", "provider", "total_wait", "open_wait", "closed_wait", "open_waits", "closed_waits") == [
        # Open: GROW-12 and the review of #2. Closed: GROW-11, the review of #1, GROW-31 and ADR-1.
        (1, "core", 15.5 * DAY, 11 * DAY + 3 * HOUR, 4 * DAY + 9 * HOUR, 2, 4),
        (2, "data", 10 * DAY + 6 * HOUR, 8 * DAY + 3 * HOUR, 2 * DAY + 3 * HOUR, 1, 2),
        (3, "growth", 2 * DAY + 4 * HOUR, 2 * DAY + 3 * HOUR, HOUR, 1, 1),
    ]
    assert picked(rows, "type", "overdue_waits", "blocked_initiatives", "blocked_now", "initiatives", "oldest") == [
        ("platform", 1, 1, 1, ["speed"], "dependency|GROW-12|CORE-2|0"),
        (None, 1, 1, 1, ["trust"], "dependency|GROW-21|DATA-1|0"),
        (None, 0, 0, 0, [], "dependency|CORE-2|GROW-12|0"),
    ]
    assert picked(report(desk, "providers", kind="review"), "provider", "total_wait") == [("core", DAY + 4 * HOUR)]


def test_f5_late_discovery_is_shown_by_pair(desk: Desk) -> None:
    rows = report(desk, "discovery")
    assert picked(rows, "consumer", "provider", "dependencies", "late", "late_share", "lag_p50", "not_begun") == [
        ("growth", "core", 1, 1, 1.0, DAY, 1),
        ("growth", "data", 1, 0, 0.0, -3 * DAY, 0),
        ("core", "growth", 0, 0, None, None, 1),
    ]
    assert [row["late_ones"] for row in rows] == [["GROW-11 > CORE-1"], [], []]


def test_f6_pairs_that_never_said_how_they_interact_come_first(desk: Desk) -> None:
    rows = report(desk, "interactions")
    assert picked(rows, "consumer", "provider", "mode", "declared_by", "waits", "coupled_by") == [
        ("growth", "data", "implicit", None, 3, ["shop > lake"]),
        ("data", "core", "implicit", None, 0, ["lake > ledger"]),
        ("growth", "core", "x-as-a-service", "growth", 6, ["shop > ledger"]),
        ("core", "growth", "x-as-a-service", "growth", 2, []),
    ]
    assert picked(rows, "open_wait", "latency_p50") == [
        (8 * DAY + 3 * HOUR, 2 * DAY + 3 * HOUR),
        (0.0, None),
        (11 * DAY + 3 * HOUR, 2 * DAY),
        (2 * DAY + 3 * HOUR, HOUR),
    ]
    assert len(report(desk, "interactions", mode="implicit")) == 2


def test_f8_missing_legs_of_a_hand_over_are_gaps(desk: Desk) -> None:
    rows = report(desk, "handoffs")
    assert picked(rows, "handoff", "how", "consumer", "provider", "state", "missing", "bounces", "ticket") == [
        ("HO-2", "explicit", "growth", "data", "completed", ["requested", "needed_by", "accepted"], 0, "GROW-21"),
        ("HO-1", "explicit", "growth", "data", "accepted", [], 1, None),
        ("GROW-31", "transfer", "core", "growth", "accepted", [], 0, "GROW-31"),
        ("GROW-31", "transfer", "growth", "core", "returned", [], 0, "GROW-31"),
    ]
    legs = ("requested_at", "needed_by", "accepted_at", "delivered_at", "returned_at")
    assert [[at and f"{at:%d %H:%M}" for at in row] for row in picked(rows, *legs)] == [
        [None, None, None, "14 09:00", None],
        ["07 09:00", "09 09:00", "09 12:00", "11 12:00", "08 09:00"],
        ["04 15:00", None, "04 16:00", None, None],
        ["04 10:00", None, None, None, "04 15:00"],
    ]
    assert [row["latency"] for row in rows[1:]] == [2 * DAY + 3 * HOUR, HOUR, None]


def test_g2_decisions_that_are_due_or_lack_an_approver_are_listed(desk: Desk) -> None:
    rows = report(desk, "decisions")
    assert picked(rows, "decision", "state", "cross_functional", "lacking", "overdue", "age", "latency") == [
        ("ADR-2", "overdue", None, [], 3 * DAY + 3 * HOUR, 6 * DAY + 3 * HOUR, None),
        ("ADR-3", "due", True, ["product"], None, DAY + 3 * HOUR, None),
        ("ADR-1", "incomplete", True, ["legal"], None, None, 2 * DAY),
        ("ADR-4", "rejected", None, [], None, None, DAY),
    ]
    assert picked(report(desk, "decisions", due_days="3"), "state")[1] == ("open",)
    assert picked(report(desk, "decisions", team="core"), "decision", "initiative") == [("ADR-1", "speed")]


def test_debt_names_the_waits_that_make_it_with_their_evidence(desk: Desk) -> None:
    rows = report(desk, "debt")
    assert picked(rows, "scope_kind", "scope", "debt", "slope", "open_waits", "rank", "subject", "overdue") == [
        ("org", "all", 13.375 * DAY, 3, 6, 1, "GROW-12", 7.125 * DAY),
        ("org", "all", 13.375 * DAY, 3, 6, 2, "ADR-2", 3.125 * DAY),
        ("org", "all", 13.375 * DAY, 3, 6, 3, "GROW-21", 3.125 * DAY),
        ("initiative", "speed", 7.125 * DAY, 1, 1, 1, "GROW-12", 7.125 * DAY),
        ("initiative", "trust", 3.125 * DAY, 1, 1, 1, "GROW-21", 3.125 * DAY),
        ("pair", "growth > core", 7.125 * DAY, 1, 2, 1, "GROW-12", 7.125 * DAY),
        ("pair", "growth > data", 3.125 * DAY, 1, 1, 1, "GROW-21", 3.125 * DAY),
        ("pair", "core > growth", 0.0, 0, 1, None, None, None),
    ]
    assert rows[0]["wait_days"] == 13.375
    assert sum(row["share"] for row in rows[:3]) == pytest.approx(1)
    opened_by = [
        dependency_added("10 09:00", "GROW-12", "CORE-2"),
        decision("14 09:00", "ADR-2", title="One region", from_team="growth"),
        dependency_added("12 09:00", "GROW-21", "DATA-1"),
    ]
    assert [row["evidence"] for row in rows[:3]] == [[event.id] for event in opened_by]
    assert len(report(desk, "debt", scope_kind="org", worst="1")) == 1


def test_every_kind_of_overdue_wait_leads_to_the_event_that_opened_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    between = {"from_team": "growth", "to_team": "core"}
    told = [
        transferred("02 09:00", "GROW-1", "core", "growth"),
        review_asked("02 10:00", 1, "core"),
        handed_over("02 11:00", "HO-1", **between),
        ticket_seen("02 12:00", "GROW-2", team="growth"),
        ticket_seen("02 13:00", "GROW-2", team="core"),
    ]
    desk.tell(team("growth"), team("core"), service(), opened("02 08:00", 1), *told, opened("20 12:00", 2))
    desk.snap()
    rows = report(desk, "debt", scope_kind="pair")
    assert picked(rows, "subject", "evidence") == [
        ("acme/shop#1", [told[1].id]),
        ("GROW-1", [told[0].id]),
        ("HO-1", [told[2].id]),
        ("GROW-2", [told[4].id]),
    ]


def test_t6_an_ageing_queue_raises_the_trend_before_anything_closes(desk: Desk) -> None:
    rows = report(desk, "wait_trend")
    assert picked(rows, "opened", "answered", "latency_p85", "open_waits", "open_p85", "wait_p85") == [
        (1, 1, 2 * DAY, 0, None, 2 * DAY),
        # As of the 16th at midnight they are 135 and 87 hours old.
        (2, 0, None, 2, (87 + 0.85 * 48) * HOUR, (87 + 0.85 * 48) * HOUR),
        # As of now 243, 195 and 51 hours.
        (1, 0, None, 3, (195 + 0.7 * 48) * HOUR, (195 + 0.7 * 48) * HOUR),
    ]
    assert [f"{row['week']:%d}" for row in rows] == ["02", "09", "16"]
    assert [row["change"] for row in rows] == [None, 1.6625, pytest.approx(228.6 / 127.8 - 1)]
    by_mode = report(desk, "wait_trend", scope_kind="mode", weeks="1")
    assert picked(by_mode, "scope", "open_waits") == [("implicit", 1), ("x-as-a-service", 2)]
    decided = report(desk, "wait_trend", kind="decision", weeks="1")
    assert picked(decided, "answered", "latency_p85", "open_waits") == [(1, DAY, 2)]


def test_t6_the_last_week_of_the_trend_is_what_the_metric_says(desk: Desk) -> None:
    (point,) = [
        row
        for row in report(desk, "coordination", scope_kind="org", window_days="28")
        if (row["metric"], row["stat"]) == ("open_dependencies", "p85")
    ]
    assert report(desk, "wait_trend", weeks="1")[0]["open_p85"] == point["value"]
