"""Real Jenkins payloads, compared with their own fields and with the rows that DevLake derived from them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from connectors.jenkins import CONNECTOR
from pipeline.events.deploying import DEPLOYED
from pipeline.events.reading import parse_time
from tests.conformance.told import Row, Told, accounted, fields, payloads, row, table, tell

_KINDS = {"builds": "rest.builds", "builds_multibranch": "rest.builds", "stages": "rest.stages"}
_EVERYTHING = {"deployment_run_pattern": ".*", "environment_pattern": "^$", "default_environment": "PRODUCTION"}
#: DevLake counts an aborted build as failed, and leaves the result of an unstable or unbuilt one empty.
_RESULTS = {"success": {"SUCCESS", ""}, "failure": {"FAILURE"}, "cancel": {"FAILURE", ""}}


def check(root: Path) -> list[Row]:
    """Run every Jenkins payload below `root`; returns rows of (name, checked, failed, note)."""
    told = list(payloads(CONNECTOR, root, _KINDS))
    return [
        accounted("jenkins payloads", told, {}),
        fields("jenkins builds", told, _builds),
        *(_devlake(root, suffix) for suffix in ("", "_multibranch")),
    ]


def _builds(item: Told) -> list[str] | None:
    if item.kind != "rest.builds":
        return None
    build = item.body
    over = build["result"] is not None and not build.get("building")
    wanted = [parse_time(build["timestamp"] + build["duration"])] if over else []
    found = [event.time for event, _ in item.finished_runs()]
    return [] if found == wanted else [f"finished {found}, expected {wanted}"]


def _raw(root: Path, suffix: str) -> Iterator[Told]:
    for raw in table(root / f"raw_api/jenkins/raw_tables/_raw_jenkins_api_builds{suffix}.csv"):
        job = json.loads(raw["params"])["FullName"]
        if suffix:  # The parameters name the project; the branch is the last part of the displayed name.
            job += "/" + json.loads(raw["data"])["fullDisplayName"].rpartition(" #")[0].rpartition("» ")[2]
        yield tell(
            CONNECTOR, raw["id"], "rest.builds", raw["data"].encode(), {"x-leadline-job": job}, settings=_EVERYTHING
        )


def _devlake(root: Path, suffix: str) -> Row:
    """Runs and their outcomes agree, and each successful one is a deployment where every job is taken for one."""
    snapshot = table(root / f"raw_api/jenkins/snapshot_tables/cicd_pipelines{suffix}.csv")
    expected = {each["name"]: each for each in snapshot}
    mistakes, seen = [], 0
    for item in _raw(root, suffix):
        for event, run in item.finished_runs():
            wanted = expected.get(run.run)
            if wanted is None:
                continue
            seen += 1
            if wanted["status"] != "DONE" or wanted["result"] not in _RESULTS.get(run.outcome or "", set()):
                mistakes.append(f"{run.run} is {run.outcome}; DevLake: {wanted['status']} {wanted['result']}")
            deployed = [each for each in item.events if each.type == DEPLOYED and each.time == event.time]
            if (run.outcome == "success") != bool(deployed):
                mistakes.append(f"{run.run}: {len(deployed)} deployments of a run that is {run.outcome}")
    done = sum(each["status"] == "DONE" for each in expected.values())
    if seen < done:
        mistakes.append(f"{done - seen} of DevLake's finished runs are missing")
    note = "DevLake counts aborted as failed, and leaves unstable and not built empty"
    return row(f"jenkins devlake{suffix.replace('_', ' ')}", seen, mistakes, note)
