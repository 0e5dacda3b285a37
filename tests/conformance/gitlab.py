"""Real GitLab payloads through the connector, compared with the payloads' own fields and with what DevLake derived.

Known differences, which are not counted as failures: Leadline cuts times to the second, since webhooks tell no more;
DevLake counts a cancelled deployment as a failure, and has no end of one without a job.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.gitlab import CONNECTOR
from pipeline.events.coordination import DecisionEvent
from pipeline.events.reading import parse_time
from pipeline.events.types import (
    BranchUpdated,
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
    CommitRecorded,
    DeploymentEvent,
    PipelineRun,
    TicketClosed,
    TicketCreated,
)
from tests.conformance.told import Row, Told, accounted, fields, one_content, row, same, tell

_PROJECT = "gitlab-data/snowflake_spend"

#: What is in a file or table of the data -> the kind under which Leadline receives it.
KINDS = {
    "deployments": "rest.deployments",
    "issues": "rest.issues",
    "job": "rest.jobs",
    "jobs": "rest.jobs",
    "merge_request_commits": "rest.merge_request_commits",
    "merge_request_notes": "rest.merge_request_notes",
    "merge_requests": "rest.merge_requests",
    "merge_requests_for_mr_commit_test": "rest.merge_requests",
    "merge_requests_for_mr_notes_test": "rest.merge_requests",
    "mr_commits": "rest.merge_request_commits",
    "mr_notes": "rest.merge_request_notes",
    "pipeline": "rest.pipelines",
    "pipeline_details": "rest.pipelines",
    "pipelines": "rest.pipelines",
    "trigger_job": "rest.trigger_jobs",
    "trigger_jobs": "rest.trigger_jobs",
}
#: A payload whose author left out the times that GitLab always sends.
_WITHOUT_TIME = {"merge_request__superplane-on_merge_request.json": "missing_field"}
_DEPLOYED = {
    "success": "deployed",
    "completed": "deployed",
    "failed": "failed",
    "canceled": "cancelled",
    "running": "started",
}
_RUN = {"success": "success", "failed": "failure", "canceled": "cancel"}
_STATUS = {"success": "SUCCESS", "failure": "FAILURE"}


def check(root: Path) -> list[Row]:
    """Run every GitLab payload below `root`; returns rows of (name, checked, failed, note)."""
    webhooks, pages, collected = list(_webhooks(root)), list(_pages(root)), list(tables(root))
    everything = [*webhooks, *pages, *collected]
    devlake = root / "raw_api/gitlab/snapshot_tables"
    return [
        accounted("gitlab webhooks", webhooks, _WITHOUT_TIME),
        accounted("gitlab rest pages", pages),
        accounted("gitlab raw tables", collected),
        one_content("gitlab one id, one content", everything),
        fields("gitlab merge requests", everything, _merge_request_mistakes),
        fields("gitlab issues", everything, _issue_mistakes),
        fields("gitlab notes", everything, _note_mistakes),
        fields("gitlab deployments", everything, _deployment_mistakes),
        fields("gitlab pipelines", everything, _pipeline_mistakes),
        fields("gitlab pushes and commits", everything, _commit_mistakes),
        _devlake_changes(collected, devlake),
        _devlake_issues(collected, devlake),
        _devlake_pipelines(collected, devlake),
        _devlake_deployments(collected, devlake),
    ]


def _webhooks(root: Path) -> Iterator[Told]:
    for path in sorted((root / "payloads/gitlab_webhooks").glob("*.json")):
        raw = path.read_bytes()
        yield tell(CONNECTOR, path.name, CONNECTOR.describe({}, raw)[0], raw)


def _pages(root: Path) -> Iterator[Told]:
    for path in sorted((root / "payloads/gitlab_rest").glob("*.json")):
        kind = KINDS[path.name.split("__")[0]]
        yield tell(CONNECTOR, path.name, kind, path.read_bytes(), {"x-leadline-repo": _PROJECT})


def tables(root: Path) -> Iterator[Told]:
    """Yield what became of each answer of the API that DevLake collected."""
    for path in sorted((root / "raw_api/gitlab/raw_tables").glob("_raw_gitlab_api_*.csv")):
        kind = KINDS.get(path.stem.removeprefix("_raw_gitlab_api_"))
        for record in _rows(path) if kind else []:
            # The collection gave all projects one number, whatever their addresses say.
            headers = {"x-leadline-repo": _PROJECT}
            yield tell(CONNECTOR, f"{path.stem}:{record['id']}", kind or "", record["data"].encode(), headers)


def _rows(path: Path) -> list[dict[str, str]]:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def _second(value: object) -> datetime | None:
    moment = parse_time(value, zoneless_utc=True)
    return moment.replace(microsecond=0) if moment else None


def _object(item: Told, webhook: str, page: str) -> Any:
    return item.body["object_attributes"] if item.kind == webhook else item.body if item.kind == page else None


def _merge_request_mistakes(item: Told) -> list[str] | None:
    body = _object(item, "merge_request", "rest.merge_requests")
    if body is None:
        return None
    (created,), (updated,) = item.of(ChangeCreated), item.of(ChangeUpdated)
    hook, state = item.kind == "merge_request", body["state"]
    mistakes = same("created_at", created.time, _second(body["created_at"]))
    mistakes += same("updated_at", updated.time, _second(body["updated_at"]))
    mistakes += same("number", created.data.change.rsplit("!")[1], str(body["iid"]))
    mistakes += same("branch", updated.data.branch, body["source_branch"])
    mistakes += same("base", updated.data.base, body["target_branch"])
    mistakes += same("head", updated.data.head_sha, body["last_commit"]["id"] if hook else body["sha"])
    merged = [(event.time, event.data.merge_sha) for event in item.of(ChangeMerged)]
    sha = body.get("merge_commit_sha")
    when = _second(body["updated_at"] if hook else body["merged_at"])
    mistakes += same("merged", merged, [(when, sha)] if state == "merged" else [])
    gone = [event.time for event in item.of(ChangeAbandoned)]
    when = _second(body["updated_at"] if hook else body["closed_at"])
    return mistakes + same("abandoned", gone, [when] if state == "closed" else [])


def _issue_mistakes(item: Told) -> list[str] | None:
    body = _object(item, "issue", "rest.issues")
    if body is None:
        return None
    (created,) = item.of(TicketCreated)
    mistakes = same("created_at", created.time, _second(body["created_at"]))
    mistakes += same("number", created.data.ticket.rsplit("#")[1], str(body["iid"]))
    closed = [event.time for event in item.of(TicketClosed)]
    return mistakes + same("closed", closed, [_second(body["closed_at"])] if body["state"] == "closed" else [])


def _note_mistakes(item: Told) -> list[str] | None:
    body = _object(item, "note", "rest.merge_request_notes")
    if body is None:
        return None
    expected: list[object] = []
    if body["noteable_type"] == "MergeRequest" and not body.get("system"):
        expected = [(_second(body["created_at"]), "commented")]
    elif body["noteable_type"] == "MergeRequest" and body["body"].endswith("approved this merge request"):
        expected = [(_second(body["created_at"]), "dismissed" if body["body"].startswith("un") else "approved")]
    return same("reviews", [(event.time, event.data.verdict) for event in item.of(ChangeReviewed)], expected)


def _deployment_mistakes(item: Told) -> list[str] | None:
    if item.kind not in {"deployment", "rest.deployments"}:
        return None
    body, what = item.body, _DEPLOYED.get(item.body["status"])
    if what is None:
        waits = [event.type for event in item.of(DecisionEvent)] == [DecisionEvent.TYPES[0]]
        return same("events", len(item.events), int(waits)) + same(
            "waits for approval", waits, body["status"] == "blocked"
        )
    last = item.of(DeploymentEvent)[-1]
    hook = item.kind == "deployment"
    mistakes = [] if f".{what}." in last.type else [f"{last.type} for {body['status']}"]
    mistakes += same("environment", last.data.environment, body["environment"] if hook else body["environment"]["name"])
    sha = body["commit_url"].rpartition("/")[2] if hook else body["sha"]
    mistakes += same("sha", last.data.sha, sha)
    return mistakes + (same("time", last.time, _second(body["status_changed_at"])) if hook else [])


def _pipeline_mistakes(item: Told) -> list[str] | None:
    body = _object(item, "pipeline", "rest.pipelines")
    if body is None or body["status"] == "skipped":
        return None
    last, outcome = item.of(PipelineRun)[-1], _RUN.get(body["status"])
    mistakes = same("sha", last.data.sha, body["sha"]) + same("outcome", last.data.outcome, outcome)
    mistakes += same("created_at", item.events[0].time, _second(body["created_at"]))
    finished = _second(body.get("finished_at"))
    return mistakes + (same("finished_at", last.time, finished) if outcome and finished else [])


def _commit_mistakes(item: Told) -> list[str] | None:
    if item.kind == "push" and item.events:
        (moved,), shas = item.of(BranchUpdated), [commit["id"] for commit in item.body["commits"]]
        mistakes = same("commits", [event.data.sha for event in item.of(CommitRecorded)], shas)
        mistakes += same("commits of the branch", moved.data.commits, shas)
        return mistakes + same("after", moved.data.after, item.body["after"])
    if item.kind != "rest.merge_request_commits":
        return None
    (commit,) = item.of(CommitRecorded)
    mistakes = same("sha", commit.data.sha, item.body["id"])
    mistakes += same("authored_at", commit.data.authored_at, parse_time(item.body["authored_date"]))
    return mistakes + same("committed_at", commit.time, parse_time(item.body["committed_date"]))


def _numbered(tables: list[Told], table: str) -> dict[str, Told]:
    return {
        str(item.body["id"]): item for item in tables if item.where.rpartition(":")[0] == f"_raw_gitlab_api_{table}"
    }


def _devlake(
    name: str, path: Path, found: dict[str, Told], mistakes_of: Callable[[Told, dict[str, str]], list[str]]
) -> Row:
    """Compare each row that DevLake derived with our events of the same raw row."""
    checked, mistakes, missing = 0, [], 0
    for record in _rows(path):
        item = found.get(record["id"].rpartition(":")[2])
        if item is None:
            missing += 1
            continue
        checked += 1
        mistakes += [f"{record['id']}: {mistake}" for mistake in mistakes_of(item, record)]
    return row(f"gitlab {name} as DevLake has them", checked, mistakes, f"{missing} rows have no raw row")


def _devlake_changes(tables: list[Told], devlake: Path) -> Row:
    def mistakes(item: Told, row: dict[str, str]) -> list[str]:
        times = {type(event.data): event.time for event in item.events}
        status = "MERGED" if ChangeMerged in times else "CLOSED" if ChangeAbandoned in times else "OPEN"
        found = same("status", status, row["status"])
        found += same("created_date", times[ChangeCreated], _second(row["created_date"]))
        found += same("merged_date", times.get(ChangeMerged), _second(row["merged_date"]))
        found += same("closed_date", times.get(ChangeAbandoned), _second(row["closed_date"]))
        if status == "MERGED":
            found += same("merge_commit_sha", item.of(ChangeMerged)[0].data.merge_sha, row["merge_commit_sha"])
        return found

    return _devlake("merge requests", devlake / "pull_requests.csv", _numbered(tables, "merge_requests"), mistakes)


def _devlake_issues(tables: list[Told], devlake: Path) -> Row:
    def mistakes(item: Told, row: dict[str, str]) -> list[str]:
        times = {type(event.data): event.time for event in item.events}
        key = item.of(TicketCreated)[0].data.ticket
        found = same("issue_key", key.rpartition("#")[2], row["issue_key"])
        found += same("created_date", times[TicketCreated], _second(row["created_date"]))
        return found + same("resolution_date", times.get(TicketClosed), _second(row["resolution_date"]))

    return _devlake("issues", devlake / "issues.csv", _numbered(tables, "issues"), mistakes)


def _devlake_pipelines(tables: list[Told], devlake: Path) -> Row:
    def mistakes(item: Told, row: dict[str, str]) -> list[str]:
        last = item.of(PipelineRun)[-1]
        found = same("result", _STATUS.get(last.data.outcome or "", ""), row["result"])
        found += same("created_date", item.events[0].time, _second(row["created_date"]))
        found += same("started_date", item.events[1].time, _second(row["started_date"])) if row["started_date"] else []
        return found + same("finished_date", last.time, _second(row["finished_date"]))

    return _devlake("pipelines", devlake / "cicd_pipelines.csv", _numbered(tables, "pipeline_details"), mistakes)


def _devlake_deployments(tables: list[Told], devlake: Path) -> Row:
    """DevLake counts a cancelled deployment as a failure; Leadline tells the two apart."""

    def mistakes(item: Told, row: dict[str, str]) -> list[str]:
        if row["status"] == "OTHER":
            return same("deployments", item.of(DeploymentEvent), [])
        last = item.of(DeploymentEvent)[-1]
        what = {"SUCCESS": (".deployed.",), "FAILURE": (".failed.", ".cancelled."), "": (".started.",)}[row["result"]]
        found = [] if any(name in last.type for name in what) else [f"{last.type} for {row['result']}"]
        found += same("environment", last.data.environment, row["environment"])
        at_end = row["status"] == "DONE" and row["finished_date"]
        return found + (same("finished_date", last.time, _second(row["finished_date"])) if at_end else [])

    return _devlake("deployments", devlake / "cicd_deployments.csv", _numbered(tables, "deployments"), mistakes)
