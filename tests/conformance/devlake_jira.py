"""Jira as DevLake derived it, beyond what `jira` compares: labels, and the links that are no dependencies.

DevLake keeps every link as a relationship of its type. A dependency of Leadline's is only what blocks: a duplicate, a
clone or a mere relation does not keep anybody waiting.
"""

from __future__ import annotations

import json
from pathlib import Path

from connectors.jira import CONNECTOR
from pipeline.events.types import DependencyEvent, TicketUpdated
from tests.conformance.devlake_rows import Cells, agree, grouped, key_of, rows
from tests.conformance.told import Row, Told, same, table, tell


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for each of DevLake's tables."""
    devlake = root / "raw_api/jira/snapshot_tables"
    issues = _issues(root / "raw_api/jira/raw_tables/_raw_jira_api_issues.csv")
    linked = _issues(root / "raw_api/jira/raw_tables/_raw_jira_api_issue_relationships.csv")
    return [_labels(devlake, issues), _other_links(devlake, {**issues, **linked})]


def _issues(path: Path) -> dict[str, Told]:
    told = (tell(CONNECTOR, raw["id"], "rest.issue", raw["data"].encode()) for raw in table(path))
    return {str(item.body["id"]): item for item in told}


def _labels(devlake: Path, issues: dict[str, Told]) -> Row:
    expected = [
        {"id": key, "labels": json.dumps(sorted(labels))}
        for key, labels in grouped(rows(devlake / "issue_labels.csv"), "issue_id", "label_name")
    ]

    def mistakes(item: Told, cells: Cells) -> list[str]:
        (updated,) = item.data(TicketUpdated)
        return same("labels", sorted(updated.labels), json.loads(cells["labels"]))

    return agree("jira labels as DevLake has them", expected, lambda cells: issues.get(key_of(cells["id"])), mistakes)


def _other_links(devlake: Path, issues: dict[str, Told]) -> Row:
    """No relationship but a blocking one makes an edge between its two ends."""
    blocking = {"is blocked by", "blocks"}
    every = rows(devlake / "issue_relationships.csv")
    edges = {frozenset(_ends(cells)) for cells in every if cells["original_type"] in blocking}
    others = [
        cells for cells in every if cells["original_type"] not in blocking and frozenset(_ends(cells)) not in edges
    ]
    keys = {key: item.body["key"] for key, item in issues.items()}

    def mistakes(item: Told, cells: Cells) -> list[str]:
        near, far = (keys.get(end, "") for end in _ends(cells))
        told = {frozenset((edge.ticket, edge.blocked_by)) for edge in item.data(DependencyEvent)}
        return [f"{cells['original_type']} is told as an edge"] if frozenset((near, far)) in told else []

    name = "jira links that are no dependencies"
    return agree(name, others, lambda cells: issues.get(key_of(cells["source_issue_id"])), mistakes)


def _ends(cells: Cells) -> tuple[str, str]:
    return key_of(cells["source_issue_id"]), key_of(cells["target_issue_id"])
