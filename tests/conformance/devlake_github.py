"""GitHub as DevLake derived it: issues, reviews, commits, runs, jobs and deployments.

The differences, none of which counts as a failure:

- DevLake counts what was cancelled as failed, and has no result for what was neutral, skipped or given up (stale).
  Leadline tells cancelled from failed, and an error (timed out, failed to start) from a failure; a neutral run passed.
- DevLake takes the last update of a run that goes on for its end. Leadline has no end of it.
- DevLake types an issue by patterns over its labels; Leadline has GitHub's own issue type, and an issue else.
- DevLake takes every job and run for a deployment whose name fits a pattern. So does Leadline with jobs where a setting
  says so, here with all of them.
- DevLake keeps when a run was created through all its attempts. For Leadline an attempt begins when it is started.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.github import CONNECTOR
from pipeline.events.types import (
    ChangeReviewed,
    ChangeUpdated,
    DeploymentEvent,
    PipelineRun,
    TicketClosed,
    TicketCreated,
    TicketUpdated,
)
from tests.conformance.devlake_rows import Cells, agree, by_id, grouped, key_of, rows, when
from tests.conformance.github import tables
from tests.conformance.told import CONTEXT, Row, Told, same, table, tell

_REPO = "panjf2000/ants"
_HERE = {"x-leadline-repo": _REPO}
#: Our outcome of a run -> DevLake's result.
_RESULTS = {"failure": "FAILURE", "error": "FAILURE", "cancel": "FAILURE"}
#: GitHub's conclusions without a result of DevLake's.
_WITHOUT_RESULT = {"neutral", "skipped", "stale", "action_required"}


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for each of DevLake's tables."""
    devlake, told = root / "raw_api/github/snapshot_tables", list(tables(root))
    pulls = by_id(told, "rest.pulls")
    return [
        _issues(devlake, told),
        _labels(devlake, told),
        *_reviews(devlake, told, pulls),
        _commits(root, devlake, pulls),
        _links(devlake, pulls),
        _runs(devlake, told),
        _jobs(root, devlake),
        _deployments(devlake),
    ]


def _issues(devlake: Path, told: list[Told]) -> Row:
    issues = by_id(told, "rest.issues")

    def mistakes(item: Told, cells: Cells) -> list[str]:
        (created,), (updated,), closed = item.of(TicketCreated), item.of(TicketUpdated), item.of(TicketClosed)
        found = same("issue_key", created.data.ticket, f"{_REPO}#{cells['issue_key']}")
        found += same("created_date", created.time, when(cells["created_date"]))
        found += same("updated_date", updated.time, when(cells["updated_date"]))
        found += same("original_status", updated.data.status, cells["original_status"])
        found += same("status", updated.data.closed, cells["status"] == "DONE")
        found += same("creator", created.data.creator, CONTEXT.actor(cells["creator_name"]))
        found += same("assignee", updated.data.assignee, CONTEXT.actor(cells["assignee_name"]))
        resolved = when(cells["resolution_date"])
        return found + same("resolution_date", [event.time for event in closed], [resolved] if resolved else [])

    note = "types by labels are DevLake's own"
    return agree("github issues as DevLake has them", rows(devlake / "issues.csv"), _by("id", issues), mistakes, note)


def _by(column: str, found: dict[str, Any]) -> Any:
    return lambda cells: found.get(key_of(cells[column]))


def _labels(devlake: Path, told: list[Told]) -> Row:
    """Labels of issues and of pull requests, each as a whole."""
    labelled = {**by_id(told, "rest.issues"), **by_id(told, "rest.pulls")}
    expected = [
        {"id": key, "labels": json.dumps(sorted(labels))}
        for name, column in (("issue_labels", "issue_id"), ("pull_request_labels", "pull_request_id"))
        for key, labels in grouped(rows(devlake / f"{name}.csv"), column, "label_name")
    ]

    def mistakes(item: Told, cells: Cells) -> list[str]:
        (updated,) = [*item.data(TicketUpdated), *item.data(ChangeUpdated)]
        return same("labels", updated.labels, json.loads(cells["labels"]))

    return agree("github labels as DevLake has them", expected, _by("id", labelled), mistakes)


def _reviews(devlake: Path, told: list[Told], pulls: dict[str, Told]) -> Iterator[Row]:
    """Comments (in the talk and on lines) and reviews: when, by whom, and on which pull request."""

    def mistakes(item: Told, cells: Cells) -> list[str]:
        (event,) = item.of(ChangeReviewed)
        found = same("created_date", event.time, when(cells["created_date"]))
        found += same("verdict", event.data.verdict, (cells["status"] or "commented").lower())
        found += same("account", str(item.body["user"]["id"]), key_of(cells["account_id"]))
        found += same("reviewer", event.data.reviewer, CONTEXT.actor(item.body["user"]["login"]))
        pull = pulls.get(key_of(cells["pull_request_id"]))
        return found + (same("change", event.data.change, f"{_REPO}#{pull.body['number']}") if pull else [])

    said = {**by_id(told, "rest.issue_comments"), **by_id(told, "rest.pull_comments")}
    comments = rows(devlake / "pull_request_comments.csv")
    yield agree("github comments as DevLake has them", comments, _by("id", said), mistakes)
    reviews = rows(devlake / "pull_request_review_comments.csv")
    yield agree("github reviews as DevLake has them", reviews, _by("id", by_id(told, "rest.pull_reviews")), mistakes)


def _commits(root: Path, devlake: Path, pulls: dict[str, Told]) -> Row:
    """The commits of each pull request, which Leadline reads together with it, as the poller sends them."""
    listed: dict[str, list[Any]] = {}
    for raw in table(root / "raw_api/github/raw_tables/_raw_github_api_pull_request_commits.csv"):
        listed.setdefault(str(json.loads(raw["input"])["GithubId"]), []).append(json.loads(raw["data"]))
    found: dict[str, set[str]] = {}
    for key, commits in listed.items():
        if key in pulls:
            body = json.dumps({"pull_request": pulls[key].body, "commits": commits}).encode()
            (updated,) = tell(CONNECTOR, key, "rest.pull_commits", body, _HERE).data(ChangeUpdated)
            found[key] = set(updated.commits)
    expected = [
        {"id": key, "commits": json.dumps(sorted(shas))}
        for key, shas in grouped(rows(devlake / "pull_request_commits.csv"), "pull_request_id", "commit_sha")
    ]

    def mistakes(shas: set[str], cells: Cells) -> list[str]:
        return same("commits", sorted(shas), json.loads(cells["commits"]))

    return agree("github commits of pull requests as DevLake has them", expected, _by("id", found), mistakes)


def _links(devlake: Path, pulls: dict[str, Told]) -> Row:
    """The issues that a pull request closes are among those that it refers to; Leadline also knows mere mentions."""

    def mistakes(item: Told, cells: Cells) -> list[str]:
        (updated,) = item.data(ChangeUpdated)
        issue = f"{_REPO}#{cells['issue_key']}"
        return [] if issue in {ref.value for ref in updated.refs} else [f"{issue} is not among {updated.refs}"]

    linked = rows(devlake / "pull_request_issues.csv")
    return agree("github issues of pull requests as DevLake has them", linked, _by("pull_request_id", pulls), mistakes)


def _runs(devlake: Path, told: list[Told]) -> Row:
    runs = by_id(told, "rest.actions_runs")
    commits = {cells["pipeline_id"]: cells for cells in rows(devlake / "cicd_pipeline_commits.csv")}

    def mistakes(item: Told, cells: Cells) -> list[str]:
        conclusion = (item.body["conclusion"] or "").lower()
        if conclusion == "skipped":
            return same("events", item.events, []) + same("result", cells["result"], "")
        first, last, ended = item.events[0], item.events[-1], item.finished_runs()
        assert isinstance(last.data, PipelineRun)
        commit = commits[cells["id"]]
        found = same("commit_sha", last.data.sha, commit["commit_sha"]) + same(
            "branch", last.data.branch, commit["branch"]
        )
        attempted = "started_date" if last.data.attempt > 1 else "created_date"
        found += same(attempted, first.time, when(cells[attempted]))
        if conclusion in _WITHOUT_RESULT or not ended:
            return found + same("result", cells["result"], "")
        outcome = ended[0][1].outcome or ""
        found += same("result", _RESULTS.get(outcome, outcome.upper()), cells["result"])
        found += same("started_date", item.events[1].time, when(cells["started_date"]))
        return found + same("finished_date", ended[0][0].time, when(cells["finished_date"]))

    note = "there cancelled is failed, neutral, stale and skipped have no result, and open runs an end"
    return agree(
        "github runs as DevLake has them", rows(devlake / "cicd_pipelines.csv"), _by("id", runs), mistakes, note
    )


def _jobs(root: Path, devlake: Path) -> Row:
    """With every job taken for a deployment, as DevLake takes every job for a task."""
    settings = {"deploy_jobs": "*"}
    told = [
        tell(CONNECTOR, f"jobs:{raw['id']}", "rest.actions_jobs", raw["data"].encode(), _HERE, settings)
        for raw in table(root / "raw_api/github/raw_tables/_raw_github_api_jobs.csv")
    ]
    endings = {"SUCCESS": {".deployed."}, "FAILURE": {".failed.", ".cancelled."}}

    def mistakes(item: Told, cells: Cells) -> list[str]:
        conclusion = (item.body["conclusion"] or "").lower()
        ended = [event for event in item.events if ".started." not in event.type]
        if not cells["result"]:
            expected = conclusion in _WITHOUT_RESULT - {"skipped", "action_required"}
            return same("ended", bool(ended), expected)
        (end,) = ended
        assert isinstance(end.data, DeploymentEvent)
        fits = any(name in end.type for name in endings[cells["result"]])
        found = [] if fits else [f"{end.type} for {cells['result']}"]
        found += same("cancelled", ".cancelled." in end.type, conclusion == "cancelled")
        found += same("started_date", end.data.started_at, when(cells["started_date"]))
        return found + same("finished_date", end.time, when(cells["finished_date"]))

    note = "all jobs taken for deployments; cancelled counts as failed there; neutral passes here"
    jobs = by_id(told, "rest.actions_jobs")
    return agree("github jobs as DevLake has them", rows(devlake / "cicd_tasks.csv"), _by("id", jobs), mistakes, note)


def _deployments(devlake: Path) -> Row:
    """DevLake read them by GraphQL. None of the answers is in the data, so that there is nothing to compare."""
    missing = len(rows(devlake / "cicd_deployment_commits.csv"))
    return "github deployments as DevLake has them", 0, 0, f"{missing} rows were read by GraphQL and have no raw row"
