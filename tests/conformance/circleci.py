"""Real CircleCI payloads, compared with their own fields and with the rows that DevLake derived from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.circleci import CONNECTOR
from pipeline.events.reading import parse_time
from tests.conformance.told import Row, Told, accounted, fields, payloads, row, table, tell

_KINDS = {
    "webhook.workflow-completed": "workflow-completed",
    "rest_workflows": "rest.workflows",
    "rest_jobs": "rest.jobs",
    "rest_pipelines": "rest.pipelines",
    "rest_derived": "rest.insights",
}
#: A workflow that never began, without any time.
_EMPTY = {"workflows__devlake-28": "missing_field", "workflows:28": "missing_field"}
_OUTCOMES = {
    "success": "success",
    "failed": "failure",
    "error": "error",
    "canceled": "cancel",
    "unauthorized": "failure",
}
_DEVLAKE = {"success": "SUCCESS", "failure": "FAILURE", "error": "FAILURE", "cancel": "FAILURE"}


def check(root: Path) -> list[Row]:
    """Run every CircleCI payload below `root`; returns rows of (name, checked, failed, note)."""
    told = [*payloads(CONNECTOR, root, _KINDS), *_raw(root)]
    return [
        accounted("circleci payloads", told, _EMPTY),
        fields("circleci workflows", told, _workflows),
        _devlake(root, told),
    ]


def _raw(root: Path) -> Iterator[Told]:
    for name, kind in (("workflows", "rest.workflows"), ("jobs", "rest.jobs"), ("pipelines", "rest.pipelines")):
        for raw in table(root / f"raw_api/circleci/raw_tables/_raw_circleci_api_{name}.csv"):
            yield tell(CONNECTOR, f"{name}:{raw['id']}", kind, raw["data"].encode())


def _workflows(item: Told) -> list[str] | None:
    if item.kind not in {"rest.workflows", "workflow-completed"}:
        return None
    workflow = item.body.get("workflow", item.body)
    outcome, stopped_at = _OUTCOMES.get(workflow["status"]), parse_time(workflow.get("stopped_at"))
    wanted = [(stopped_at.replace(microsecond=0), outcome)] if outcome and stopped_at else []
    found = [(event.time, data.outcome) for event, data in item.finished_runs()]
    return [] if found == wanted else [f"finished {found}, expected {wanted}"]


def _devlake(root: Path, told: list[Told]) -> Row:
    """Every workflow that DevLake shows has the same outcome. Jobs deploy only by name, so they are not compared."""
    ours = {data.run.rpartition("/")[2]: data.outcome for item in told for _, data in item.finished_runs()}
    mistakes = []
    expected = [each for each in table(root / "raw_api/circleci/snapshot_tables/cicd_pipelines.csv") if each["result"]]
    for each in expected:
        outcome = ours.get(each["id"].rpartition(":")[2])
        if outcome is not None and _DEVLAKE.get(outcome) != each["result"]:
            mistakes.append(f"{each['id']}: {outcome}, DevLake {each['result']}")
    seen = [each for each in expected if each["id"].rpartition(":")[2] in ours]
    return row(
        "circleci devlake workflows", len(seen), mistakes, f"{len(expected) - len(seen)} come from other raw rows"
    )
