"""`leadline initiative`: gates that are recorded, claims that stand still, and what is due."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.events.coordination import GateEvaluated
from pipeline.events.errors import ConfigError
from tests.cli.office import Office
from tests.governance.known_of import blocked, complete, core, decision, growth, since, status_map
from tests.simulation.story import ticket_created, ticket_moved, ticket_seen

_DECIDED = decision("03 10:00", "decided", "D-1", initiative="speed")


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(tmp_path, monkeypatch)


def test_g1_the_result_of_a_gate_is_an_event_with_rule_and_evidence(office: Office) -> None:
    team, version = growth(), since("02 00:00", complete())
    office.tell(team, version, _DECIDED)
    (row,) = office.rows("initiative", "gate", "speed", "--as-of", "2026-03-10")
    assert (row["passed"], row["missing"]) == (True, [])
    (told,) = [event for event in office.events() if isinstance(event.data, GateEvaluated)]
    assert isinstance(told.data, GateEvaluated)
    assert (told.data.passed, told.data.rule, told.data.gate) == (True, "commit-1", "commit")
    assert told.data.evidence == [version.id, team.id, _DECIDED.id]
    office.rows("initiative", "gate", "speed", "--as-of", "2026-03-10")
    assert len(office.events()) == 4


def test_s6_a_gate_that_does_not_pass_exits_1_and_a_dry_run_records_nothing(office: Office) -> None:
    office.tell(growth(), since("02 00:00", complete(horizon=None)), _DECIDED)
    (row,) = office.rows("initiative", "gate", "speed", "--dry-run", code=1)
    assert (row["missing"], row["why"]) == (["horizon"], "horizon: names none")
    assert len(office.events()) == 3
    assert office.run("initiative", "gate", "speed").exit_code == 1
    assert len(office.events()) == 4
    assert isinstance(office.run("initiative", "gate", "sped").exception, ConfigError)


@pytest.mark.parametrize("verb", ["list", "gate"])
def test_g3_what_is_due_is_listed_with_what_is_missing(office: Office, verb: str) -> None:
    exempt = complete(stage="commit", decision=None, exemption={"until": "2026-03-05", "reason": "x"})
    office.tell(growth(), since("02 00:00", complete(commitBy="2026-03-20")), since("02 00:00", exempt, "leave"))
    rows = office.rows("initiative", verb, "--due", "14d", "--as-of", "2026-03-10")
    assert [(row["initiative"], row["what"], row["due"], row["missing"], row["overdue"]) for row in rows] == [
        ("leave", "exemption", "2026-03-05", ["decision"], True),
        ("speed", "gate", "2026-03-20", ["decision"], False),
    ]
    assert len(office.events()) == 3
    assert office.run("initiative", verb, "--due", "soon").exit_code == 2


def test_s4_nearly_done_in_three_reviews_without_new_evidence_is_a_stalled_claim(office: Office) -> None:
    done = [ticket_seen("02 09:00", f"GROW-{number}", "GROW-1", status="Done") for number in range(2, 6)]
    office.tell(growth(), status_map(), since("01 00:00", complete()), *done)
    office.tell(ticket_seen("02 09:00", "GROW-6", "GROW-1", status="In Progress"))
    for day in ("05", "12", "19"):
        assert "stalled" not in office.run("initiative", "claims").stderr
        office.tell(ticket_created(f"{day} 09:00", f"CORE-{day}"))
        office.snap()
    assert "stalled claim: speed was at 80 % or more, without new evidence, in snapshots 1, 2, 3" in (
        office.run("initiative", "claims").stderr
    )
    (row,) = office.rows("initiative", "list")
    assert (row["progress"], row["stalled"]) == (0.8, "1, 2, 3")


def test_c2_uncontrolled_changes_are_listed(office: Office) -> None:
    wider = since("10 00:00", complete(stage="commit", horizon="56d"))
    office.tell(growth(), since("05 00:00", complete(stage="commit")), wider, ticket_created("11 09:00", "GROW-1"))
    (row,) = office.rows("initiative", "changes", "--uncontrolled")
    assert (row["fields"], row["controlled"], row["event"]) == (["horizon"], False, wider.id)
    (check,) = [row for row in office.rows("initiative", "confidence", "speed") if row["check"] == "controlled"]
    assert (check["holds"], check["evidence"]) == (False, [wider.id])


def test_s3_f1_f6_claims_journeys_and_couplings_are_listed(office: Office) -> None:
    office.tell(
        growth(),
        core(),
        status_map(evidence={"in_progress": ["change"]}, evidenceWithin="1d"),
        since("01 00:00", complete()),
        ticket_created("02 09:00", "GROW-1"),
        ticket_moved("03 09:00", "GROW-1", "In Progress"),
        ticket_seen("03 09:00", "CORE-1", status="To Do"),
        blocked("04 09:00", "GROW-1", "CORE-1"),
        blocked("05 09:00", "CORE-1", "GROW-1"),
    )
    (claim,) = office.rows("initiative", "claims", "speed")
    assert (claim["ticket"], claim["state"]) == ("GROW-1", "claimed, not evidenced")
    (journey,) = office.rows("initiative", "journey")
    assert (journey["signal"], journey["open leg"]) == ("2026-03-02T09:00:00Z", "scoped to shipped")
    assert [row["open"] for row in office.rows("initiative", "journey", "--legs")] == [0, 0, 1, 0]
    pairs = office.rows("initiative", "couplings", "--implicit")
    assert [(row["pair"], row["mode"]) for row in pairs] == [
        ("growth > core", "implicit"),
        ("core > growth", "implicit"),
    ]
    assert "circle: CORE-1 > GROW-1 > CORE-1" in office.run("initiative", "couplings").stderr
