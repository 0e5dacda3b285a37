"""Real GitHub payloads through the connector, compared with the payloads' own fields and with what DevLake derived."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from connectors.github import CONNECTOR
from pipeline.events.codec import decode, encode
from pipeline.events.coordination import ReviewRequest
from pipeline.events.envelope import Event
from pipeline.events.errors import Quarantined
from pipeline.events.reading import REASONS, parse_time
from pipeline.events.types import (
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    CommitRecorded,
    DeploymentEvent,
    PipelineRun,
    TicketClosed,
    TicketCreated,
)
from tests.conformance.told import CONTEXT, Row, Told, fields, one_content, row, same, table, tell

#: Kinds of the collection that are not what GitHub's header says; the collector's files name them so.
_FOREIGN_KINDS = {"branch", "commit_status", "issue", "pr_comment", "tag"}
#: Payloads whose authors left out a time that GitHub always sends.
_WITHOUT_TIME = {
    "pull_request_review_comment.__jx-goscm-pr_comment.json",
    "release.published__superplane-on_release.json",
}

_REST = {
    "actions_jobs": "rest.actions_jobs",
    "actions_runs": "rest.actions_runs",
    "issue_comments": "rest.issue_comments",
    "issue_events": "rest.issue_events",
    "issues": "rest.issues",
    "pull_commits": "rest.pull_commits",
    "pull_reviews": "rest.pull_reviews",
    "pulls": "rest.pulls",
    "openapiactions-jobs-job_id": "rest.actions_jobs",
    "openapiactions-runs": "rest.actions_runs",
    "openapiactions-runs-run_id-attempts-attempt_number-jobs": "rest.actions_jobs",
    "openapicommits-ref": "rest.commits",
    "openapideployments-deployment_id": "rest.deployments",
    "openapievents": "events_api",
    "openapiissues": "rest.issues",
    "openapiissues-comments": "rest.issue_comments",
    "openapiissues-events": "rest.issue_events",
    "openapiissues-issue_number-events": "rest.issue_events",
    "openapiissues-issue_number-timeline": "rest.issue_events",
    "openapipulls-comments": "rest.pull_comments",
    "openapipulls-comments-comment_id": "rest.pull_comments",
    "openapipulls-pull_number": "rest.pulls",
    "openapireleases": "rest.releases",
}
_TABLES = {
    "comments": "rest.issue_comments",
    "events": "rest.issue_events",
    "issues": "rest.issues",
    "jobs": "rest.actions_jobs",
    "pr_reviews_bot_filter": "rest.pull_reviews",
    "pull_request_commits": "rest.pull_commits",
    "pull_request_review_comments": "rest.pull_comments",
    "pull_request_reviews": "rest.pull_reviews",
    "pull_requests": "rest.pulls",
    "pull_requests_bot_filter": "rest.pulls",
    "runs": "rest.actions_runs",
}
_STATES = {"success": ".deployed.", "failure": ".failed.", "error": ".failed."}


def check(root: Path) -> list[Row]:
    """Run every GitHub payload below `root`; returns rows of (name, checked, failed, note)."""
    webhooks, rest = list(_webhooks(root)), list(_rest(root))
    archive, collected = list(_archive(root)), list(tables(root))
    everything = [*webhooks, *rest, *archive, *collected]
    return [
        _accounted("github webhooks", webhooks),
        _accounted("github rest pages", rest),
        _accounted("github public events", archive),
        _accounted("github raw tables", collected),
        one_content("github one id, one content", everything),
        fields("github pull requests", everything, _pull_mistakes),
        fields("github reviews", everything, _review_mistakes),
        fields("github issues", everything, _issue_mistakes),
        fields("github deployments", everything, _deployment_mistakes),
        fields("github runs", everything, _run_mistakes),
        fields("github commits", everything, _commit_mistakes),
        fields("github review requests", everything, _request_mistakes),
        _devlake_pulls(root, collected),
    ]


_translate = partial(tell, CONNECTOR)


def _webhooks(root: Path) -> Iterator[Told]:
    for path in sorted((root / "payloads/github_webhooks").glob("*.json")):
        yield _translate(path.name, path.name.split("__")[0].split(".")[0], path.read_bytes())


def _rest(root: Path) -> Iterator[Told]:
    for path in sorted((root / "payloads/github_rest").glob("*.json")):
        kind = _REST.get(path.name.split("__")[0])
        if kind:
            yield _translate(path.name, kind, path.read_bytes(), {"x-leadline-repo": "octocat/Hello-World"})


def _archive(root: Path) -> Iterator[Told]:
    for path in sorted((root / "payloads/github_events_api").glob("*.json")):
        yield _translate(path.name, "events_api", path.read_bytes())
    path = root / "histories/gharchive_2021-07-21.jsonl"
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        yield _translate(f"{path.name}:{number}", "events_api", line)


def tables(root: Path) -> Iterator[Told]:
    """Yield what became of each answer of the API that DevLake collected."""
    for collection, kind in _TABLES.items():
        for raw in table(root / f"raw_api/github/raw_tables/_raw_github_api_{collection}.csv"):
            headers = {"x-leadline-repo": raw["params"].rsplit('"Name":"', 1)[1].split('"')[0]}
            number = (json.loads(raw["input"]) or {}).get("Number")
            if number:
                headers["x-leadline-number"] = str(number)
            yield _translate(f"{collection}:{raw['id']}", kind, raw["data"].encode(), headers)


def _accounted(name: str, told: list[Told]) -> Row:
    """Every payload is translated, left out by name, or quarantined for a reason that a person foresaw."""
    counts: Counter[str] = Counter()
    mistakes = []
    for item in told:
        if isinstance(item.outcome, Quarantined):
            counts["quarantined"] += 1
            if not _foreseen(item, item.outcome):
                mistakes.append(f"{item.where}: {item.outcome}")
            continue
        counts["left out" if item.outcome.ignored else "translated"] += 1
        mistakes += [
            f"{item.where}: {event.type} changes in the codec" for event in item.events if not _survives(event)
        ]
        if not item.events and not item.outcome.ignored and item.body:
            mistakes.append(f"{item.where}: neither events nor a name for leaving it out")
    return row(name, len(told), mistakes, ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))


def _foreseen(item: Told, error: Quarantined) -> bool:
    if error.reason not in REASONS or not error.detail:
        return False
    if error.reason == "unknown_kind":
        return item.kind in _FOREIGN_KINDS
    return error.reason == "missing_field" and item.where in _WITHOUT_TIME


def _survives(event: Event) -> bool:
    return decode(encode(event)) == event


def _find(body: Any, kind: str, webhook: str, field: str, public: str) -> Any:
    """Return the vendor's object in a webhook, a single REST item or a public event; None if this is another kind."""
    if kind == webhook:
        return body.get(field)
    if kind == "events_api" and isinstance(body, dict) and body["type"] == public:
        return body["payload"].get(field)
    return None


def _pull_mistakes(item: Told) -> list[str] | None:
    pull = item.body if item.kind == "rest.pulls" else None
    pull = pull or _find(item.body, item.kind, "pull_request", "pull_request", "PullRequestEvent")
    if not isinstance(pull, dict):
        return None
    created, merged, abandoned = (item.data(kind) for kind in (ChangeCreated, ChangeMerged, ChangeAbandoned))
    times = {type(event.data): event.time for event in item.events}
    mistakes = same("created_at", created[0].created_at, parse_time(pull["created_at"]))
    mistakes += same("author known", created[0].author, CONTEXT.actor((pull["user"] or {}).get("login")))
    mistakes += same("number", created[0].change.rsplit("#")[1], str(pull["number"]))
    mistakes += same("merged", bool(merged), bool(pull["merged_at"]))
    mistakes += same("abandoned", bool(abandoned), pull["state"] == "closed" and not pull["merged_at"])
    mistakes += same("merged_at", times.get(ChangeMerged), parse_time(pull["merged_at"]))
    if merged:
        mistakes += same("merge_sha", merged[0].merge_sha, pull["merge_commit_sha"])
    if abandoned:
        mistakes += same("closed_at", times[ChangeAbandoned], parse_time(pull["closed_at"]))
    return mistakes


def _review_mistakes(item: Told) -> list[str] | None:
    review = item.body if item.kind == "rest.pull_reviews" else None
    review = review or _find(item.body, item.kind, "pull_request_review", "review", "PullRequestReviewEvent")
    if not isinstance(review, dict):
        return None
    (told,) = item.data(ChangeReviewed)
    login = review["user"]["login"]
    mistakes = same("verdict", told.verdict, review["state"].lower())
    mistakes += same("submitted_at", item.events[0].time, parse_time(review["submitted_at"]))
    mistakes += same("reviewer", told.reviewer, CONTEXT.actor(login))
    return mistakes + same("automated", told.automated, login.endswith("[bot]") or review["user"].get("type") == "Bot")


def _issue_mistakes(item: Told) -> list[str] | None:
    issue = item.body if item.kind == "rest.issues" and isinstance(item.body, dict) else None
    issue = issue or _find(item.body, item.kind, "issues", "issue", "IssuesEvent")
    if not isinstance(issue, dict) or item.body.get("action") == "deleted":
        return None
    if issue.get("pull_request") and item.kind == "rest.issues":
        return same("told", len(item.events), 0)
    (created,) = [event for event in item.events if isinstance(event.data, TicketCreated)]
    closed = [event.time for event in item.events if isinstance(event.data, TicketClosed)]
    mistakes = same("created_at", created.time, parse_time(issue["created_at"]))
    return mistakes + same(
        "closed_at", closed, [parse_time(issue["closed_at"])] if issue.get("state") == "closed" else []
    )


def _deployment_mistakes(item: Told) -> list[str] | None:
    if item.kind not in {"deployment", "deployment_status", "rest.deployments"}:
        return None
    deployment = item.body if item.kind == "rest.deployments" else item.body["deployment"]
    status = item.body.get("deployment_status")
    (event,), (told,) = item.events, item.data(DeploymentEvent)
    mistakes = same("sha", told.sha, deployment["sha"])
    mistakes += same("environment", told.environment, (status or {}).get("environment") or deployment["environment"])
    mistakes += same("time", event.time, parse_time((status or deployment)["created_at"]))
    kind = _STATES.get(status["state"], ".started.") if status else ".started."
    return mistakes + ([] if kind in event.type.replace("deployment", "") else [f"{event.type} for {status}"])


def _run_mistakes(item: Told) -> list[str] | None:
    if item.kind != "rest.actions_runs" or "workflow_runs" in item.body or not item.events:
        return None
    last = item.events[-1]
    assert isinstance(last.data, PipelineRun)
    mistakes = same("sha", last.data.sha, item.body["head_sha"])
    expected = {"success": "success", "failure": "failure", "cancelled": "cancel"}.get(item.body["conclusion"] or "")
    if expected:
        mistakes += same("outcome", last.data.outcome, expected)
        mistakes += same("finished", last.time, parse_time(item.body["updated_at"]))
    return mistakes


def _commit_mistakes(item: Told) -> list[str] | None:
    if item.kind == "push" and item.body["ref"].startswith("refs/heads/"):
        return same(
            "commits", [data.sha for data in item.data(CommitRecorded)], [c["id"] for c in item.body["commits"]]
        )
    if item.kind not in {"rest.commits", "rest.pull_commits"}:
        return None
    (told,) = item.data(CommitRecorded)
    mistakes = same("parents", told.parents, [parent["sha"] for parent in item.body["parents"]])
    mistakes += same("authored_at", told.authored_at, parse_time(item.body["commit"]["author"]["date"]))
    return mistakes + same("committed_at", told.committed_at, parse_time(item.body["commit"]["committer"]["date"]))


def _request_mistakes(item: Told) -> list[str] | None:
    if item.kind != "pull_request" or not str(item.body.get("action")).startswith("review_request"):
        return None
    (told,) = item.of(ReviewRequest)
    mistakes = same("asked", ".requested." in told.type, item.body["action"] == "review_requested")
    mistakes += same("team", told.data.team, (item.body.get("requested_team") or {}).get("slug"))
    login = (item.body.get("requested_reviewer") or {}).get("login")
    mistakes += same("reviewer", told.data.reviewer, CONTEXT.actor(login))
    return mistakes + same("time", told.time, parse_time(item.body["pull_request"]["updated_at"]))


def _devlake_pulls(root: Path, tables: list[Told]) -> Row:
    """What DevLake derived from the same raw rows: status, and the times and the commit of the merge."""
    when = partial(parse_time, zoneless_utc=True)
    told = {item.body["html_url"]: item for item in tables if item.kind == "rest.pulls"}
    rows = table(root / "raw_api/github/snapshot_tables/pull_requests.csv")
    mistakes, checked = [], 0
    for theirs in rows:
        item = told.get(theirs["url"])
        if item is None:
            continue
        checked += 1
        times = {type(event.data): event.time for event in item.events}
        status = "MERGED" if ChangeMerged in times else "CLOSED" if ChangeAbandoned in times else "OPEN"
        found = same("status", status, theirs["status"])
        found += same("created_date", times[ChangeCreated], when(theirs["created_date"]))
        found += same("merged_date", times.get(ChangeMerged), when(theirs["merged_date"]))
        if ChangeMerged in times:
            found += same("merge_commit_sha", item.data(ChangeMerged)[0].merge_sha, theirs["merge_commit_sha"])
        mistakes += [f"{theirs['url']}: {mistake}" for mistake in found]
    missing = len(rows) - checked
    return row("github pull requests as DevLake has them", checked, mistakes, f"{missing} rows have no raw row")
