"""GitLab as DevLake derived it: notes, commits, labels, the commits of pipelines and deployments, and jobs.

The differences, none of which counts as a failure:

- DevLake keeps a system note of an approval, or of its withdrawal, as a comment with that text. Leadline tells it as a
  review that approved, or was dismissed.
- DevLake counts a cancelled job as failed. Leadline tells it as cancelled.
- DevLake takes a job that waits, or that never ran, for one that began. Leadline tells nothing of it.
- DevLake takes every job for a deployment whose name fits a pattern. So does Leadline where a setting says so, here
  with all of them.
- Times are cut to the second here, since webhooks tell no more.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.gitlab import CONNECTOR
from pipeline.events.coordination import DecisionEvent
from pipeline.events.types import ChangeReviewed, ChangeUpdated, DeploymentEvent, PipelineRun, TicketUpdated
from tests.conformance.devlake_rows import Cells, agree, by_id, grouped, key_of, rows, when
from tests.conformance.gitlab import tables
from tests.conformance.told import Row, Told, same, table, tell

_HERE = {"x-leadline-repo": "gitlab-data/snowflake_spend"}
_ENDINGS = {"success": ".deployed.", "failed": ".failed.", "canceled": ".cancelled."}


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for each of DevLake's tables."""
    devlake, told = root / "raw_api/gitlab/snapshot_tables", list(tables(root))
    return [
        _notes(devlake, told),
        _commits(root, devlake, told),
        _labels(devlake, told),
        _pipeline_commits(devlake, told),
        _deployment_commits(devlake, told),
        _jobs(root, devlake),
    ]


def _by(column: str, found: dict[str, Any]) -> Callable[[Cells], Any]:
    return lambda cells: found.get(key_of(cells[column]))


def _notes(devlake: Path, told: list[Told]) -> Row:
    def mistakes(item: Told, cells: Cells) -> list[str]:
        (event,) = item.of(ChangeReviewed)
        verdicts = {"approved this merge request": "approved", "unapproved this merge request": "dismissed"}
        found = same("created_date", event.time, when(cells["created_date"], to_the_second=True))
        found += same("account", str(item.body["author"]["id"]), key_of(cells["account_id"]))
        return found + same("verdict", event.data.verdict, verdicts.get(cells["body"], "commented"))

    notes, expected = by_id(told, "rest.merge_request_notes"), rows(devlake / "pull_request_comments.csv")
    note = "an approval is a review here"
    return agree("gitlab notes as DevLake has them", expected, _by("id", notes), mistakes, note)


def _commits(root: Path, devlake: Path, told: list[Told]) -> Row:
    """The commits of each merge request, which Leadline reads together with it, as the poller sends them."""
    requests = by_id(told, "rest.merge_requests")
    numbered = {item.body["iid"]: key for key, item in requests.items()}
    listed: dict[str, list[Any]] = {}
    for raw in table(root / "raw_api/gitlab/raw_tables/_raw_gitlab_api_merge_request_commits.csv"):
        key = numbered.get(json.loads(raw["input"])["Iid"])
        if key is not None:
            listed.setdefault(key, []).append(json.loads(raw["data"]))
    found: dict[str, list[str]] = {}
    for key, commits in listed.items():
        body = json.dumps({"merge_request": requests[key].body, "commits": commits}).encode()
        (updated,) = tell(CONNECTOR, key, "rest.merge_request_commits", body, _HERE).data(ChangeUpdated)
        found[key] = sorted(set(updated.commits))
    expected = [
        {"id": key, "commits": json.dumps(sorted(shas))}
        for key, shas in grouped(rows(devlake / "pull_request_commits.csv"), "pull_request_id", "commit_sha")
    ]

    def mistakes(shas: list[str], cells: Cells) -> list[str]:
        return same("commits", shas, json.loads(cells["commits"]))

    return agree("gitlab commits of merge requests as DevLake has them", expected, _by("id", found), mistakes)


def _labels(devlake: Path, told: list[Told]) -> Row:
    """Labels of issues and of merge requests, each as a whole."""
    labelled = {**by_id(told, "rest.issues"), **by_id(told, "rest.merge_requests")}
    expected = [
        {"id": key, "labels": json.dumps(sorted(labels))}
        for name, column in (("issue_labels", "issue_id"), ("pull_request_labels", "pull_request_id"))
        for key, labels in grouped(rows(devlake / f"{name}.csv"), column, "label_name")
    ]

    def mistakes(item: Told, cells: Cells) -> list[str]:
        (updated,) = [*item.data(TicketUpdated), *item.data(ChangeUpdated)]
        return same("labels", updated.labels, json.loads(cells["labels"]))

    return agree("gitlab labels as DevLake has them", expected, _by("id", labelled), mistakes)


def _pipeline_commits(devlake: Path, told: list[Told]) -> Row:
    def mistakes(item: Told, cells: Cells) -> list[str]:
        data = item.data(PipelineRun)
        if not data:
            return same("status", item.body["status"], "skipped")
        found = same("commit_sha", data[-1].sha, cells["commit_sha"])
        of_merge_request = item.body["ref"].startswith("refs/")
        return found + same("branch", data[-1].branch, None if of_merge_request else cells["branch"])

    runs, expected = by_id(told, "rest.pipelines"), rows(devlake / "cicd_pipeline_commits.csv")
    note = "refs/merge-requests is no branch here; a skipped one is not told"
    return agree("gitlab commits of pipelines as DevLake has them", expected, _by("pipeline_id", runs), mistakes, note)


def _deployment_commits(devlake: Path, told: list[Told]) -> Row:
    def mistakes(item: Told, cells: Cells) -> list[str]:
        data = item.data(DeploymentEvent)
        if not data:
            waits = bool(item.of(DecisionEvent))
            return same("status", cells["status"], "OTHER") + same(
                "waits", waits, cells["original_status"] == "blocked"
            )
        found = same("commit_sha", data[-1].sha, cells["commit_sha"])
        return found + same("environment", data[-1].environment, cells["original_environment"])

    deployments, expected = by_id(told, "rest.deployments"), rows(devlake / "cicd_deployment_commits.csv")
    note = "one that waits for an approval is a decision here"
    return agree("gitlab commits of deployments as DevLake has them", expected, _by("id", deployments), mistakes, note)


def _jobs(root: Path, devlake: Path) -> Row:
    """With every job taken for a deployment, as DevLake takes every job for a task."""
    told = [
        tell(CONNECTOR, f"job:{raw['id']}", "rest.jobs", raw["data"].encode(), _HERE, {"deploy_jobs": "*"})
        for raw in table(root / "raw_api/gitlab/raw_tables/_raw_gitlab_api_job.csv")
    ]

    def mistakes(item: Told, cells: Cells) -> list[str]:
        kind = _ENDINGS.get(item.body["status"])
        ended = [event for event in item.events if ".started." not in event.type]
        found = same("ended", [kind in event.type for event in ended if kind], [True] if kind else [])
        found += same("result", bool(cells["result"]), bool(kind))
        if not ended:
            return found
        started = [event.time for event in item.events if ".started." in event.type]
        at = when(cells["started_date"], to_the_second=True)
        found += same("started_date", started, [at] if at else [])
        return found + same("finished_date", ended[0].time, when(cells["finished_date"], to_the_second=True))

    jobs, expected = by_id(told, "rest.jobs"), rows(devlake / "cicd_tasks.csv")
    note = "all jobs taken for deployments; cancelled counts as failed there"
    return agree("gitlab jobs as DevLake has them", expected, _by("id", jobs), mistakes, note)
