"""Apache DevLake's own test cases, reproduced through our facts.

The adapter turns its tables into canonical events and its rounding into ours: minutes are rounded up, and a cycle is
coding + (created to merged) + deploy, each part that is not known counting nothing. A project is one repository here,
since DevLake joins by commit within a project.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from pipeline.contract.resolve import Contract
from pipeline.engine.core import Fold
from pipeline.events.envelope import Event
from pipeline.events.ids import event_id
from pipeline.events.times import from_us
from pipeline.events.types import (
    BranchUpdated,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
    CommitRecorded,
    DeploymentEvent,
    Payload,
)
from pipeline.facts.rows import ChangeFact, DeploymentFact
from pipeline.facts.state import State

Row = tuple[str, int, int, str]
Cells = dict[str, str]

_REPO = "devlake/project1"


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for DevLake's three families of cases."""
    folder = root / "oracle_devlake"
    return [
        _lead_times(folder / "change_lead_time"),
        _previous(folder / "prev_success_deployment_commit"),
        _between(folder / "refdiff_deployment_commit_diff"),
    ]


def _lead_times(folder: Path) -> Row:
    state = _folded(
        [
            *_deployments(_table(folder, "cicd_deployment_commits"), service="repo_url"),
            *_differences(_table(folder, "commits_diffs")),
            *_changes(folder),
        ]
    )
    changes = dict(state.table("fact_change", ChangeFact).items())
    names = {key: fact.deployment for key, fact in state.table("fact_deployment", DeploymentFact).items()}
    mistakes, checked = [], 0
    for expected in _table(folder, "project_pr_metrics"):
        for field, value in _metrics(changes[expected["id"]], names).items():
            checked += 1
            if value != expected[field]:
                mistakes.append(f"{expected['id']}.{field}: {value or 'none'}, DevLake has {expected[field] or 'none'}")
    return "devlake change lead time", checked, len(mistakes), "; ".join(mistakes[:3]) or "to the minute"


def _metrics(change: ChangeFact, deployments: dict[str, str]) -> dict[str, str]:
    """Return a change as DevLake's row of metrics has it."""
    seed = change.excluded == "seed"
    deploy = None if seed else _minutes(change.deploy_time)
    coding = _minutes(change.coding_time)
    assert change.created_at is not None
    assert change.merged_at is not None
    open_for = math.ceil((change.merged_at - change.created_at) / 60_000_000)
    deployed = None if seed or change.deployment is None else change.deployment
    return {
        "pr_coding_time": _shown(coding),
        "pr_pickup_time": _shown(_minutes(change.pickup_time)),
        "pr_review_time": _shown(_minutes(change.review_time)),
        "pr_deploy_time": _shown(deploy),
        "pr_cycle_time": _shown((coding or 0) + open_for + (deploy or 0)),
        "deployment_commit_id": "" if deployed is None else deployments[deployed],
        "first_commit_authored_date": _instant(change.authored_at),
        "first_comment_date": _instant(change.first_review_at),
        "pr_created_date": _instant(change.created_at),
        "pr_merged_date": _instant(change.merged_at),
        "pr_deployed_date": "" if deployed is None else _instant(change.deployed_at),
    }


def _previous(folder: Path) -> Row:
    rows = _table(folder, "cicd_deployment_commits_before")
    state = _folded(_deployments(rows, service="cicd_scope_id"))
    facts = dict(state.table("fact_deployment", DeploymentFact).items())
    found = {
        fact.deployment: facts[fact.previous].deployment if fact.previous else ""
        for fact in facts.values()
        if fact.outcome == "success"
    }
    expected = {
        row["id"]: row["prev_success_deployment_commit_id"]
        for row in _table(folder, "cicd_deployment_commits_after")
        if row["result"] == "SUCCESS"
    }
    mistakes = [
        f"{key}: {found.get(key)}, DevLake has {value}" for key, value in expected.items() if found.get(key) != value
    ]
    note = "; ".join(mistakes[:3]) or "successful ones; DevLake leaves it empty for failed deployments, we know it"
    return "devlake previous successful deployment", len(expected), len(mistakes), note


def _between(folder: Path) -> Row:
    parents: dict[str, list[str]] = defaultdict(list)
    for row in _table(folder, "commit_parents"):
        parents[row["commit_sha"]].append(row["parent_commit_sha"])
    shas = {row["commit_sha"] for row in _table(folder, "repo_commits")}
    moment = datetime(2023, 4, 1, tzinfo=UTC)
    commits = [
        _event(
            CommitRecorded(repo=_REPO, sha=sha, parents=parents[sha], authored_at=moment, committed_at=moment), moment
        )
        for sha in sorted(shas)
    ]
    state = _folded([*commits, *_deployments(_table(folder, "cicd_deployment_commits"), service="repo_url")])
    deployed = {key: fact.sha for key, fact in state.table("fact_deployment", DeploymentFact).items()}
    found: dict[str, set[str]] = defaultdict(set)
    for key, change in state.table("fact_change", ChangeFact).items():
        if change.deployment is not None:
            found[deployed[change.deployment] or ""].add(key.rpartition("@")[2])
    expected: dict[str, set[str]] = defaultdict(set)
    for row in _table(folder, "commits_diffs"):
        expected[row["new_commit_sha"]].add(row["commit_sha"])
    mistakes = [f"{sha}: {sorted(found[sha])}" for sha, commits_of in expected.items() if found[sha] != commits_of]
    note = "; ".join(mistakes[:3]) or "first deployed by = commits since the previous deployment"
    return "devlake commits between deployments", sum(map(len, expected.values())), len(mistakes), note


def _changes(folder: Path) -> Iterator[Event]:
    commits: dict[str, list[str]] = defaultdict(list)
    for row in _table(folder, "pull_request_commits"):
        commits[row["pull_request_id"]].append(row["commit_sha"])
        at = _moment(row["commit_authored_date"])
        yield _event(CommitRecorded(repo=_REPO, sha=row["commit_sha"], authored_at=at, committed_at=at), at)
    for row in _table(folder, "pull_requests"):
        change, at = row["id"], _moment(row["created_date"])
        yield _event(ChangeCreated(repo=_REPO, change=change, created_at=at, author=row["author_id"] or None), at)
        yield _event(ChangeUpdated(repo=_REPO, change=change, commits=commits[change]), at)
        if row["merged_date"]:
            merged = ChangeMerged(repo=_REPO, change=change, merge_sha=row["merge_commit_sha"])
            yield _event(merged, _moment(row["merged_date"]))
    for row in _table(folder, "pull_request_comments"):
        comment = ChangeReviewed(
            repo=_REPO, change=row["pull_request_id"], verdict="commented", reviewer=row["account_id"] or None
        )
        yield _event(comment, _moment(row["created_date"]))


def _differences(rows: Iterable[Cells]) -> Iterator[Event]:
    listed: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        listed[row["old_commit_sha"], row["new_commit_sha"]].append(row["commit_sha"])
    for (old, new), commits in listed.items():
        push = BranchUpdated(repo=_REPO, branch="main", before=old or None, after=new, commits=commits)
        yield _event(push, datetime(2023, 4, 1, tzinfo=UTC))


def _deployments(rows: Iterable[Cells], service: str) -> Iterator[Event]:
    success, _, failure, _ = DeploymentEvent.TYPES
    for row in rows:
        started = _moment(row["started_date"])
        data = DeploymentEvent(
            deployment=row["id"],
            repo=_REPO,
            sha=row["commit_sha"],
            service=f"{row[service]}/{row['repo_url']}",
            environment=row["environment"] or "unknown",
            started_at=started,
        )
        finished = _moment(row["finished_date"]) if row.get("finished_date") else started
        yield _event(data, finished, success if row["result"] == "SUCCESS" else failure)


def _event(data: Payload, at: datetime, event_type: str | None = None) -> Event:
    kind = event_type or data.TYPES[0]
    return Event(
        id=event_id(kind, repr(data), at.isoformat()),
        source="urn:devlake",
        type=kind,
        time=at,
        subject="case",
        partitionkey=_REPO,
        data=data,
    )


def _folded(events: Iterable[Event]) -> State:
    state = State()
    Fold(state, Contract.compile(())).apply(list(events))
    return state


def _table(folder: Path, name: str) -> list[Cells]:
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _moment(text: str) -> datetime:
    """DevLake writes `2023-04-10T06:51:47.000+00:00`, and `2023-4-10 6:51:47` in UTC."""
    if "T" in text:
        return datetime.fromisoformat(text).astimezone(UTC)
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def _minutes(seconds: float | None) -> int | None:
    return None if seconds is None else math.ceil(seconds / 60)


def _shown(minutes: int | None) -> str:
    return "" if minutes is None else str(minutes)


def _instant(us: int | None) -> str:
    return "" if us is None else from_us(us).isoformat(timespec="milliseconds")
