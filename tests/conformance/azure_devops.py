"""Real Azure DevOps payloads, compared with their own fields."""

from __future__ import annotations

from pathlib import Path

from connectors.azure_devops import CONNECTOR
from pipeline.events.reading import parse_time
from pipeline.events.types import ChangeMerged
from tests.conformance.told import Row, Told, accounted, fields, payloads

_KINDS = {"rest_builds": "rest.builds", "rest_timeline_records": "rest.timeline"}


def check(root: Path) -> list[Row]:
    """Run every Azure DevOps payload below `root`; returns rows of (name, checked, failed, note)."""
    told = list(payloads(CONNECTOR, root, _KINDS))
    return [
        accounted("azure_devops payloads", told, {}),
        fields("azure_devops pull requests", told, _pulls),
        fields("azure_devops builds", told, _builds),
    ]


def _pulls(item: Told) -> list[str] | None:
    pull = item.body.get("resource", {})
    if not item.kind.startswith("git.pullrequest."):
        return None
    merged = [event for event in item.events if isinstance(event.data, ChangeMerged)]
    if pull["status"] != "completed":
        return ["merged, and the payload says otherwise"] if merged else []
    closed_at, sha = parse_time(pull["closedDate"]), pull["lastMergeCommit"]["commitId"]
    told = [(event.time, event.data.merge_sha) for event in merged if isinstance(event.data, ChangeMerged)]
    return [] if told == [(closed_at, sha)] else [f"merged {told}, expected {closed_at} {sha}"]


def _builds(item: Told) -> list[str] | None:
    if item.kind not in {"rest.builds", "build.complete"}:
        return None
    build = item.body.get("resource", item.body)
    over = build.get("finishTime") is not None
    found = [(event.time, data.outcome) for event, data in item.finished_runs()]
    wanted = [(parse_time(build["finishTime"]), "success")] if over else []
    return [] if found == wanted else [f"finished {found}, expected {wanted}"]
