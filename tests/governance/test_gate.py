"""The gate from bet to commit: what is missing, who is exempt until when, and what is due."""

from __future__ import annotations

import pytest

from pipeline.governance.gate import Gate, due, due_day, evaluate
from tests.governance.known_of import complete, core, decision, growth, known_of, since
from tests.simulation.story import declared, us

_ACCEPTED = decision("03 10:00", "decided", "D-1", initiative="speed")


def _gate(*events: object, at: str = "10 00:00") -> Gate:
    contract, known = known_of(*events)  # type: ignore[arg-type]
    found = evaluate(contract, known, "speed", us(at))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({}, []),
        ({"owner": None}, ["owner"]),
        ({"owner": "nobody"}, ["owner"]),
        ({"outcomes": []}, ["outcomes"]),
        ({"horizon": None}, ["horizon"]),
        ({"decision": None}, ["decision"]),
        ({"decision": "D-2"}, ["decision"]),
        (
            {"owner": None, "outcomes": [], "horizon": None, "decision": None},
            ["owner", "outcomes", "horizon", "decision"],
        ),
    ],
)
def test_s6_a_gate_names_what_is_missing(changed: dict[str, object], missing: list[str]) -> None:
    found = _gate(growth(), _ACCEPTED, since("02 00:00", complete(**changed)))
    assert found.missing == missing
    assert found.passed is (not missing)
    assert set(found.why) == set(missing)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([decision("03 10:00", "asked", "D-1")], "is open"),
        ([decision("03 10:00", "decided", "D-1", outcome="rejected")], "is rejected"),
        ([_ACCEPTED, decision("04 10:00", "superseded", "D-1", by="D-9")], "is superseded"),
        ([_ACCEPTED, decision("04 10:00", "reversed", "D-1")], "is reversed"),
        ([decision("11 10:00", "decided", "D-1")], "is open"),
        ([], "was ever recorded"),
    ],
)
def test_s6_the_decision_has_to_stand(told: list[object], why: str) -> None:
    found = _gate(growth(), *told, since("02 00:00", complete()))
    assert found.missing == ["decision"]
    assert why in found.why["decision"]


def test_g2_a_decision_that_lacks_an_approver_does_not_open_the_gate() -> None:
    policy = declared(
        "Policy", "default", {"decisions": {"product": {"approvers": ["legal", "growth"], "latencyTarget": "2d"}}}
    )
    half = decision("03 10:00", "decided", "D-1", category="product", approvers=["Growth"])
    assert _gate(policy, growth(), half, since("02 00:00", complete())).why == {
        "decision": "decision 'D-1' lacks legal"
    }
    rest = decision("04 10:00", "decided", "D-1", category="product", approvers=["legal"])
    assert _gate(policy, growth(), half, rest, since("02 00:00", complete())).passed


def test_an_exemption_lets_pass_until_the_end_of_its_day_and_says_so() -> None:
    exempt = complete(decision=None, exemption={"until": "2026-03-10", "reason": "the board asked"})
    told = (growth(), since("02 00:00", exempt))
    last, after = _gate(*told, at="10 23:59:59"), _gate(*told, at="11 00:00")
    assert (last.passed, last.missing, last.exemption) == (True, ["decision"], "the board asked")
    assert (after.passed, after.missing) == (False, ["decision"])


def test_a_gate_is_of_the_version_that_holds_at_the_instant() -> None:
    told = (growth(), _ACCEPTED, since("02 00:00", complete(owner=None)), since("08 00:00", complete()))
    assert _gate(*told, at="07 23:59").missing == ["owner"]
    assert _gate(*told, at="08 00:00").passed
    contract, known = known_of(*told)
    assert evaluate(contract, known, "speed", us("01 00:00")) is None
    assert evaluate(contract, known, "trust", us("10 00:00")) is None


def test_g3_what_is_due_within_fourteen_days_is_listed_with_what_is_missing() -> None:
    contract, known = known_of(
        growth(),
        core(),
        _ACCEPTED,
        since("02 00:00", complete(owner=None, commitBy="2026-03-12"), "soon"),
        since("02 00:00", complete(commitBy="2026-03-05"), "late"),
        since("02 00:00", complete(commitBy="2026-04-20"), "far"),
        since(
            "02 00:00",
            complete(stage="commit", exemption={"until": "2026-03-08", "reason": "x"}, decision=None),
            "leave",
        ),
        since("02 00:00", complete(stage="commit", horizon="2026-03-20"), "read"),
    )
    as_of = us("10 00:00")
    found = due(contract, known, as_of, as_of + 14 * 86_400_000_000)
    assert [(each.initiative, each.what, due_day(each), each.missing, each.overdue) for each in found] == [
        ("late", "gate", "2026-03-05", [], True),
        ("leave", "exemption", "2026-03-08", ["decision"], True),
        ("soon", "gate", "2026-03-12", ["owner"], False),
        ("read", "horizon", "2026-03-20", ["adoption"], False),
    ]
    read = {"adoption": [us("09 00:00")]}
    assert [each.initiative for each in due(contract, known, as_of, as_of + 14 * 86_400_000_000, read)][-1] == "soon"
