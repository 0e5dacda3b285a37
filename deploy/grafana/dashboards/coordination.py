"""*Coordination and decisions*: who waits for whom, how long, since when it was known, and what was not decided."""

from __future__ import annotations

from deploy.grafana.charts import Card, Panel, matrix
from deploy.grafana.frame import Page, Row
from deploy.grafana.panels import Show, ledger, trend
from deploy.grafana.queries import INITIATIVES, MODES, ORG, PAIRS, TEAMS, selector
from pipeline.metrics.catalogue import BY_NAME


def page() -> Page:
    """Return the dashboard of what happens between teams."""
    return Page(
        uid="leadline-coordination",
        title="Coordination and decisions",
        purpose="Who waits for whom and how long, since when that was known, and what was not decided.",
        rows=(
            Row("Pairs of teams", _pairs()),
            Row("Dependencies", _dependencies()),
            Row("Decisions", _decisions()),
            Row("Reviews and hand-offs", _handovers()),
            Row("Debt", _debt()),
            Row("Context", _context()),
        ),
        picks=("team", "initiative", "pair"),
    )


def _pairs() -> tuple[Panel, ...]:
    overdue = selector(BY_NAME["overdue_waits"], PAIRS)
    teams = (
        f'label_replace(label_replace({overdue}, "consumer", "$1", "scope", "(.*) > .*"), '
        '"provider", "$1", "scope", ".* > (.*)")'
    )
    return (
        matrix(
            Card("Overdue waits", "Down: who waits. Across: for whom. The number is what is open and overdue.", 8, 10),
            f"max by (consumer, provider) ({teams})",
            rows="consumer",
            columns="provider",
            of=("overdue_waits",),
        ),
        ledger(
            Card(
                "Pairs",
                "Who waits > for whom. The wait counts what is still open at its age, so that it grows before "
                "anything closes; the latency knows only what has ended.",
                16,
                10,
            ),
            PAIRS,
            Show("coordination_debt", look="bar"),
            Show("dependency_wait", ("p85",), "heat"),
            Show("open_dependencies", ("value", "p50", "p85"), "heat"),
            Show("dependency_latency", ("p50", "p85")),
            Show("late_discovery_rate", look="heat"),
        ),
        ledger(
            Card(
                "Pairs: reviews, hand-offs, decisions",
                "What else waits between two teams, and how much of it is open.",
                24,
                9,
            ),
            PAIRS,
            Show("review_wait", ("p85",), "heat"),
            Show("handoff_wait", ("p85",), "heat"),
            Show("handoff_return_rate"),
            Show("decision_latency", ("p85",), "heat"),
        ),
    )


def _dependencies() -> tuple[Panel, ...]:
    return (
        trend(
            Card(
                "Dependency wait, open ones included",
                "The latencies of what ended and the ages of what is open, together. Dashed: what is open alone.",
            ),
            ORG,
            Show("dependency_wait", ("p50", "p85")),
        ),
        trend(
            Card("Dependency latency", "Added to the blocker completed, of those that ended. Dashed: what is open."),
            ORG,
            Show("dependency_latency", ("p50", "p85", "p95")),
        ),
        trend(
            Card(
                "Discovery lag",
                "Left: work on the ticket begun to its dependency added; below 0 it was known before. Right: the share "
                "that was found too late to plan for.",
            ),
            ORG,
            Show("discovery_lag", ("p50", "p85")),
        ),
        trend(
            Card("Dependency wait: $team", "What the team waits for. Dashed: what is open alone."),
            TEAMS,
            Show("dependency_wait", ("p50", "p85")),
            repeat=True,
        ),
    )


def _decisions() -> tuple[Panel, ...]:
    return (
        trend(
            Card(
                "Decision latency",
                "Asked to accepted or rejected. Dashed: the decisions that are still open, which are no part of it.",
            ),
            ORG,
            Show("decision_latency", ("p50", "p85", "p95")),
        ),
        ledger(
            Card("Decisions by team", "What a team has asked for. `leadline query decisions` names them."),
            TEAMS,
            Show("open_decisions", ("value", "p50", "p85"), "heat"),
            Show("decision_latency", ("p50", "p85"), "heat"),
        ),
        ledger(
            Card("Decisions by initiative", "What an initiative waits for to be decided.", 24),
            INITIATIVES,
            Show("open_decisions", ("value", "p85"), "heat"),
            Show("decision_latency", ("p50", "p85"), "heat"),
        ),
    )


def _handovers() -> tuple[Panel, ...]:
    return (
        trend(
            Card("Review wait", "Review asked of another team to its first answer. Dashed: reviews without one."),
            ORG,
            Show("review_wait", ("p50", "p85")),
        ),
        trend(
            Card("Hand-off wait", "Work handed to another team to its first act on it. Dashed: what was not taken up."),
            ORG,
            Show("handoff_wait", ("p50", "p85")),
        ),
        ledger(
            Card(
                "Reviews and hand-offs by team",
                "What a team waits for. What came back was not ready, or not theirs.",
                24,
                8,
            ),
            TEAMS,
            Show("open_reviews", ("value", "p85"), "heat"),
            Show("review_wait", ("p85",)),
            Show("open_handoffs", ("value", "p85"), "heat"),
            Show("handoff_wait", ("p85",)),
            Show("handoff_return_rate"),
        ),
    )


def _debt() -> tuple[Panel, ...]:
    return (
        trend(
            Card(
                "Debt and its slope",
                "Left: overdue time, summed up. Right: overdue waits, each of which adds a day a day.",
            ),
            ORG,
            Show("coordination_debt"),
        ),
        ledger(
            Card("Debt by mode of interaction", "`implicit`: the two teams have not declared how they work together."),
            MODES,
            Show("coordination_debt", look="bar"),
            Show("dependency_wait", ("p85",), "heat"),
        ),
    )


def _context() -> tuple[Panel, ...]:
    return (
        trend(
            Card(
                "Assistants and their context",
                "Left: changes made with an assistant. Dashed: proposals that refer to an initiative which exists. "
                "More of the first with less of the second is speed in no direction.",
            ),
            ORG,
            Show("assisted_share"),
        ),
        ledger(
            Card(
                "Assistants by initiative",
                "A proposal belongs to an initiative only if it refers to it, so that integrity is 1 here; its n "
                "says how many there are.",
            ),
            INITIATIVES,
            Show("assisted_share", look="heat"),
        ),
    )
