"""From a delivery to an alert and back, with real programs and the configuration that is shipped.

What differs from it is said by `shipped`, and in each test by the spans of time that it gives the alerts.
"""

from __future__ import annotations

import signal
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from tests.deploy import debt, shipped
from tests.deploy.binaries import until
from tests.deploy.stack import TOKEN, Stack, running

DEBT, OVERDUE = "CoordinationDebtGrowing", "DependencyOverdue"
BUSINESS, HEALTH = "leadline.business", "leadline.health"
#: Which receiver is told of them, in what words.
TOLD = {
    DEBT: ("growth", f"Coordination debt of {debt.PAIR} grows"),
    OVERDUE: ("checkout", "growth waits for checkout longer than agreed"),
}
#: No alert waits for long. Those of the work outlast, as shipped, that there are no numbers for a while.
IMPATIENT = {
    **shipped.durations(BUSINESS, **{"for": "1s"}),
    **shipped.durations(HEALTH, **{"for": "3s", "keep_firing_for": "1s"}),
}


def as_of(stack: Stack) -> datetime:
    """Return the end of what Leadline knows of the simulated teams."""
    return datetime.fromisoformat(stack.leadline.get("/api/v1/metrics")["as_of"])


def indebted(stack: Stack) -> None:
    """Plant debt, as a tracker would tell of it, and wait until all who are concerned were told."""
    events = debt.planted(as_of(stack))
    assert stack.leadline.push(events, token="of-somebody-else") == 401
    assert stack.leadline.push(events) == 202
    for name, (team, words) in TOLD.items():
        stack.inbox.journal(name, "firing", pair=debt.PAIR)
        stack.inbox.wait(f"/team-{team}", f"[FIRING] {words}")


def test_debt_is_told_and_resolves_when_it_is_paid(tmp_path: Path) -> None:
    quick = shipped.durations(BUSINESS, **{"for": "1s", "keep_firing_for": "3s"})
    with running(tmp_path, quick) as stack:
        rules = stack.prometheus.rules()
        assert sorted(rule["name"] for rule in rules) == sorted(
            name for path in shipped.RULES for name in shipped.rules(path)
        )
        indebted(stack)
        assert {rule["health"] for rule in stack.prometheus.rules()} == {"ok"}
        for name, (team, words) in TOLD.items():
            alert = stack.inbox.journal(name, "firing", pair=debt.PAIR)
            assert (alert["labels"]["team"], alert["labels"]["severity"]) == (team, "warning")
            leads_to_evidence_and_runbook(stack, name, alert["annotations"])
            (told,) = stack.inbox.wait(f"/team-{team}", words).body["attachments"]
            assert alert["annotations"]["runbook_url"] in told["text"]
            assert alert["annotations"]["evidence_url"] in told["text"]

        assert stack.leadline.push(debt.paid(as_of(stack) + timedelta(hours=1))) == 202
        for name, (team, words) in TOLD.items():
            assert stack.inbox.journal(name, "resolved", pair=debt.PAIR)["labels"]["team"] == team
            stack.inbox.wait(f"/team-{team}", f"[RESOLVED] {words}")
        assert stack.prometheus.query("leadline_coordination_debt_seconds") == []
        assert [name for name, *_ in stack.prometheus.firing() if name in TOLD] == []


def leads_to_evidence_and_runbook(stack: Stack, name: str, annotations: dict[str, str]) -> None:
    """Follow the links of an alert: there is such a page, and Leadline shows the numbers in question."""
    runbook = annotations["runbook_url"].rpartition("/")[2]
    assert runbook == f"{name}.md"
    assert (shipped.RUNBOOKS / runbook).is_file()
    evidence = urlsplit(annotations["evidence_url"])
    items = stack.leadline.get(f"{evidence.path}?{evidence.query}")["items"]
    assert {(item["scope"], item["n"]) for item in items} == {(debt.PAIR, debt.WAITS)}


def test_a_leadline_that_hangs_mutes_what_is_said_of_the_work(tmp_path: Path) -> None:
    with running(tmp_path, IMPATIENT) as stack:
        indebted(stack)
        before = len(stack.inbox.told)
        stack.leadline.process.process.send_signal(signal.SIGSTOP)
        told = stack.inbox.wait("/on-call", "LeadlineDown", "firing", after=before)
        assert told.authorization == f"Bearer {TOKEN}"
        labels = told.body["commonLabels"]
        assert (labels["team"], labels["severity"]) == ("leadline", "critical")
        stack.becomes(DEBT, {"suppressed"})
        stack.becomes(OVERDUE, {"suppressed"})
        stack.leadline.process.process.send_signal(signal.SIGCONT)
        stack.inbox.wait("/on-call", "LeadlineDown", "resolved", after=before)
        stack.becomes(DEBT, {"active"})
        stack.becomes(OVERDUE, {"active"})
        assert told_of_work(stack, before) == []


def test_a_log_that_is_not_followed_mutes_what_is_said_of_the_work(tmp_path: Path) -> None:
    thresholds = {
        "leadline:backlog_records:threshold": "vector(2)",
        "leadline:staleness_seconds:threshold": "vector(5)",
    }
    with running(tmp_path, IMPATIENT, thresholds) as stack:
        indebted(stack)
        before = len(stack.inbox.told)
        # Deliveries are taken in, and nobody follows.
        stack.leadline.end()
        stack.leadline.start("--no-follow")
        assert stack.leadline.push(debt.paid(as_of(stack) + timedelta(hours=1))) == 202
        stack.inbox.wait("/leadline-owners", "[FIRING] ", "records wait to be worked off")
        stack.becomes(DEBT, {"suppressed"})
        # Somebody follows, and cannot write what follows from it.
        stack.leadline.end()
        with stack.leadline.locked():
            stack.leadline.start()
            stack.inbox.wait("/on-call", "PipelineStale", "firing", after=before)
            stack.becomes(DEBT, {"suppressed"})
            stack.becomes("PipelineLagging", {"suppressed"})
        stack.inbox.wait("/on-call", "PipelineStale", "resolved", after=before)
        assert told_of_work(stack, before) == []


def told_of_work(stack: Stack, after: int) -> list[str]:
    """Return to which teams something was said, the first messages left out."""
    return [each.path for each in stack.inbox.told[after:] if each.path.startswith("/team-")]


def test_a_restart_makes_no_false_zero_and_no_false_alert(tmp_path: Path) -> None:
    with running(tmp_path, shipped.durations(BUSINESS, **{"for": "1s"})) as stack:
        indebted(stack)
        until(lambda: stack.journaled() == {labels for _, labels, _ in stack.prometheus.firing()}, "all are told")
        begun, firing, told = stack.prometheus.now(), stack.prometheus.firing(), len(stack.inbox.told)
        for how in (signal.SIGTERM, signal.SIGKILL):
            stack.leadline.end(how)
            until(lambda: stack.prometheus.query('up{job="leadline"} == 0'), "a scrape fails")
            stack.leadline.start()
            until(lambda: stack.prometheus.query(f'leadline_overdue_waits{{scope="{debt.PAIR}"}}'), "numbers are back")
        ended = stack.prometheus.now()
        assert stack.prometheus.values('up{job="leadline"}', begun, ended) == [{0.0, 1.0}]
        values = stack.prometheus.values('{__name__=~"leadline_.+", scope!=""}', begun, ended)
        assert len(values) > 500
        assert [each for each in values if len(each) != 1] == []
        # The same alerts since the same instants, and nobody was told anything.
        assert stack.prometheus.firing() == firing
        assert stack.states(DEBT) == stack.states(OVERDUE) == {"active"}
        assert stack.inbox.told[told:] == []
