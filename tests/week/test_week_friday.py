"""The acceptance scenario on Friday: nothing is typed, nothing is lost, and a replay says the same."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import audit
from pipeline.cli.replay import Replay, Restated
from pipeline.cli.week import app
from pipeline.cli.week_telling import day_lines, friday_lines
from pipeline.engine.embedded import Engine
from pipeline.engine.store import MemoryStore
from pipeline.events.envelope import Event
from pipeline.events.errors import Corrupt
from pipeline.events.types import ChangeReviewed
from pipeline.facts.rows import FACTS, DeploymentFact, TicketFact
from pipeline.governance.confidence import confidence
from pipeline.governance.known import Known
from pipeline.governance.progress import Progress, progress
from pipeline.log.memory import MemoryLog
from pipeline.log.protocol import EVENTS, Record, Stored, event_record
from pipeline.simulate.telling import tell
from pipeline.simulate.week.recorded import days
from tests.simulation.story import committed
from tests.week.replayed import HOUR, INITIATIVE, Week, at_us, moment, numbers, taken


def _again(stored: Stored) -> Record:
    return Record(source=stored.source, id=stored.id, key=stored.key, time=stored.time, value=stored.value)


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


def test_t2_a_thousand_more_commits_and_comments_are_no_progress(week: Week) -> None:
    stored = [each for batch in week.replay.wiring.log().iterate(EVENTS) for each in batch]
    noise = [
        *(
            committed(f"{number:040x}", "05 12:00", message=f"GROW-2 more {number}", repo="acme/web")
            for number in range(700)
        ),
        *(_commented(number) for number in range(300)),
    ]
    log = MemoryLog()
    log.append(EVENTS, [*map(_again, stored), *map(event_record, noise)], moment(6, "20:00:00"))
    engine = Engine(log, MemoryStore())
    engine.run()
    known, at = Known(engine.state), at_us(6, "20:00:00")
    assert progress(known) == progress(week.replay.known()) == {INITIATIVE: Progress(done=4, tickets=5)}
    told, before = confidence(engine.contract, known, INITIATIVE, at, {}), week.replay.confidence(at)
    assert told is not None
    assert before is not None
    assert told.share == before.share
    lives = [(fact.canonical_status, fact.finish, fact.flow_time, fact.blocked_time) for fact in known.of(TicketFact)]
    assert lives == [
        (fact.canonical_status, fact.finish, fact.flow_time, fact.blocked_time)
        for fact in week.replay.known().of(TicketFact)
    ]


def _committed(number: int) -> Event:
    return committed(f"{number:040x}", "05 12:00", message=f"GROW-2 more {number}", repo="acme/web")


def _commented(number: int) -> Event:
    payload = ChangeReviewed(
        repo="acme/web", change="acme/web#41", verdict="commented", reviewer=f"p-{number}", automated=False
    )
    return tell(ChangeReviewed.TYPES[0], at_us(5, "12:00:00") + number, payload)


# --- the verb --------------------------------------------------------------------------------------------------------


def test_the_verb_tells_the_week_and_the_audit_agrees(
    week: Week, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = CliRunner().invoke(app, ["--dir", str(tmp_path / "week"), "--speed", "1000000"])
    assert told.exit_code == 0
    assert "Tuesday 03 March: what became visible" in told.stdout
    assert told.stdout.endswith(f"gives the same bytes: {week.replay.digest()}\n")
    assert sorted(path.name for path in (tmp_path / "week").iterdir() if "-" not in path.name) == [
        *("leadline.db", "leadline.yaml", "snapshots"),
    ]
    monkeypatch.setenv("LEADLINE_CONFIG", str(tmp_path / "week" / "leadline.yaml"))
    audited = CliRunner().invoke(audit.app)
    assert (audited.exit_code, audited.stderr.count(" equal")) == (0, len(FACTS) + 1)


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
