"""Runs of Actions: Gitea tells them as GitHub does, Forgejo in words of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.forges import Repository
from pipeline.events.reading import Node
from pipeline.events.types import PipelineRun

_, RUN_STARTED, RUN_FINISHED = PipelineRun.TYPES

RunOutcome = Literal["success", "failure", "error", "cancel"]
_OUTCOMES: Mapping[str, RunOutcome] = {"success": "success", "failure": "failure", "cancelled": "cancel"}


def workflow_run(root: Node, repo: Repository, _context: Context) -> Outcome:
    """Webhook `workflow_run` of Gitea."""
    item = root.child("workflow_run")
    path = (item.text_or_none("path") or "").partition("@")[0]
    attempt = item.integer_or_none("run_attempt") or 1
    data = PipelineRun(
        run=f"{repo.name}/actions/runs/{item.key('id')}",
        pipeline=path or item.text_or_none("display_title") or "workflow",
        repo=repo.name,
        sha=item.text_or_none("head_sha"),
        branch=item.text_or_none("head_branch"),
        attempt=attempt if 1 <= attempt < 2**31 else 1,
        url=item.text_or_none("html_url"),
    )
    return _told(item, repo, data, ("started_at", "completed_at"), item.text_or_none("conclusion"))


def action_run(root: Node, repo: Repository, _context: Context) -> Outcome:
    """Webhooks `action_run_success`, `_failure` and `_recover` of Forgejo, which tells a run when it has ended."""
    item = root.child("run")
    data = PipelineRun(
        run=f"{repo.name}/actions/runs/{item.key('id')}",
        pipeline=item.text_or_none("workflow_id") or "workflow",
        repo=repo.name,
        sha=item.text_or_none("commit_sha"),
        branch=item.text_or_none("prettyref"),
        url=item.text_or_none("html_url"),
    )
    return _told(item, repo, data, ("started", "stopped"), item.text_or_none("status"))


def _told(item: Node, repo: Repository, data: PipelineRun, times: tuple[str, str], ended: str | None) -> Outcome:
    if ended == "skipped":
        return "run.skipped"
    # Before it has begun or ended, Gitea writes the beginning of 1970.
    started_at, finished_at = (at if at and at.year > 1970 else None for at in map(item.moment_or_none, times))
    events = [repo.event(RUN_STARTED, started_at, data.run, data)] if started_at else []
    outcome = _OUTCOMES.get((ended or "").lower())
    if outcome is not None and finished_at is not None:
        finished = msgspec.structs.replace(data, outcome=outcome)
        events.append(repo.event(RUN_FINISHED, finished_at, data.run, finished))
    return events or "run.queued"
