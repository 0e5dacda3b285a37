"""`leadline doctor`: each thing that is wrong is told with its fix, and what is well is not told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli import app
from pipeline.events.delivery import Delivery
from pipeline.events.envelope import Event
from pipeline.ingest.deliveries import store
from pipeline.log.protocol import EVENTS, event_record
from pipeline.settings import Settings
from pipeline.wiring import Wiring, clock
from tests.governance.known_of import core, growth
from tests.simulation.story import declared, deployed, opened, ticket_seen, trouble
from tests.simulation.story_teamwork import dependency_added, handed_over

Doctor = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def wiring(home: Path) -> Iterator[Wiring]:
    found = Wiring(Settings(database=home / "leadline.db"))
    yield found
    found.close()


def told(wiring: Wiring, *events: Event) -> None:
    wiring.log().append(EVENTS, [event_record(event) for event in events], datetime(2026, 4, 1, tzinfo=UTC))
    wiring.engine().run()


def findings(*arguments: str) -> dict[tuple[str, str], tuple[str, str]]:
    done = CliRunner().invoke(app, ["doctor", "--output", "json", *arguments])
    assert done.exit_code in (0, 1), done.output
    rows = json.loads(done.stdout)
    assert (done.exit_code == 1) is bool(rows)
    return {(row["check"], row["subject"]): (row["finding"], row["fix"]) for row in rows}


def test_an_empty_metric_names_what_it_lacks_and_what_to_do(wiring: Wiring) -> None:
    told(
        wiring, deployed("10 09:00", "d1", environment="blue"), opened("09 09:00", 1), ticket_seen("09 09:00", "GROW-1")
    )

    finding, fix = findings("deployment_frequency")["metric", "deployment_frequency"]
    assert finding == "1 deployments, none of them to production: blue (1)"
    assert "environments.production" in fix
    assert "ticket" in findings("flow_time")["metric", "flow_time"][0]
    assert findings("dependency_latency")["metric", "dependency_latency"][0] == (
        "no source told of dependencies between tickets"
    )


def test_a_metric_with_a_value_has_no_finding(wiring: Wiring) -> None:
    told(wiring, deployed("10 09:00", "d1"), trouble("10 10:00", "i1"))
    assert findings("deployment_frequency") == {}
    assert findings("change_fail_rate") == {}


def test_rates_are_not_known_while_nothing_tells_of_failures(wiring: Wiring) -> None:
    told(wiring, deployed("10 09:00", "d1"))
    finding, fix = findings("change_fail_rate")["metric", "change_fail_rate"]
    assert "ever told of a failure" in finding
    assert fix == "connect incidents or alerts"


def test_the_words_that_the_contract_lacks_are_listed(wiring: Wiring) -> None:
    told(wiring, ticket_seen("09 09:00", "GROW-1", status="Doing", kind="Story"), deployed("10 09:00", "d1"))
    found = findings()
    assert "Doing (1)" in found["contract", "statuses"][0]
    assert "Story (1)" in found["contract", "types"][0]
    assert "GROW (1)" in found["contract", "teams"][0]
    assert "acme/shop (1)" in found["contract", "services"][0]


def test_tickets_that_are_above_each_other_are_named(wiring: Wiring) -> None:
    told(
        wiring,
        ticket_seen("09 09:00", "GROW-1", "GROW-2"),
        ticket_seen("09 09:00", "GROW-2", "GROW-3"),
        ticket_seen("09 09:00", "GROW-3", "GROW-2"),
        ticket_seen("09 09:00", "GROW-4", "GROW-4"),
        ticket_seen("09 09:00", "GROW-5", "GROW-6"),
    )
    found = {subject: finding for (check, subject), (finding, _) in findings().items() if check == "tickets"}
    assert found.keys() == {"GROW-2", "GROW-4"}
    assert found["GROW-2"].endswith(": GROW-2 > GROW-3 > GROW-2")
    assert found["GROW-4"].endswith(": GROW-4 > GROW-4")


def test_a_metric_of_waits_names_what_it_lacks_itself(wiring: Wiring) -> None:
    told(
        wiring,
        growth(),
        core(),
        ticket_seen("01 09:00", "GROW-1"),
        ticket_seen("01 09:00", "CORE-1"),
        dependency_added("02 09:00", "GROW-1", "CORE-1"),
        handed_over("02 09:00", "H-1", from_team="growth", to_team="core"),
    )
    reasons = {
        metric: findings(metric)["metric", metric][0]
        for metric in ("dependency_latency", "discovery_lag", "late_discovery_rate", "handoff_return_rate")
    }
    assert reasons == {
        "dependency_latency": "none has been answered yet",
        "discovery_lag": "work has begun on no ticket that depends on another",
        "late_discovery_rate": "work has begun on no ticket that depends on another",
        "handoff_return_rate": "none has ended yet",
    }


def test_silent_sources_quarantine_and_lag_are_told(home: Path, wiring: Wiring) -> None:
    now = clock()
    old = Delivery(connector="github", id="1", kind="push", received_at=now, body=b"{")
    store(wiring.log(), [old], now - timedelta(days=9))
    wiring.translator().run(now)
    store(wiring.log(), [Delivery(connector="jira", id="1", kind="x", received_at=now, body=b"{}")], now)
    (home / "leadline.yaml").write_text("database: leadline.db\nconnectors: {sentry: {secrets: [s3cret]}}\n")

    found = findings("--silent-after", "3d")
    assert found["source", "github"][0].startswith("silent for 9 d, after 1 deliveries")
    assert ("source", "jira") not in found
    assert found["source", "sentry"][0] == "is configured and never told anything"
    assert found["quarantine", "github"] == (
        "1 deliveries could not be read: bad_json",
        "leadline quarantine list --connector github --reason bad_json",
    )
    assert found["lag", "translate"] == ("1 deliveries wait", "leadline run --once")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["deploment_frequency"], None, "is no metric"),
        (["--silent-after", "soon"], 2, "--silent-after"),
    ],
)
def test_bad_arguments(wiring: Wiring, arguments: list[str], code: int | None, message: str) -> None:
    told(wiring, deployed("10 09:00", "d1"))
    done = CliRunner().invoke(app, ["doctor", *arguments])
    assert done.exit_code == (1 if code is None else code)
    assert message in f"{done.output}{done.exception}"


def test_a_metric_of_outcomes_that_gets_no_sample_names_the_event(wiring: Wiring) -> None:
    spec = {"type": "count", "measure": {"event": "signed up"}, "period": "day", "source": ["segment"]}
    told(wiring, declared("Metric", "sign_ups", spec))
    finding, fix = findings()["outcome", "sign_ups"]
    assert finding == "no event 'signed up' of segment was counted"
    assert "connector try" in fix
