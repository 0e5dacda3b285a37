"""*Value, drag, why*: does the work reach an initiative, what holds it up, and what explains that."""

from __future__ import annotations

from deploy.grafana.charts import Card, Panel, grid, states, words
from deploy.grafana.frame import Page, Row, firing
from deploy.grafana.pages import document
from deploy.grafana.panels import Show, ledger, summary, trend
from deploy.grafana.queries import INITIATIVES, MODES, ORG, PAIRS, TEAMS, Scopes, Series

_READ = """
**Value**: work that reaches an initiative, and how it gets there. **Drag**: what waits, worst first.
**Why**: how the teams have agreed to interact, and which findings hold.

A number stands with its *n*; below ten look at the items. Throughput stands with instability, a latency with what is
still open. Nothing shown is *no data*, which is not 0: `leadline doctor` says why. Whether an outcome moved since the
rollout, and by what evidence, is told by `leadline explain <initiative>`.
"""


def page() -> Page:
    """Return the dashboard to begin with."""
    return Page(
        uid="leadline-value",
        title="Value, drag, why",
        purpose="Does the work reach an initiative, what holds it up, and what explains that.",
        rows=(Row("Value", _value()), Row("Drag", _drag()), Row("Why", _why())),
        picks=("team", "initiative", "pair"),
    )


def _value() -> tuple[Panel, ...]:
    return (
        words(Card("How to read this", "What the three rows answer.", 24, 4), _READ),
        summary(
            Card(
                "Work that reaches an initiative",
                "Deployments that lead to an initiative by an explicit link, those that lead to none, and those that "
                "point to several. What leads nowhere cannot be weighed.",
                8,
                6,
            ),
            ORG,
            Show("traceability_coverage"),
            Show("orphan_deployments"),
            Show("ambiguous_deployments"),
        ),
        summary(
            Card("Delivery", "How often production changes, and how often that goes wrong, in the same window.", 8, 6),
            ORG,
            Show("deployment_frequency"),
            Show("change_fail_rate"),
        ),
        summary(
            Card(
                "Assistants",
                "Changes made with an assistant, beside the share of assistants' proposals that refer to an initiative "
                "which exists and is not closed.",
                8,
                6,
            ),
            ORG,
            Show("assisted_share"),
            Show("context_integrity"),
        ),
        ledger(
            Card(
                "Initiatives",
                "One row an initiative. Only what is linked to it explicitly counts. The one with most overdue time is "
                "on top.",
                24,
                9,
            ),
            INITIATIVES,
            Show("coordination_debt", look="bar"),
            Show("deployment_frequency"),
            Show("change_fail_rate"),
            Show("change_lead_time", ("p85",), "heat"),
            Show("traceability_coverage"),
        ),
    )


def _drag() -> tuple[Panel, ...]:
    return (
        summary(
            Card(
                "Coordination debt",
                "Time by which open waits between teams and open decisions are overdue, summed up. It grows by as many "
                "days a day as waits are overdue.",
                8,
                8,
            ),
            ORG,
            Show("coordination_debt"),
            Show("overdue_waits"),
        ),
        ledger(
            Card("The five pairs that wait most", "Who waits > for whom; overdue time of what is open now.", 16, 8),
            PAIRS,
            Show("coordination_debt", look="bar"),
            Show("dependency_wait", ("p85",), "heat"),
            top=5,
        ),
        ledger(
            Card("The five teams with most orphans", "Deployments that lead to no initiative, by team.", 12, 8),
            Scopes("team"),
            Show("orphan_deployments", look="bar"),
            top=5,
        ),
        ledger(
            Card(
                "The five teams whose decisions wait most",
                "Decisions that a team has asked for, by the age of the older ones (p85) that are open.",
                12,
                8,
            ),
            Scopes("team"),
            Show("open_decisions", ("p85", "value"), "bar"),
            Show("decision_latency", ("p85",)),
            top=5,
        ),
        trend(
            Card(
                "Debt over time",
                "Falling debt is paid or given up; look at what was withdrawn. Its slope is what is overdue.",
                24,
                8,
            ),
            TEAMS,
            Show("coordination_debt"),
        ),
    )


def _why() -> tuple[Panel, ...]:
    return (
        ledger(
            Card(
                "How teams have agreed to interact",
                "Waits by the mode that the two teams have declared; `implicit` is where nobody has.",
                12,
                8,
            ),
            MODES,
            Show("dependency_wait", ("p85",), "heat"),
            Show("late_discovery_rate"),
            Show("overdue_waits"),
        ),
        states(
            Card("Findings over time", "When each alert was firing. Its runbook says what it means and how it clears."),
            f"max by (alertname, team, pair) ({firing('business')})",
            "{{alertname}} {{team}} {{pair}}",
        ),
        grid(
            Card("Findings now", "What is firing, how long by now, and where to look first.", 24, 8),
            {"alertname": "Finding", "team": "Team", "pair": "Pair", "severity": "Severity"},
            [Series("Firing for", _since(), "seconds")],
            link=("Its runbook", document("deploy/runbooks") + "/${__value.raw}.md"),
        ),
    )


def _since() -> str:
    """How long each finding holds by now, the time that it was pending included."""
    labels = "alertname, severity, team, pair"
    return f"max by ({labels}) (time() - ALERTS_FOR_STATE) and on ({labels}) max by ({labels}) ({firing('business')})"
