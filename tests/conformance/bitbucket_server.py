"""Real payloads of Bitbucket Server through the connector, compared with the payloads' own fields."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.bitbucket_server import CONNECTOR
from pipeline.events.reading import parse_time
from pipeline.events.types import (
    BranchUpdated,
    ChangeAbandoned,
    ChangeCreated,
    ChangeMerged,
    ChangeReviewed,
    ChangeUpdated,
)
from tests.conformance.told import Row, Told, accounted, fields, one_content, same, tell

_VERDICTS = {"APPROVED": "approved", "NEEDS_WORK": "changes_requested", "UNAPPROVED": "dismissed"}


def check(root: Path) -> list[Row]:
    """Run every payload of Bitbucket Server below `root`; returns rows of (name, checked, failed, note)."""
    told = list(_payloads(root))
    return [
        accounted("bitbucket_server payloads", told),
        one_content("bitbucket_server one id, one content", told),
        fields("bitbucket_server pull requests", told, _pull_mistakes),
        fields("bitbucket_server reviews", told, _review_mistakes),
        fields("bitbucket_server pushes", told, _push_mistakes),
    ]


def _payloads(root: Path) -> Iterator[Told]:
    for path in sorted((root / "payloads/bitbucket_server").glob("*.json")):
        raw = path.read_bytes()
        kind = "rest.pull_requests" if path.name.startswith("rest_") else CONNECTOR.describe({}, raw)[0]
        yield tell(CONNECTOR, path.name, kind, raw)


def _pull_mistakes(item: Told) -> list[str] | None:
    pull = item.body if item.kind == "rest.pull_requests" else item.body.get("pullRequest")
    if pull is None:
        return None
    (created,), (updated,) = item.of(ChangeCreated), item.of(ChangeUpdated)
    mistakes = same("number", created.data.change.rsplit("#")[1], str(pull["id"]))
    mistakes += same("createdDate", created.time, parse_time(pull["createdDate"]))
    mistakes += same("updatedDate", updated.time, parse_time(pull["updatedDate"]))
    mistakes += same("head", updated.data.head_sha, pull["fromRef"]["latestCommit"])
    ended, sha = parse_time(pull.get("closedDate")), pull.get("properties", {}).get("mergeCommit", {}).get("id")
    merged = [(event.time, event.data.merge_sha) for event in item.of(ChangeMerged)]
    mistakes += same("merged", merged, [(ended, sha)] if pull["state"] == "MERGED" else [])
    gone = [event.time for event in item.of(ChangeAbandoned)]
    deleted = [parse_time(item.body["date"])] if item.kind == "pr:deleted" and pull["state"] == "OPEN" else []
    return mistakes + same("abandoned", gone, [ended] if pull["state"] == "DECLINED" else deleted)


def _review_mistakes(item: Told) -> list[str] | None:
    found = [(event.data.verdict, event.time) for event in item.of(ChangeReviewed)]
    if item.kind.startswith("pr:reviewer:"):
        verdict = _VERDICTS[item.body["participant"]["status"]]
        return same("review", found, [(verdict, parse_time(item.body["date"]))])
    if item.kind.startswith("pr:comment:"):
        return same("comment", found, [("commented", parse_time(item.body["comment"]["createdDate"]))])
    return None


def _push_mistakes(item: Told) -> list[str] | None:
    if item.kind != "repo:refs_changed":
        return None
    told = [(e.data.branch, e.data.before or "0" * 40, e.data.after or "0" * 40) for e in item.of(BranchUpdated)]
    branches = [change for change in item.body["changes"] if change["refId"].startswith("refs/heads/")]
    mistakes = same(
        "branches", told, [(c["refId"].removeprefix("refs/heads/"), c["fromHash"], c["toHash"]) for c in branches]
    )
    times = {event.time for event in item.of(BranchUpdated)}
    return mistakes + same("date", times, {parse_time(item.body["date"])} if branches else set())
