"""The acceptance scenario: the recorded onboarding week, replayed. Expected values are worked out by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.replay import Replay, Restated
from pipeline.cli.week import app
from pipeline.cli.week_telling import day_lines, friday_lines, thread_lines
from pipeline.engine.embedded import Engine
from pipeline.engine.store import MemoryStore
from pipeline.events.errors import Corrupt
from pipeline.facts.rows import FACTS, ActFact, ArtifactFact, DecisionFact, DeploymentFact, TicketFact, WaitFact
from pipeline.governance.declared import held, initiatives
from pipeline.governance.gate import evaluate
from pipeline.governance.thread import CHANGED, MOVED, UNCERTAIN
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import DELIVERIES, EVENTS, Record, Stored
from pipeline.metrics.catalogue import MetricPoint
from pipeline.simulate.week.recorded import days
from tests.week.replayed import HOUR, INITIATIVE, Week, at_us, moment, replayed, taken, without

NOON_OF_WEDNESDAY = moment(4, "12:00:01")
DRAFTS = ["card-free-trial", "one-step-signup", "sso-first"]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    """The week as it was on Friday evening, and what was seen on the way."""
    found = replayed(tmp_path_factory.mktemp("week"), (NOON_OF_WEDNESDAY,))
    yield found
    found.replay.close()


def _again(stored: Stored) -> Record:
    return Record(source=stored.source, id=stored.id, key=stored.key, time=stored.time, value=stored.value)


def numbers(points: list[MetricPoint], scope: str, days: int | None = 7) -> dict[str, tuple[float, int]]:
    """Return metric (and stat, unless it is the value) -> (value, n) of one scope and window."""
    return {
        each.metric if each.stat == "value" else f"{each.metric} {each.stat}": (each.value, each.n)
        for each in points
        if each.scope == scope and each.window_days == days
    }


def test_everything_in_the_week_is_understood(week: Week) -> None:
    log = week.replay.wiring.log()
    assert week.replay.wiring.translator().quarantine.counts() == {}
    assert log.end(DELIVERIES) == sum(len(step.deliveries) for day in days() for step in day.moments)
    assert {delivery.connector for day in days() for step in day.moments for delivery in step.deliveries} == {
        *("cdevents", "git", "github", "jira", "launchdarkly", "pagerduty", "segment")
    }


# --- Monday: one owner, one success metric window, one explicit assumption list --------------------------------------


def test_monday_three_drafts_become_one_initiative(week: Week) -> None:
    contract = week.replay.contract()
    # The drafts held until 14:00; what is declared for the first time, as `onboarding` is then, holds since ever.
    assert initiatives(contract, at_us(2, "13:59:59")) == sorted([*DRAFTS, INITIATIVE])
    assert initiatives(contract, at_us(2, "14:00:00")) == [INITIATIVE]
    assert {name for draft in DRAFTS for name in contract.initiatives_named(draft)} == {INITIATIVE}


def test_monday_there_is_one_owner_one_metric_window_and_one_list_of_assumptions(week: Week) -> None:
    found = held(week.replay.contract(), INITIATIVE, at_us(2, "20:00:00"))
    assert found is not None
    assert (found.intent.owner, found.intent.stage) == ("growth", "commit")
    assert [(each.metric, each.horizon) for each in found.intent.outcomes] == [("activation_rate", "28d")]
    assert [each.id for each in found.intent.assumptions] == ["a1", "a2", "a3"]


def test_monday_the_work_of_all_three_drafts_serves_the_one_initiative(week: Week) -> None:
    tickets = {fact.id: fact.initiative for fact in week.replay.known().of(TicketFact)}
    assert tickets == dict.fromkeys(["AUTH-4", "AUTH-9", "DATA-5", "GROW-1", "GROW-2", "PRICE-7"], INITIATIVE)


def test_monday_s6_g1_the_gate_names_what_is_missing_until_it_is_complete(week: Week) -> None:
    assert week.pulse("monday", "07:00:00").lacks is None
    assert week.pulse("monday", "14:00:00").lacks == ["decision"]
    # The record was accepted at 15:00 and read half a minute later.
    assert week.pulse("monday", "15:00:30").lacks == []
    gate = evaluate(week.replay.contract(), week.replay.known(), INITIATIVE, at_us(2, "20:00:00"))
    assert gate is not None
    assert (gate.passed, gate.missing, gate.decision) == (True, [], "acme/handbook/ADR-12")


def test_monday_the_decision_took_four_hours_and_has_every_approver(week: Week) -> None:
    decision = week.replay.known().get(DecisionFact, "acme/handbook/ADR-12")
    assert decision is not None
    assert (decision.status, decision.latency, decision.lacking) == ("accepted", 4 * HOUR, [])
    assert decision.approvers == ["growth", "identity", "pricing"]
    assert decision.due_at == at_us(3, "11:00:00")  # its class may take a day


# --- Tuesday: that constraint is logged against the initiative context immediately -----------------------------------


def test_tuesday_f5_the_constraint_is_a_dependency_edge_with_its_discovery_lag(week: Week) -> None:
    wait = week.replay.known().get(WaitFact, "dependency|GROW-2|AUTH-9|0")
    assert wait is not None
    assert (wait.consumer, wait.provider, wait.mode, wait.initiative) == (
        *("growth", "identity", "x-as-a-service", INITIATIVE),
    )
    assert wait.opened_at == at_us(3, "10:30:00")
    assert wait.discovery_lag == 18.5 * HOUR  # work began on Monday at 16:00
    assert wait.due_at == at_us(5, "10:30:00")  # growth expects two days of identity


def test_tuesday_confidence_falls_within_the_run_that_took_the_link_in(week: Week) -> None:
    assert week.pulse("monday", "15:00:30").failing == {}
    fallen = week.pulse("tuesday", "10:30:02")  # Jira told it two seconds later
    assert (fallen.checks, fallen.failing) == (9, {"dependencies": ["dependency|GROW-2|AUTH-9|0"]})


def test_tuesday_a_review_that_another_team_owes_is_a_wait_of_its_own(week: Week) -> None:
    asked = week.pulse("tuesday", "15:00:02").failing["dependencies"]
    assert asked == ["review|acme/web#41|identity|0", "dependency|GROW-2|AUTH-9|0"]  # that due first comes first
    review = week.replay.known().get(WaitFact, "review|acme/web#41|identity|0")
    assert review is not None
    assert (review.end, review.latency) == ("answered", 2 * HOUR)


# --- Wednesday: not a new local artifact that breaks traceability ----------------------------------------------------


def test_wednesday_c1_a_local_artifact_breaks_integrity_and_the_relink_mends_it(week: Week) -> None:
    assert week.pulse("wednesday", "11:00:01").integrity == (2, 2)
    assert week.pulse("wednesday", "12:00:01").integrity == (2, 3)
    assert week.pulse("wednesday", "16:30:01").integrity == (3, 3)
    assert numbers(week.noted["Wed 12:00"], "all")["context_integrity"] == (0.666666667, 3)
    assert numbers(week.evenings["wednesday"].metrics, "all")["context_integrity"] == (1.0, 3)


def test_wednesday_c2_each_proposal_leads_to_the_canonical_initiative_and_its_context(week: Week) -> None:
    found = {fact.id: fact for fact in week.replay.known().of(ArtifactFact)}
    assert {key: (fact.named, fact.initiative, fact.context) for key, fact in found.items()} == {
        "notes/onboarding-v2": (INITIATIVE, INITIATIVE, "notebook of one team"),
        "plan/trial-mails": ("card-free-trial", INITIATIVE, "prompt/onboarding@7"),  # by the alias of a draft
        "spec/sign-up-copy": (INITIATIVE, INITIATIVE, "prompt/onboarding@7"),
    }
    assert found["notes/onboarding-v2"].relinked_at == at_us(4, "16:30:00")


def test_wednesday_c3_c4_an_act_outside_its_boundary_is_a_violation(week: Week) -> None:
    acts = {fact.action: (fact.rule, fact.violation) for fact in week.replay.known().of(ActFact)}
    assert acts == {"merge to main": ("human", True), "propose text": ("automated", False)}


# --- Thursday: what changed, what signal moved, what remains uncertain -----------------------------------------------


def test_thursday_the_three_parts_are_complete(week: Week) -> None:
    told = week.evenings["thursday"].thread
    assert told is not None
    assert told.complete
    assert [(each.about, each.at) for each in told.changed] == [
        ("billing", at_us(4, "15:40:00")),
        ("auth", at_us(5, "08:50:00")),
        ("web", at_us(5, "10:40:00")),
        ("rollout one-step-signup", at_us(5, "11:30:00")),
    ]
    assert [each.about for each in told.uncertain] == [
        *("assumption a1", "assumption a2", "assumption a3", "DATA-5", "rollout one-step-signup", "activation_rate"),
    ]


def test_thursday_t4_the_outcome_is_read_weighed_by_exposure(week: Week) -> None:
    told = week.evenings["thursday"].thread
    assert told is not None
    (reading,) = told.moved
    # 5 were shown the new form and 3 of them succeeded; 20 were not, of whom 6 did: 9 of 25 in all.
    assert reading.variants == {"off": (20, 0.3), "on": (5, 0.6)}
    assert (reading.n, reading.value) == (25, 0.36)
    assert reading.weighted == pytest.approx(0.2 * 0.6 + 0.8 * 0.3)
    assert (reading.before, reading.baseline) == (0.3, 0.3)  # 3 of 10 on Tuesday


def test_thursday_s3_a_claim_without_evidence_is_named_and_costs_confidence(week: Week) -> None:
    assert week.pulse("thursday", "09:00:02").failing == {}  # the dependency was completed
    # DATA-5 said done on Wednesday at 17:00, may take a day for its evidence, and was not deployed.
    assert week.pulse("thursday", "20:00:00").failing == {"evidenced": ["DATA-5"]}
    told = week.evenings["thursday"].thread
    assert told is not None
    assert "claimed, not evidenced: done without deployment" in [each.text for each in told.uncertain]


def test_thursday_a_part_that_is_missing_is_named_incomplete(tmp_path: Path) -> None:
    evening = moment(5, "20:00:00")
    replay = taken(tmp_path, without("segment"), until=evening)
    try:
        told = replay.thread(at_us(5, "20:00:00"))
    finally:
        replay.close()
    assert told is not None
    assert told.incomplete == {MOVED: "no sample of activation_rate since then"}
    assert [each.about for each in told.changed][-1] == "rollout one-step-signup"
    assert "Which signal moved: incomplete, no sample of activation_rate since then" in list(thread_lines(told))


def test_monday_nothing_has_changed_yet_and_the_thread_says_so(week: Week) -> None:
    told = week.evenings["monday"].thread
    assert told is not None
    assert set(told.incomplete) == {CHANGED, MOVED}
    assert UNCERTAIN not in told.incomplete


def test_thursday_the_wait_and_the_flow_of_the_story(week: Week) -> None:
    known = week.replay.known()
    wait, ticket = known.get(WaitFact, "dependency|GROW-2|AUTH-9|0"), known.get(TicketFact, "GROW-2")
    assert wait is not None
    assert ticket is not None
    assert (wait.end, wait.latency) == ("completed", 46.5 * HOUR)  # Tuesday 10:30 to Thursday 09:00
    assert ticket.flow_time == 67 * HOUR  # Monday 16:00 to Thursday 11:00
    assert ticket.active_time == (18.75 + 1.75) * HOUR
    assert ticket.waiting_time == 46.5 * HOUR  # in status Blocked, Tuesday 10:45 to Thursday 09:15
    assert ticket.blocked_time == 46.75 * HOUR  # the union of that and of the dependency


# --- Friday: strategy objects, delivery events and outcome telemetry were already connected --------------------------


def test_friday_n1_the_story_needs_no_typing(week: Week) -> None:
    lines = list(friday_lines(week.replay, week.evenings["friday"]))
    assert lines[0] == ("Onboarding: fewer steps to the first project (growth, commit), as of 2026-03-06 20:00 UTC")
    assert "  Thu 10:40 web: deployed, and failed afterwards" in lines
    assert (
        "  activation_rate: 36% of 25 on 2026-03-05; before 30%; off 30% of 20; on 60% of 5; "
        "weighed by exposure 36%, +6 points on the baseline"
    ) in lines
    assert "Confidence: 9 of 9 checks hold" in lines
    assert "Progress: 4 of 5 tickets done" in lines
    # 4 deployments of the initiative, one of which failed; 41 h 50 min, 45 h 10 min, 29 h 40 min and 47 h 30 min.
    assert "change fail rate: 25.0% (n = 4)" in lines
    assert "change lead time p50: 1.81 d (n = 4)" in lines


def test_friday_a_late_event_of_thursday_is_a_visible_restatement(week: Week) -> None:
    friday = week.evenings["friday"]
    rate = [each for each in friday.restated_metrics if (each.metric, each.scope) == ("change_fail_rate", "org all")]
    # 8 deployments by Thursday, one of which had failed; the incident of Thursday 19:10 makes it two.
    assert rate == [Restated("change_fail_rate", "value", "org all", (0.125, 8), (0.25, 8))]
    facts = {(row["kind"], row["field"]): (row["old_value"], row["new_value"]) for row in friday.restated_facts}
    assert facts["deployment", "failed"] == ("false", "true")
    assert facts["deployment", "recovery_time"] == ("null", str(9 * HOUR + 300))  # 10:40 to 19:45
    said = [line for line in day_lines(week.replay, friday) if "restated" in line]
    assert "  restated: change_fail_rate was reported as 12.5% (n = 8), and is 25.0% (n = 8)" in said


def test_friday_the_deployment_that_failed_is_the_one_of_thursday(week: Week) -> None:
    failed = {fact.deployment for fact in week.replay.known().of(DeploymentFact) if fact.failed}
    assert failed == {"acme/billing/deployments/9001", "acme/web/deployments/9004"}


def test_friday_a_replay_of_the_log_gives_the_same_bytes(week: Week, tmp_path: Path) -> None:
    before = week.replay.digest()
    assert week.replay.rebuild() == before
    again = taken(tmp_path)
    try:
        assert again.digest() == before
    finally:
        again.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_friday_any_order_of_the_log_gives_the_same_facts_and_numbers(week: Week, seed: int) -> None:
    stored = [each for batch in week.replay.wiring.log().iterate(EVENTS) for each in batch]
    random.Random(seed).shuffle(stored)
    log, store = MemoryLog(), MemoryStore()
    for each in stored:
        log.append(EVENTS, [_again(each)], each.recorded)
    engine = Engine(log, store, batch=7)
    engine.run()
    state, other = engine.state, week.replay.wiring.engine().state
    for kind, struct in FACTS.items():
        assert dict(state.table(f"fact_{kind}", struct).items()) == dict(other.table(f"fact_{kind}", struct).items())
    assert engine.as_of() == week.replay.wiring.engine().as_of()


def test_friday_every_number_of_the_initiative(week: Week) -> None:
    told = numbers(week.evenings["friday"].metrics, INITIATIVE)
    assert told["deployment_frequency"] == (round(4 / 7, 9), 4)
    assert told["traceability_coverage"] == (1.0, 4)
    assert told["assisted_share"] == (0.25, 4)  # the trial was written with an assistant
    assert told["dependency_latency p50"] == (46.5 * HOUR, 1)
    assert told["late_discovery_rate"] == (1.0, 1)
    assert told["decision_latency p50"] == (4 * HOUR, 1)


# --- the verb --------------------------------------------------------------------------------------------------------


def test_the_verb_tells_the_week_in_a_folder_of_its_own(week: Week, tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["--dir", str(tmp_path / "week")])
    assert told.exit_code == 0
    assert "Tuesday 03 March: what became visible" in told.stdout
    assert told.stdout.endswith(f"gives the same bytes: {week.replay.digest()}\n")
    assert sorted(path.name for path in (tmp_path / "week").iterdir() if "-" not in path.name) == [
        *("leadline.db", "leadline.yaml", "snapshots"),
    ]


def test_a_damaged_recording_is_named_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / "1-monday.ndjson").write_text('{"received_at": "2026-03-02T09:00:00Z", "conector": "jira"}\n')
    with pytest.raises(Corrupt, match=r"1-monday\.ndjson:1: .*conector"):
        days(tmp_path)


def test_the_digest_tells_facts_apart(tmp_path: Path) -> None:
    one, other = taken(tmp_path / "one", until=moment(3, "10:00:00")), Replay(tmp_path / "other", INITIATIVE)
    try:
        assert one.digest() != other.digest()
    finally:
        one.close()
        other.close()
