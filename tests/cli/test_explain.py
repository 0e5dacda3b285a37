"""`leadline explain`: from a number or an initiative to the events, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.events.envelope import Event
from tests.cli.office import Office
from tests.governance.known_of import blocked, complete, core, decision, growth, since, status_map
from tests.simulation.story import (
    DAY,
    SHOP,
    committed,
    deployed,
    deployment_id,
    merged,
    opened,
    reviewed,
    seen,
    service,
    ticket_created,
    ticket_moved,
    ticket_seen,
)

_TICKET = ticket_created("02 09:00", "GROW-2")
_PLACED = ticket_seen("02 09:30", "GROW-2", "GROW-1", title="Sign in")
_COMMIT = committed("a1", "05 09:00", "a0", message="Work")
_CHANGE = [
    opened("05 10:00", 1),
    seen("05 10:00", 1, title="GROW-2 faster", commits=["a1"]),
    reviewed("05 11:00", 1),
    merged("05 12:00", 1, "a1"),
]
_DEPLOYED = deployed("06 09:00", "d1", "a1")
_ASKED = decision("02 10:00", "asked", "D-1", initiative="speed", title="Do it")
_BLOCKER = blocked("04 09:00", "GROW-2", "CORE-1")
_EVENTS: list[Event] = [
    growth(),
    core(),
    service(),
    status_map(),
    since("01 00:00", complete()),
    ticket_seen("01 09:00", "CORE-1", status="To Do"),
    _TICKET,
    _PLACED,
    _ASKED,
    decision("03 09:00", "decided", "D-1"),
    ticket_moved("04 08:00", "GROW-2", "In Progress"),
    _BLOCKER,
    committed("a0", "01 09:00", message="Begin"),
    deployed("01 12:00", "d0", "a0"),
    _COMMIT,
    *_CHANGE,
    _DEPLOYED,
    ticket_seen("20 09:00", "CORE-1", status="To Do"),
]


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    office = Office(tmp_path, monkeypatch)
    office.tell(*_EVENTS)
    return office


def _section(rows: list[dict[str, object]], name: str) -> dict[object, dict[str, object]]:
    return {row["item"]: row for row in rows if row["section"] == name}


@pytest.mark.parametrize("snapped", [False, True])
def test_t7_a_number_opens_to_formula_window_n_exclusions_members_and_event_ids(office: Office, snapped: bool) -> None:
    if snapped:
        office.snap()
    rows = office.rows("explain", "change_lead_time", "--scope", "initiative/speed", "--as-of", "2026-03-20")
    number, about, members = (_section(rows, name) for name in ("number", "definition", "members"))
    assert number["change_lead_time p50"]["value"] == DAY
    assert number["open_changes"]["detail"] == "no data, which is not zero"
    assert str(about["page"]["detail"]).startswith("docs/metrics/lead_time.md#change_lead_time")
    assert about["formula version"]["value"]
    assert (about["window"]["value"], about["n"]["value"]) == ("28d", 1)
    assert members.keys() == {f"{SHOP}#1"}
    assert set(members[f"{SHOP}#1"]["events"]) == {_COMMIT.id, *(event.id for event in _CHANGE)}  # type: ignore[call-overload]
    org = office.rows("explain", "change_lead_time", "--window", "90")
    assert _section(org, "left out")["seed"]["value"] == 1


def test_t1_from_an_initiative_to_its_deployments_waits_and_decisions_and_back_in_one_step(office: Office) -> None:
    office.snap()
    rows = office.rows("explain", "Speed")
    (found,) = _section(rows, "deployments").values()
    assert (found["item"], found["events"]) == (deployment_id("d1", "a1"), [_DEPLOYED.id])
    (wait,) = _section(rows, "waits that make most of the debt").values()
    assert wait["item"] == "dependency|GROW-2|CORE-1|0"
    assert wait["value"] == 11 * DAY
    assert wait["events"] == [_BLOCKER.id]
    (made,) = _section(rows, "decisions").values()
    assert made["item"] == "D-1"
    assert _ASKED.id in made["events"]  # type: ignore[operator]
    assert _section(rows, "outcomes")["adoption"]["detail"] == "not measured: no sample of it is in the log"
    assert _section(rows, "couplings")["growth > core"]["value"] == "implicit"
    assert _section(rows, "gate")["commit"]["value"] == "passes"
    back = office.rows("explain", str(found["item"]))
    assert _section(back, "initiatives")["speed"]["detail"] == "linked by GROW-2 > GROW-1"


def test_f3_a_deployment_shows_the_links_and_the_events_that_made_them(office: Office) -> None:
    rows = office.rows("explain", "d1")
    assert _section(rows, "changes")[f"{SHOP}#1"]["value"] == "speed"
    assert {_TICKET.id, _PLACED.id} <= set(_section(rows, "links")["GROW-2"]["events"])  # type: ignore[call-overload]


def test_f6_a_pair_shows_its_mode_its_numbers_and_its_waits(office: Office) -> None:
    rows = office.rows("explain", "growth > core")
    assert _section(rows, "pair")["mode"]["value"] == "implicit"
    assert _section(rows, "numbers")["open_dependencies value"]["value"] == 1
    assert _section(rows, "waits")["dependency|GROW-2|CORE-1|0"]["value"] == "open"


@pytest.mark.parametrize("key", ["dependency|GROW-2|CORE-1|0", "D-1", "GROW-2", f"{SHOP}#1"])
def test_any_fact_opens_to_its_fields_and_events(office: Office, key: str) -> None:
    rows = office.rows("explain", key)
    assert rows[0]["item"] == key
    assert rows[0]["events"]
    assert {row["section"] for row in rows[1:]} == {"fields"}


def test_a_table_is_for_people_and_other_forms_for_programs(office: Office) -> None:
    table = office.run("explain", "speed")
    assert table.exit_code == 0, table.output
    assert "waits that make most of the debt" in table.stdout
    assert len(office.run("explain", "speed", "-o", "ndjson").stdout.splitlines()) == len(
        office.rows("explain", "speed")
    )
    assert office.run("explain", "speed", "-o", "csv").stdout.startswith("section,item,value,at,detail,events\n")
    assert all(not row["events"] for row in office.rows("explain", "D-1", "--no-events"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sped"], "did you mean 'speed'?"),
        (["flow_tine"], "did you mean 'flow_time'?"),
        (["growth > nobody"], "there is nothing called"),
        (["flow_time", "--scope", "squad/x"], "write KIND/NAME"),
        (["flow_time", "--window", "30"], "there are 7, 28, 90"),
    ],
)
def test_a_wrong_name_is_told_with_the_right_one(office: Office, arguments: list[str], said: str) -> None:
    done = office.run("explain", *arguments)
    assert done.exit_code == 2
    assert said in " ".join(done.output.replace("│", " ").split())


def test_a_hand_over_is_found_by_the_id_that_it_was_given(office: Office) -> None:
    office.run("handoff", "request", "H-1", "--from", "growth", "--to", "core", "--at", "2026-03-05")
    office.tell()
    assert _section(office.rows("explain", "H-1"), "wait").keys() == {"handoff|H-1"}


def test_instants_of_a_fact_are_shown_as_such(office: Office) -> None:
    fields = _section(office.rows("explain", "GROW-2"), "fields")
    assert fields["status_since"]["at"] == "2026-03-04T08:00:00Z"
    assert fields["blocked_since"]["at"] == "2026-03-04T09:00:00Z"


def test_an_initiative_as_of_an_instant_does_not_tell_what_began_later(office: Office) -> None:
    early, late = (office.rows("explain", "speed", "--as-of", f"2026-03-{day}") for day in ("02", "20"))
    assert {"decisions", "deployments"} <= {row["section"] for row in late}
    assert {"decisions", "deployments", "couplings"}.isdisjoint(row["section"] for row in early)
