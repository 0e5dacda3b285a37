"""*Delivery system*: throughput and instability in one frame, where the time of a change goes, and what breaks."""

from __future__ import annotations

from deploy.grafana.charts import Card, Panel
from deploy.grafana.frame import Page, Row
from deploy.grafana.panels import Show, ledger, trend
from deploy.grafana.queries import INITIATIVES, ORG, SERVICES, TEAMS, Scopes, Series, by_scope, sample_size, selector
from pipeline.metrics.catalogue import BY_NAME

_PARTS = ("coding_time", "pickup_time", "review_time", "deploy_time")


def page() -> Page:
    """Return the dashboard of how work reaches production."""
    return Page(
        uid="leadline-delivery",
        title="Delivery system",
        purpose="How often production changes, how often that fails, how long a change takes, and where.",
        rows=(
            Row("The organisation", _organisation()),
            Row("By team", _teams()),
            Row("By initiative", _initiatives()),
            Row("What broke", _broken()),
            Row("Flow of tickets", _flow()),
        ),
    )


def _throughput(card: Card, scopes: Scopes, *, repeat: bool = False) -> Panel:
    return trend(card, scopes, Show("deployment_frequency"), Show("change_fail_rate"), repeat=repeat)


def _organisation() -> tuple[Panel, ...]:
    return (
        _throughput(
            Card(
                "Throughput and instability",
                "Left: deployments per day. Right: the share of them that failed. Without the right line, "
                "instability is not known: no source has told of any failure.",
            ),
            ORG,
        ),
        trend(
            Card(
                "Change lead time",
                "First commit to production, of changes that arrived; the dashed lines are the changes that have not. "
                "When these age, lead time will grow later.",
            ),
            ORG,
            Show("change_lead_time", ("p50", "p85", "p95")),
        ),
        trend(
            Card(
                "Where the time goes, usually", "Medians of the parts. They do not add up to the median of the whole."
            ),
            ORG,
            *(Show(part, ("p50",)) for part in _PARTS),
        ),
        trend(
            Card("Where the time goes, at worst", "The 85th percentile of the parts: the tail is where waiting shows."),
            ORG,
            *(Show(part, ("p85",)) for part in _PARTS),
        ),
        trend(
            Card(
                "Recovery",
                "Finish of a failed deployment to its recovery; the dashed lines are those not recovered from.",
            ),
            ORG,
            Show("failed_deployment_recovery_time", ("p50", "p85", "p95")),
        ),
        trend(
            Card("Rework", "Left: the share of deployments that were made because of an incident. Right: all of them."),
            ORG,
            Show("deployment_rework_rate"),
        ),
    )


def _teams() -> tuple[Panel, ...]:
    return (
        ledger(
            Card("Teams", "Not a ranking: teams differ in what they own. Compare a team with its own past.", 24, 9),
            TEAMS,
            Show("deployment_frequency"),
            Show("change_fail_rate", look="heat"),
            Show("change_lead_time", ("p50", "p85"), "heat"),
            Show("failed_deployment_recovery_time", ("p50",)),
            Show("deployment_rework_rate"),
        ),
        _throughput(
            Card("Throughput and instability: $team", "Left: deployments per day. Right: the share that failed."),
            TEAMS,
            repeat=True,
        ),
        trend(
            Card("Change lead time: $team", "Changes that arrived; dashed, those that have not."),
            TEAMS,
            Show("change_lead_time", ("p50", "p85")),
            repeat=True,
        ),
    )


def _initiatives() -> tuple[Panel, ...]:
    return (
        ledger(
            Card("Initiatives", "What was delivered for each initiative, by explicit links alone.", 24, 8),
            INITIATIVES,
            Show("deployment_frequency"),
            Show("change_fail_rate", look="heat"),
            Show("change_lead_time", ("p50", "p85"), "heat"),
            Show("failed_deployment_recovery_time", ("p50",)),
        ),
    )


def _broken() -> tuple[Panel, ...]:
    rate = BY_NAME["change_fail_rate"]
    share, finished = (by_scope(each, SERVICES) for each in (selector(rate, SERVICES), sample_size(rate, SERVICES)))
    count = f"round({share} * on (scope) {finished}) > 0"
    return (
        ledger(
            Card(
                "Failed deployments by service",
                "How many deployments of the window failed, of how many, and how long recovery took. Which they are, "
                "and what told so: `leadline query failed_deployments`.",
                24,
                9,
            ),
            SERVICES,
            Show("change_fail_rate", look="heat"),
            Show("failed_deployment_recovery_time", ("p50", "p85")),
            lead=Series("Failed", count, "count"),
        ),
    )


def _flow() -> tuple[Panel, ...]:
    return (
        trend(
            Card("Flow time", "Work on a ticket begun to done; dashed, the work in progress."),
            ORG,
            Show("flow_time", ("p50", "p85")),
        ),
        trend(
            Card("Flow efficiency", "Left: active time of done tickets, of active and waiting time. Right: flow time."),
            ORG,
            Show("flow_efficiency"),
        ),
        trend(
            Card("Blocked time", "How long done tickets were blocked; dashed, the age of the work in progress."),
            ORG,
            Show("blocked_time", ("p50", "p85")),
        ),
        ledger(
            Card(
                "What trackers tell",
                "Moves without a reason and tickets that the contract cannot read make the numbers of flow weaker.",
            ),
            TEAMS,
            Show("open_work", ("value", "p85"), "bar"),
            Show("reasoned_moves"),
            Show("unmapped_work"),
        ),
    )
