"""Deployments that wait for somebody's approval: a decision for each environment that an attempt of a run asks for."""

from __future__ import annotations

import re
from typing import Literal

from connectors.github.runs import attempt_of
from pipeline.events import references
from pipeline.events.coordination import DecisionEvent
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.errors import Quarantined
from pipeline.events.forges import Repository, left_out
from pipeline.events.reading import Node

REQUESTED, DECIDED, *_ = DecisionEvent.TYPES

_OUTCOMES: dict[str, Literal["accepted", "rejected"]] = {"approved": "accepted", "rejected": "rejected"}
_RUN = re.compile(r"/actions/runs/(\d{1,19})(?:/|$)")


def deployment_review(root: Node, repo: Repository, _context: Context) -> Outcome:
    """Webhook `deployment_review`: `since` is when it was asked for, approved or rejected."""
    action, at = root.text("action"), root.moment("since")
    outcome = _OUTCOMES.get(action)
    if outcome is None and action != "requested":
        return left_out("deployment_review", action)
    jobs = [
        *root.items("workflow_job_runs"),
        *([root.child("workflow_job_run")] if root.has("workflow_job_run") else []),
    ]
    environments = [root.text_or_none("environment"), *(job.text("environment") for job in jobs)]
    asked = dict.fromkeys(name for name in environments if name)
    if not asked:
        raise Quarantined("missing_field", "environment is absent, and so are workflow_job_run and workflow_job_runs")
    run = _run(root, jobs)
    decisions = (_decision(root, run, repo, environment, outcome) for environment in asked)
    return [repo.event(DECIDED if outcome else REQUESTED, at, data.decision, data) for data in decisions]


def _run(root: Node, jobs: list[Node]) -> str:
    """The attempt of a run that waits; of a run that is gone no more than its number is left."""
    run = root.child_or_none("workflow_run")
    if run is not None:
        return f"{run.key('id')}/attempts/{attempt_of(run)}"
    found = next((found for job in jobs if (found := _RUN.search(job.text_or_none("html_url") or ""))), None)
    if found is None:
        raise Quarantined("missing_field", "workflow_run.id is absent, and no workflow_job_run has a URL that tells it")
    return f"{found[1]}/attempts/1"


def _decision(
    root: Node, run: str, repo: Repository, environment: str, outcome: Literal["accepted", "rejected"] | None
) -> DecisionEvent:
    teams = [item.text("reviewer", "slug") for item in root.items("reviewers") if item.text_or_none("type") == "Team"]
    return DecisionEvent(
        decision=f"{repo.name}/actions/runs/{run}/{environment}",
        title=f"Deploy to {environment}",
        category="deployment",
        outcome=outcome,
        approvers=sorted(set(teams)),
        to_team=teams[0] if len(teams) == 1 else None,
        url=root.text_or_none("workflow_run", "html_url"),
        refs=references.merge(
            repo.mentions(root.text_or_none("workflow_run", "head_commit", "message"), "commit"),
            references.in_branch(root.text_or_none("workflow_run", "head_branch")),
        ),
    )
