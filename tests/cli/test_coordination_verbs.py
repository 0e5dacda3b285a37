"""The verbs that tell of decisions, hand-overs, artifacts and links, and those that show them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.events.coordination import AgentActed, DecisionEvent, LinkDeclared
from pipeline.events.errors import ConfigError
from pipeline.simulate.telling import tell
from tests.cli.office import Office
from tests.governance.known_of import complete, core, growth, since
from tests.simulation.story import declared, us

_POLICY = declared(
    "Policy",
    "default",
    {
        "decisions": {"product": {"approvers": ["legal", "growth"], "latencyTarget": "2d"}},
        "agents": {"automated": ["comment"], "human": ["merge"], "crossFunctional": ["deploy"]},
    },
)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    office = Office(tmp_path, monkeypatch)
    office.tell(growth(), core(), _POLICY, since("01 00:00", complete()))
    return office


def test_g2_a_cross_functional_decision_with_one_approval_is_incomplete(office: Office) -> None:
    asked = ("--from", "growth", "--to", "CORE", "--class", "product", "--initiative", "speed", "--at", "2026-03-02")
    assert office.run("decision", "ask", "D-1", "--title", "Price", *asked).exit_code == 0
    office.tell()
    (row,) = office.rows("decision", "list", "--open")
    assert (row["state"], row["reach"], row["due_at"]) == ("open", "cross-functional", "2026-03-04T00:00:00Z")
    office.run("decision", "decide", "D-1", "--approver", "Growth", "--at", "2026-03-03")
    office.tell()
    (row,) = office.rows("decision", "list", "--incomplete")
    assert (row["state"], row["lacking"], row["from"], row["to"]) == ("incomplete", ["legal"], "growth", "core")
    office.run("decision", "decide", "D-1", "--approver", "legal", "--at", "2026-03-04")
    office.tell()
    assert office.rows("decision", "list", "--incomplete") == []
    (row,) = office.rows("decision", "list", "--initiative", "speed")
    assert (row["state"], row["decided_at"]) == ("accepted", "2026-03-03T00:00:00Z")


def test_c2_decisions_are_only_ever_added_to(office: Office) -> None:
    for verb in ("ask", "decide", "supersede", "reverse"):
        assert office.run("decision", verb, "D-1", "--at", "2026-03-02").exit_code == 0
    told = [event for event in office.events() if isinstance(event.data, DecisionEvent)]
    assert [event.type for event in told] == list(DecisionEvent.TYPES)
    again = office.run("decision", "ask", "D-1", "--at", "2026-03-02")
    assert "was there already" in again.stderr
    assert len(office.events()) == 8


@pytest.mark.parametrize("folded", [False, True])
def test_a_decision_that_was_made_before_it_was_asked_is_named_and_stored(office: Office, folded: bool) -> None:
    assert "was never asked for" in office.run("decision", "decide", "D-9", "--at", "2026-03-01").stderr
    office.run("decision", "ask", "D-1", "--at", "2026-03-05")
    if folded:
        office.tell()
    early = office.run("decision", "decide", "D-1", "--at", "2026-03-02")
    assert "'D-1' was asked for at 2026-03-05T00:00:00+00:00 only, after it was made" in early.stderr
    late = office.run("decision", "decide", "D-1", "--at", "2026-03-06")
    assert "warning" not in late.stderr
    assert len([each for each in office.events() if isinstance(each.data, DecisionEvent)]) == 4


@pytest.mark.parametrize("folded", [False, True])
def test_asking_for_a_decision_that_was_made_is_named_and_stored(office: Office, folded: bool) -> None:
    office.run("decision", "decide", "D-1", "--at", "2026-03-02")
    if folded:
        office.tell()
    late = office.run("decision", "ask", "D-1", "--at", "2026-03-05")
    assert "'D-1' was made at 2026-03-02T00:00:00+00:00, before it was asked for" in late.stderr
    assert "warning" not in office.run("decision", "ask", "D-1", "--at", "2026-03-01").stderr
    assert len([each for each in office.events() if isinstance(each.data, DecisionEvent)]) == 3


def test_lists_as_of_an_instant_leave_out_what_began_later(office: Office) -> None:
    for day in ("02", "06"):
        office.run("decision", "ask", f"D-{day}", "--at", f"2026-03-{day}")
        office.run("handoff", "request", f"H-{day}", "--from", "growth", "--to", "core", "--at", f"2026-03-{day}")
    office.tell()
    for verb, ids in (("decision", {"D-02", "D-06"}), ("handoff", {"H-02", "H-06"})):
        assert {row[verb] for row in office.rows(verb, "list")} == ids
        assert {row[verb] for row in office.rows(verb, "list", "--as-of", "2026-03-05")} == {min(ids)}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["decision", "ask", "D-1", "--to", "grwth"], r"--to: no Team 'grwth' is declared; did you mean 'growth'\?"),
        (
            ["decision", "decide", "D-1", "--initiative", "sped"],
            r"no Initiative 'sped' is declared; did you mean 'speed'",
        ),
        (["handoff", "request", "H-1", "--from", "cor"], r"--from: no Team 'cor' is declared; did you mean 'core'\?"),
        (["link", "ticket", "GROW-1", "sped"], r"did you mean 'speed'\?; --force"),
        (["artifact", "link", "A-1", "sped"], r"did you mean 'speed'\?; --force"),
    ],
)
def test_an_unknown_team_or_initiative_is_refused_unless_forced(
    office: Office, arguments: list[str], said: str
) -> None:
    done = office.run(*arguments)
    assert isinstance(done.exception, ConfigError)
    assert re.search(said, str(done.exception))
    before = len(office.events())
    assert office.run(*arguments, "--force").exit_code == 0
    assert len(office.events()) == before + 1


def test_f8_a_hand_over_shows_the_legs_that_are_missing(office: Office) -> None:
    office.run(
        "handoff", "request", "H-1", "--from", "growth", "--to", "core", "--title", "Billing", "--at", "2026-03-02"
    )
    office.run("handoff", "return", "H-1", "--at", "2026-03-03")
    office.run("handoff", "request", "H-1", "--at", "2026-03-04")
    assert "was never requested" in office.run("handoff", "deliver", "H-2", "--at", "2026-03-04").stderr
    office.tell()
    found = {row["handoff"]: row for row in office.rows("handoff", "list")}
    assert found["H-1"]["missing"] == ["needed_by"]
    assert (found["H-1"]["end"], found["H-1"]["bounces"], found["H-1"]["mode"]) == (None, 1, "implicit")
    assert found["H-2"]["missing"] == ["requested", "needed_by", "accepted"]
    assert found["H-2"]["requested_at"] is None
    assert [row["handoff"] for row in office.rows("handoff", "list", "--open")] == ["H-1"]
    office.run("handoff", "accept", "H-1", "--at", "2026-03-05")
    office.tell()
    assert office.rows("handoff", "list", "--open") == []


def test_c1_a_proposal_without_an_initiative_is_set_aside_and_can_be_linked(office: Office) -> None:
    chain = ("--context", "prompt-7@a1b2", "--agent", "helper")
    office.run("artifact", "propose", "A-1", "--initiative", "speed", *chain, "--at", "2026-03-02")
    for artifact, named in (("A-2", ("--initiative", "my-own-plan")), ("A-3", ())):
        assert "set aside" in office.run("artifact", "propose", artifact, *named, "--at", "2026-03-02").stderr
    office.tell()
    listed = office.run("artifact", "list")
    assert "1 of 3 linked, 1 missing, 1 unknown" in listed.stderr
    assert [row["artifact"] for row in office.rows("artifact", "list", "--status", "unknown")] == ["A-2"]
    assert office.run("link", "artifact", "A-2", "Speed", "--reason", "the same work").exit_code == 0
    office.tell()
    (row,) = [row for row in office.rows("artifact", "list") if row["artifact"] == "A-2"]
    assert (row["status"], row["initiative"], row["named"]) == ("linked", "speed", "Speed")
    (link,) = [event.data for event in office.events() if isinstance(event.data, LinkDeclared)]
    assert (link.reason, len(link.actor or "")) == ("the same work", 16)
    (first,) = [row for row in office.rows("artifact", "list") if row["artifact"] == "A-1"]
    assert (first["context"], first["initiative"]) == ("prompt-7@a1b2", "speed")


def test_c1_a_proposal_for_a_closed_initiative_is_warned_of(office: Office) -> None:
    office.tell(since("01 00:00", complete(stage="stopped"), "trust"))
    told = office.run("artifact", "propose", "A-1", "--initiative", "trust")
    assert "'A-1' names 'trust', which is closed: set aside" in told.stderr
    assert "warning" not in office.run("artifact", "propose", "A-2", "--initiative", "speed").stderr


def test_c3_c4_each_act_of_an_agent_shows_its_rule_and_who_agreed(office: Office) -> None:
    acts = {
        "1": ("comment", []),
        "2": ("merge", []),
        "3": ("merge", ["growth"]),
        "4": ("deploy", ["growth"]),
        "5": ("pay", []),
    }
    office.tell(
        *(
            tell(
                AgentActed.TYPES[0],
                us("02 00:00"),
                AgentActed(act=act, agent="bot", action=action, approvals=approvals),
            )
            for act, (action, approvals) in acts.items()
        )
    )
    rows = office.rows("artifact", "acts")
    assert {row["act"]: (row["rule"], row["violation"], row["approvals"]) for row in rows} == {
        "1": ("automated", False, []),
        "2": ("human", True, []),
        "3": ("human", False, ["growth"]),
        "4": ("crossFunctional", True, ["growth"]),
        "5": ("undeclared", True, []),
    }
    assert {row["act"] for row in office.rows("artifact", "acts", "--violations")} == {"2", "4", "5"}


def test_a_class_that_the_policy_lacks_is_warned_of(office: Office) -> None:
    assert "no class 'prodct'" in office.run("decision", "ask", "D-1", "--class", "prodct").stderr


def test_what_was_told_and_not_folded_is_said(office: Office) -> None:
    office.run("decision", "ask", "D-1")
    assert "leadline run --once" in office.run("decision", "list").stderr
